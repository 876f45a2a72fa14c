"""Benchmarks that a dataset must not hold: their items, read from files or from the Hugging Face hub.

Benchmarks name their columns as they like. An item's question, its answers and its code are found by the names in use
(the tables below); a file with none of them can say `text`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from corpus.errors import RecipeError
from corpus.ids import digest
from corpus.readers.records import read_dataset_records, read_records

WHAT = "filters.decontaminate.against"
# Short names: dataset, config and split as lm-evaluation-harness and bigcode-evaluation-harness read them.
HUB: Mapping[str, tuple[str, str | None, str]] = {
    "humaneval": ("openai/openai_humaneval", None, "test"),
    "mbpp": ("google-research-datasets/mbpp", "full", "test"),
    "gsm8k": ("openai/gsm8k", "main", "test"),
    "arc_easy": ("allenai/ai2_arc", "ARC-Easy", "test"),
    "arc_challenge": ("allenai/ai2_arc", "ARC-Challenge", "test"),
    "mmlu": ("cais/mmlu", "all", "test"),
    "hellaswag": ("Rowan/hellaswag", None, "validation"),
    "openbookqa": ("allenai/openbookqa", "main", "test"),
    "commonsense_qa": ("tau/commonsense_qa", None, "validation"),
    "truthful_qa": ("truthfulqa/truthful_qa", "generation", "validation"),
}
QUESTION = (
    "question",
    "question_stem",
    "query",
    "prompt",
    "problem",
    "goal",
    "sentence",
    "ctx",
    "context",
    "text",
    "sentence_good",
)
CHOICES = ("choices", "options", "endings", "sol1", "sol2", "A", "B", "C", "D")
ANSWER = ("answer", "best_answer", "solution", "continuation", "completion", "target")
CODE = ("canonical_solution", "code")


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a benchmark. `name` is BENCHMARK#ID; what an item lacks is empty."""

    name: str
    benchmark: str
    question: str
    choices: str = ""
    answer: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """All items of some benchmarks, and a hash of what they say."""

    items: tuple[Item, ...]
    digest: str


@lru_cache(maxsize=4)
def load_benchmarks(against: tuple[str, ...]) -> Benchmarks:
    """Items of all that `against` names: a path, a short name of `HUB`, or `owner/name[:config][:split]`.

    Read once a process. Raises `RecipeError` for a name that means nothing and for rows without a question.
    """
    items = tuple(item for name in against for item in _items(name))
    told = [[item.name, item.question, item.choices, item.answer, item.code] for item in items]
    return Benchmarks(items, digest("benchmarks", told))


def _items(name: str) -> Iterator[Item]:
    label, rows = benchmark_rows(name)
    for number, row in enumerate(rows):
        yield item_of(row, label, identity_of(row, number))


def identity_of(row: Mapping[str, Any], number: int) -> str:
    """What a benchmark calls a row, else its number."""
    return next((str(row[key]) for key in ("task_id", "id", "ID") if row.get(key) not in (None, "")), str(number))


def benchmark_rows(name: str) -> tuple[str, Iterator[dict[str, Any]]]:
    """What a name stands for (see `load_benchmarks`): its short form, and its rows as they are."""
    if name in HUB:
        dataset, config, split = HUB[name]
        return name, read_dataset_records(dataset, config, split, None)
    if "." not in PurePosixPath(name).name and name.count("/") == 1 and "://" not in name:
        dataset, config, split = (*name.split(":"), "", "")[:3]
        return dataset, read_dataset_records(dataset, config or None, split or "test", None)
    if "/" not in name and "." not in name:
        raise RecipeError(
            f"{WHAT}: there is no benchmark `{name}`", hint=f"a path, owner/name, or one of {', '.join(HUB)}"
        )
    return PurePosixPath(name).name.partition(".")[0], read_records(name, WHAT)


def item_of(row: Mapping[str, Any], benchmark: str, identity: str) -> Item:
    """The item that a row holds. Raises `RecipeError` for a row without text."""
    question = _first(row, QUESTION)
    code = _first(row, CODE)
    if code and "def " not in code:  # HumanEval: the prompt holds the head of the function
        code = f"{question}{code}"
    choices = [text for key in CHOICES for text in _texts(row.get(key))]
    if not question and not code:
        raise RecipeError(f"{WHAT}: {benchmark}#{identity} has no text", hint=f"known columns: {', '.join(QUESTION)}")
    return Item(f"{benchmark}#{identity}", benchmark, question, "\n".join(choices), _first(row, ANSWER), code)


def _first(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((str(row[name]) for name in names if isinstance(row.get(name), str) and row[name].strip()), "")


def _texts(value: Any) -> list[str]:
    """Strings in a choice column: one, a list, or the hub's {text: […], label: […]}."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, Mapping):
        return _texts(value.get("text"))
    return [text for item in value for text in _texts(item)] if isinstance(value, (list, tuple)) else []
