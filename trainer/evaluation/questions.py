"""Benchmark rows as questions of likelihood: which of several texts, or which ending, does the student find likeliest?

The form is known by the columns: pairs of sentences (BLiMP), several contexts before one ending (Winograd schemas),
choices after a question (ARC, PIQA, OpenBookQA, CommonsenseQA, HellaSwag, MMLU, CMMLU), one ending after a context
(LAMBADA), an answer without choices (GSM8K), or a function to write (HumanEval, MBPP; see `programs`). A question is put
as lm-evaluation-harness puts it, without examples; choices are scored by their own words rather than by their letter,
unless letters are all that the row has, since the smallest students know no letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.errors import RecipeError
from corpus.ids import digest
from filters.benchmarks import Item, benchmark_rows, identity_of, item_of
from trainer.evaluation.programs import Problem, problem_of

HAN = re.compile(r"[一-鿿]")
ASKED = ("query", "question", "goal", "question_stem", "ctx", "problem", "sentence")
ENDINGS = ("choices", "options", "endings")
RIGHT = ("gold", "label", "answerKey", "answer", "target")


@dataclass(frozen=True, slots=True)
class Question:
    """`options` are (context, ending) pairs. One option alone is right when every token of it was the likeliest."""

    name: str
    options: tuple[tuple[str, str], ...]
    gold: int
    group: str = ""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Questions and problems of one benchmark, and the items as decontamination knows them, under the same names."""

    name: str
    questions: tuple[Question, ...]
    problems: tuple[Problem, ...]
    items: tuple[Item, ...]


def open_benchmark(name: str, limit: int | None = None, seed: int = 0) -> Benchmark:
    """A file, a short name such as `humaneval`, or `owner/name:config:split`; with `limit`, so many rows drawn by `seed`."""
    label, found = benchmark_rows(name)
    rows = [(identity_of(row, number), row) for number, row in enumerate(found)]
    if not rows:
        raise RecipeError(f"{name}: no rows in this benchmark")
    if limit is not None and limit < len(rows):
        chosen = set(sorted(range(len(rows)), key=lambda at: digest("item", seed, label, rows[at][0], at))[:limit])
        rows = [row for at, row in enumerate(rows) if at in chosen]
    read = [read_row(row, label, identity) for identity, row in rows]
    return Benchmark(
        label,
        tuple(item for item in read if isinstance(item, Question)),
        tuple(item for item in read if isinstance(item, Problem)),
        tuple(item_of(row, label, identity) for identity, row in rows),
    )


def read_row(row: Mapping[str, Any], benchmark: str, identity: str) -> Question | Problem:
    """The question or problem that a row holds. Raises `RecipeError` for a row of no known form."""
    name = f"{benchmark}#{identity}"
    group = str(row.get("paradigm") or row.get("UID") or row.get("subject") or "")
    if "sentence_good" in row:
        return Question(name, (("", row["sentence_good"]), ("", row["sentence_bad"])), 0, group)
    if "context_options" in row:
        contexts, ending = row["context_options"], f" {row['continuation'].strip()}"
        return Question(name, tuple((context, ending) for context in contexts), _gold(row, name, len(contexts)), group)
    if (problem := problem_of(row, name)) is not None:
        return problem
    if choices := _choices(row):
        return _choice(row, name, choices, group)
    if "context" in row and "continuation" in row:
        return Question(name, ((row["context"], _spaced(row["context"], row["continuation"])),), 0, group)
    if isinstance(row.get("answer"), str) and (asked := _asked(row)):
        return Question(name, ((_put(asked), _spaced(asked, row["answer"])),), 0, group)
    if "lambada" in benchmark.lower() and isinstance(row.get("text"), str):
        context, _, word = row["text"].strip().rpartition(" ")
        return Question(name, ((context, f" {word}"),), 0, group)
    raise RecipeError(
        f"{name}: no benchmark of a known form; its columns are {', '.join(sorted(row))}",
        hint="sentence_good and sentence_bad; question, choices and answer; context and continuation; prompt and test",
    )


def _choice(row: Mapping[str, Any], name: str, choices: Sequence[str], group: str) -> Question:
    asked = _asked(row)
    if not asked:
        raise RecipeError(f"{name}: choices without a question", hint=f"known columns: {', '.join(ASKED)}")
    if (spelt := _spelt_out(asked, choices)) is not None:
        asked, choices = spelt
    context = asked if _open_ended(row) else _put(asked)
    options = tuple((context, _spaced(context, choice)) for choice in choices)
    return Question(name, options, _gold(row, name, len(choices)), group)


def _spelt_out(asked: str, choices: Sequence[str]) -> tuple[str, list[str]] | None:
    """Question and words of the choices, where the choices are letters whose words stand in the question."""
    words = dict(re.findall(r"^([A-J])\. (.+)$", asked, re.M))
    if not words or any(choice.strip() not in words for choice in choices):
        return None
    return re.split(r"\n(?:Choices:|A\. )", asked)[0], [words[choice.strip()] for choice in choices]


def _asked(row: Mapping[str, Any]) -> str:
    return next((str(row[key]).rstrip() for key in ASKED if isinstance(row.get(key), str) and row[key].strip()), "")


def _open_ended(row: Mapping[str, Any]) -> bool:
    """Whether the question is the head of a sentence that a choice ends."""
    query = str(row.get("query", ""))
    return (bool(query) and not query.startswith(("Question:", "问题"))) or "question_stem" in row or "endings" in row


def _put(asked: str) -> str:
    if asked.endswith(("Answer:", "答案：")):
        return asked
    if HAN.search(asked):
        return f"{asked}\n答案：" if asked.startswith("问题") else f"问题：{asked}\n答案："
    return f"{asked}\nAnswer:" if asked.startswith("Question:") else f"Question: {asked}\nAnswer:"


def _spaced(context: str, ending: str) -> str:
    return ending if ending.startswith((" ", "\n")) or HAN.match(ending) or HAN.match(context[-1:]) else f" {ending}"


def _choices(row: Mapping[str, Any]) -> list[str]:
    for key in ENDINGS:
        value = row.get(key)
        if isinstance(value, Mapping):
            value = value.get("text")
        if isinstance(value, (list, tuple)) and value:
            return [str(item) for item in value]
    for keys in (("sol1", "sol2"), ("A", "B", "C", "D")):
        if all(isinstance(row.get(key), str) for key in keys):
            return [row[key] for key in keys]
    return []


def _gold(row: Mapping[str, Any], name: str, count: int) -> int:
    """Place of the right option: a number, or a letter (of the row's own labels where it has them)."""
    value = next((row[key] for key in RIGHT if row.get(key) not in (None, "")), None)
    choices = row.get("choices")
    labels = list(choices["label"]) if isinstance(choices, Mapping) and "label" in choices else list("ABCDEFGHIJ")
    if isinstance(value, str) and value.strip() in labels:
        value = labels.index(value.strip())
    try:
        place = int(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        place = -1
    if not 0 <= place < count:
        raise RecipeError(f"{name}: {value!r} names none of its {count} options", hint=f"one of {', '.join(RIGHT)}")
    return place


def cloze_of(texts: Iterable[tuple[str, str]], count: int, seed: int, wrong: int = 3) -> list[Question]:
    """Questions made of held-out text: the true end of a sentence against the ends of `wrong` others of its group.

    `texts` are (group, text); ends are the last third of a sentence of 12 to 40 words, cut at a word.
    """
    ends: dict[str, list[tuple[str, str, str]]] = {}
    for group, text in texts:
        for sentence in re.split(r"(?<=[.!?])\s+", text):
            words = sentence.split()
            if 12 <= len(words) <= 40 and sentence[-1] in ".!?" and sentence[0].isupper():
                cut = len(words) - len(words) // 3
                ends.setdefault(group, []).append((sentence, " ".join(words[:cut]), " ".join(words[cut:])))
    found = [
        Question(f"cloze#{digest(group, sentence)[:12]}", tuple(options), gold, group)
        for group, rows in ends.items()
        for sentence, options, gold in _mixed(group, rows, seed, wrong)
    ]
    return sorted(found, key=lambda item: digest("cloze", seed, item.name))[:count]


def _mixed(
    group: str, rows: list[tuple[str, str, str]], seed: int, wrong: int
) -> Iterator[tuple[str, list[tuple[str, str]], int]]:  # fmt: skip
    for sentence, context, end in rows:
        others = sorted({row[2] for row in rows} - {end}, key=lambda other: digest("end", seed, sentence, other))[
            :wrong
        ]
        if len(others) == wrong:
            options = sorted([end, *others], key=lambda other: digest("place", seed, sentence, other))
            yield sentence, [(context, f" {option}") for option in options], options.index(end)
