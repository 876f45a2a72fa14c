"""Planted items are found by their words and by the shape of their code; what benchmarks and texts share is no leak."""

from __future__ import annotations

import argparse
import ast
import bisect
import heapq
import inspect
import json
import statistics
import tarfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import RecipeError
from filters.benchmarks import Item, item_of, load_benchmarks
from filters.chain import decide, score_table
from filters.config import DecontaminateConfig, FilterConfig
from filters.decontaminate import LOOKED, Decontaminator, contamination
from filters.minhash import shingles
from filters.planted_leaks import LEAKS, planted, renamed, self_test, whole
from filters.program_look import ProgramLook
from filters.program_shape import blocks, functions, tokens_of
from filters.words import split_words

Prose = Callable[[int, int], str]
CONFIG = DecontaminateConfig(against=("set by the test",))
NOUNS = [
    "ducks",
    "eggs",
    "farmers",
    "buses",
    "pencils",
    "tickets",
    "apples",
    "gallons",
    "marbles",
    "stamps",
    "bricks",
    "lanterns",
]
FORM = "Answer the following question and explain every step of your reasoning in your own words."
LICENCE = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated files."
RUNNING = '''from typing import List

def running_peak(values: List[int], floor: int) -> List[int]:
    """Return the greatest value seen so far at each place, never below the floor.
    >>> running_peak([3, 1, 4], 2)
    [3, 3, 4]
    """
    peak = floor
    seen = []
    for value in values:
        if value > peak:
            peak = value
        seen.append(max(peak, floor))
    return seen
'''
OTHER = (
    RUNNING.replace("running_peak", "m")
    .replace("values", "xs")
    .replace("value", "x")
    .replace("peak", "best")
    .replace("seen", "out")
)


def question(number: int) -> str:
    a, b, c = (NOUNS[(number * step + step) % len(NOUNS)] for step in (1, 5, 7))
    return (
        f"{FORM} Maria{number} has {number + 3} {a} and trades {number + 11} {b} for {2 * number + 5} {c} at market{number}. "
        f"Her cousin{number} then loses half of what remains near gate{number * 7}. How many {a} does Maria{number} keep?"
    )


ITEMS = [Item(f"maths#{number}", "maths", question(number), answer=f"{number}") for number in range(60)]
ITEMS += [Item("code#0", "code", RUNNING, code=RUNNING)]


@pytest.fixture(scope="module")
def index() -> Decontaminator:
    return Decontaminator(ITEMS, CONFIG)


def verdicts(index: Decontaminator, *texts: str) -> list[tuple[bool, bool, str]]:
    scores = index.score(pl.Series(list(texts)))
    found = zip(
        scores["contaminated.ngram"] >= CONFIG.coverage,
        scores["contaminated.code"] >= CONFIG.code,
        scores["contaminated.by"],
        strict=True,
    )
    return [(bool(words), bool(code), by) for words, code, by in found]


def test_an_item_in_the_middle_of_a_text_is_found_and_named(index: Decontaminator, prose: Prose) -> None:
    texts = [planted(prose(number, 200), whole(item)) for number, item in enumerate(ITEMS)]
    found = verdicts(index, *texts)
    assert all(words for words, _, _ in found)
    assert [by.split()[0] for _, _, by in found] == [item.name for item in ITEMS]


def test_words_that_went_missing_and_a_lost_end_hide_nothing(prose: Prose) -> None:
    items = [replace(item, question=item.question.removeprefix(FORM)) for item in ITEMS]
    index = Decontaminator(items, CONFIG)
    for kind in ("shortened", "edited"):
        texts = [planted(prose(7, 120), LEAKS[kind](item)) for item in items]
        assert all(words for words, _, _ in verdicts(index, *texts)), kind


def test_renamed_code_is_found_by_its_shape_and_another_program_is_not(index: Decontaminator, prose: Prose) -> None:
    bare = "\n".join(
        line for line in OTHER.split("\n") if '"' not in line and ">>>" not in line and "[3, 3" not in line
    )
    other = bare.replace("max(best, floor)", "min(best, floor) - 1").replace("x > best", "x < best and floor")
    first, second, third = verdicts(index, planted(prose(1, 50), f"```python\n{bare}\n```"), other, prose(2, 90))
    assert first == (False, True, "code#0 code")
    assert not second[1]
    assert third == (False, False, "")
    assert "Maria" in ITEMS[0].question
    assert renamed(ITEMS[-1]) != RUNNING


def test_the_form_that_a_benchmark_repeats_and_shared_boilerplate_are_no_leak(prose: Prose) -> None:
    with_licence = [Item(f"a#{n}", "a", f"{LICENCE} {question(n)}") for n in range(60)]
    index = Decontaminator([*ITEMS, *with_licence], CONFIG)
    texts = [f"{FORM} {prose(seed, 80)} {FORM} {LICENCE}" for seed in range(100)] + [
        LICENCE,
        FORM,
        f"{FORM}\n{LICENCE}",
    ]
    assert not any(words or code for words, code, _ in verdicts(index, *texts))


def test_words_that_lie_scattered_over_a_book_are_no_passage(prose: Prose) -> None:
    item = ITEMS[3]
    words = item.question.split()
    pieces = [" ".join(words[start : start + 6]) for start in range(0, len(words), 6)]
    scattered = "\n".join(f"{prose(seed, 300)} {piece}" for seed, piece in enumerate(pieces))
    alone = Decontaminator([item, ITEMS[4]], CONFIG)
    assert not verdicts(alone, scattered)[0][0]
    assert verdicts(alone, " ".join(pieces))[0][0]


def test_chinese_is_found_by_its_characters() -> None:
    texts = [
        f"第{n}题：一列长{n}百米的火车以每秒{n + 7}米的速度通过隧道{n}，隧道全长{n + 3}千米，从车头进洞到车尾出洞共需多少秒？"
        for n in range(30)
    ]
    index = Decontaminator([Item(f"zh#{n}", "zh", text) for n, text in enumerate(texts)], CONFIG)
    host = "潮水每天涨落两次，月亮的引力使海面隆起。" * 8
    assert verdicts(index, planted(host, texts[9]))[0][::2] == (True, "zh#9 question")
    assert not verdicts(index, host)[0][0]


def test_short_questions_are_looked_for_with_their_answers_and_the_rest_is_counted() -> None:
    items = [
        Item(
            f"s#{n}",
            "s",
            "What is this?",
            f"a copper kettle number {n} from the harbour market near town {n * 7}\na silver violin {n}",
        )
        for n in range(40)
    ]
    index = Decontaminator([*items, Item("s#x", "s", "Why?", "no")], CONFIG)
    assert index.unchecked == {"s": 1}
    assert verdicts(index, f"Well: {whole(items[5])} and so on")[0][::2] == (True, "s#5 item")
    assert not verdicts(index, "What is this? Why? no")[0][0]


def test_the_matching_is_that_of_a_set_of_tuples(prose: Prose) -> None:
    texts = [prose(seed, 150) for seed in range(60)] + [question(n)[20:] for n in range(60)]
    index = Decontaminator(ITEMS, CONFIG)
    known = {gram for item in ITEMS for gram in grams(item.question)}
    words = split_words(pl.Series(texts))
    found, offsets = shingles(words, CONFIG.ngram)
    hits = np.zeros(len(found), bool)
    hits[index._words.matching(found)[0]] = True
    for place, text in enumerate(texts):
        assert hits[offsets[place] : offsets[place + 1]].tolist() == [gram in known for gram in grams(text)]


def grams(text: str) -> list[tuple[str, ...]]:
    words = split_words(pl.Series([text]))
    told = [words.vocabulary[code].as_py() for code in words.codes.tolist()]
    return list(zip(*(told[place:] for place in range(CONFIG.ngram)), strict=False))


def test_scores_depend_on_nothing_but_the_text(index: Decontaminator, prose: Prose) -> None:
    texts = pl.Series([prose(1, 60), "", planted(prose(2, 60), question(4)), OTHER, "def broken(:\n  pass", "x"])
    together = index.score(texts)
    for place, text in enumerate(texts):
        alone = index.score(pl.Series([text]))
        assert {name: column[0] for name, column in alone.items()} == {
            name: column[place] for name, column in together.items()
        }


def test_the_chain_rejects_with_a_reason_and_the_items_name(
    index: Decontaminator, documents: Callable[..., pa.Table], prose: Prose
) -> None:
    bare = OTHER[OTHER.index("def") :].replace('"""', "'''")
    table = documents([planted(prose(1, 120), question(8)), f"{prose(2, 120)}\n\n{bare}", prose(3, 120)])
    rejected = decide(table, score_table(table, against=index), FilterConfig(decontaminate=CONFIG)).to_pylist()
    reasons = {row["id"]: (row["reason"], row["detail"].split(":")[0]) for row in rejected}
    assert reasons["d0"] == ("contaminated.ngram", "maths#8 question")
    assert reasons["d1"][0] in ("contaminated.ngram", "contaminated.code")
    assert reasons["d1"][1].startswith("code#0")
    assert "d2" not in reasons


def test_a_short_function_is_found_by_its_whole_tree_and_by_no_part_of_it() -> None:
    code = "def tail(words, count):\n    return sorted(words)[-count:]\n"
    short = Decontaminator([Item("short#0", "short", "Give the last ones.", code=code)], CONFIG)
    assert short.checked_items() == {"short#0"}
    renamed_one = "def last(a, b):\n    return sorted(a)[-b:]\n"
    longer = "def last(a, b):\n    a = list(a)\n    return sorted(a)[-b:]\n"
    assert [code for _, code, _ in verdicts(short, renamed_one, longer, "def one(a):\n    return a\n")] == [
        True,
        False,
        False,
    ]


def test_a_leak_is_planted_between_lines_and_not_inside_of_a_function() -> None:
    host = "def f(x):\n    y = x\n    return y\n\ndef g(x):\n    return x\n"
    assert planted(host, "LEAK") == "def f(x):\n    y = x\n    return y\n\n\nLEAK\n\ndef g(x):\n    return x\n"
    assert planted("no line ends here", "LEAK").endswith("LEAK\n\n")


def test_the_self_test_counts_what_it_plants(prose: Prose) -> None:
    found = self_test(ITEMS, [prose(seed, 150) for seed in range(40)], CONFIG, 20)
    assert found.recall("verbatim") == 1.0
    assert found.recall("renamed") == 1.0
    assert found.recall("reworded") < 1.0
    assert (found.hosts, found.alarms) == (40, 0)
    assert (found.forms, found.form_alarms) == (40, 0)
    assert {(row.benchmark, row.kind): row.planted for row in found.recalls}["maths", "verbatim"] == 20
    blind = self_test(ITEMS, [prose(1, 150)], CONFIG.model_copy(update={"ngram": 20, "coverage": 1.0, "code": 1.0}), 20)
    assert blind.recall("edited") == 0.0, "a blind index must show in the figures"


def test_benchmarks_are_read_by_the_columns_in_use(tmp_path: Path) -> None:
    assert (
        item_of({"prompt": "def f(x):\n", "canonical_solution": "    return x\n"}, "b", "1").code
        == "def f(x):\n    return x\n"
    )
    assert item_of({"text": "Write f.", "code": "def f(): pass"}, "b", "1") == Item(
        "b#1", "b", "Write f.", code="def f(): pass"
    )
    arc = item_of(
        {"question": "Which?", "choices": {"text": ["one", "two"], "label": ["A", "B"]}, "answerKey": "A"}, "b", "1"
    )
    assert arc.choices == "one\ntwo"
    (tmp_path / "exam.jsonl").write_text(json.dumps({"id": 7, "question": question(1), "answer": "4"}) + "\n", "utf-8")
    pq.write_table(pa.table({"question": [question(2)]}), tmp_path / "more.parquet")
    read = load_benchmarks((str(tmp_path / "exam.jsonl"), str(tmp_path / "more.parquet")))
    assert [item.name for item in read.items] == ["exam#7", "more#0"]
    table = pa.table({"id": ["a"], "text": pa.array([question(2)], pa.large_string())})
    config = DecontaminateConfig(against=(str(tmp_path / "exam.jsonl"), str(tmp_path / "more.parquet")))
    assert contamination(table, config)["contaminated.ngram"].to_pylist() == [1.0]


@pytest.mark.parametrize(
    "against, told",
    [("nosuch", "no benchmark"), ("gone.jsonl", "names no file"), ("bad.jsonl", "line 1"), ("empty.jsonl", "no text")],
)
def test_a_benchmark_that_cannot_be_read_is_an_error_and_never_an_empty_one(
    tmp_path: Path, against: str, told: str
) -> None:
    (tmp_path / "bad.jsonl").write_text("{oops\n", "utf-8")
    (tmp_path / "empty.jsonl").write_text('{"id": 1}\n', "utf-8")
    with pytest.raises(RecipeError, match=told):
        load_benchmarks((str(tmp_path / against) if "." in against else against,))


def test_hostile_programs_cost_linear_time_and_no_crash(index: Decontaminator) -> None:
    bait = ["def f():\n" + "(" * 5000, "def f(): return " + "-" * 15_000 + "1", "def " * 20_000, "def f(x):\n" + "  if x:\n" * 3000,
            "def a():\n pass\n" * 20_000, "\udcff def f(): pass".encode("utf-8", "replace").decode(), "def f():\n\tx = '\0'"]  # fmt: skip
    begun = time.process_time()
    assert not any(code for _, code, _ in verdicts(index, *bait))
    assert time.process_time() - begun < 20


def test_a_functions_shape_has_no_chosen_name_and_keeps_the_given_ones() -> None:
    (shape,) = functions(
        "Some prose.\n\ndef total(rows):\n    'doc'\n    return sum(row.price for row in rows)\n\nMore prose."
    )
    assert "sum" in shape
    assert ".price" in shape
    assert not {"total", "rows", "row", "'doc'"} & set(shape)


MODULES = (bisect, heapq, statistics, textwrap)


def changed(block: str, draw: Random) -> str:
    """The function with other names and other numbers, and now and then without one of its statements."""
    tree = ast.parse(textwrap.dedent(block))
    chosen = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in chosen:
            node.id = f"other_{node.id}"
        if isinstance(node, ast.arg):
            node.arg = f"other_{node.arg}"
        if isinstance(node, ast.Constant) and type(node.value) is int and draw.random() < 0.3:
            node.value += 1
        if isinstance(body := getattr(node, "body", None), list) and len(body) > 1 and draw.random() < 0.2:
            body.pop(draw.randrange(len(body)))
    return ast.unparse(tree)


def test_a_look_without_a_parser_passes_over_nothing_that_is_much_alike() -> None:
    every = [textwrap.dedent(block) for module in MODULES for block in blocks(inspect.getsource(module))]
    sources = [block for block in every if tokens_of(block)]
    index = Decontaminator([Item(f"m#{n}", "m", "", code=block) for n, block in enumerate(sources)], CONFIG)
    draw = Random(3)
    texts = pl.Series([f"# a note\n{changed(block, draw)}\n\nprint(1)" for block in sources for _ in range(3)])
    alike = [found for found in index._same_shape(texts) if found[2] >= LOOKED]
    looked = [found for found in index._same_shape(texts, look=True) if found[2] >= LOOKED]
    assert len(alike) > len(texts) / 2
    assert sorted(looked) == sorted(alike)


def test_a_look_spares_most_of_unlike_code_the_parser() -> None:
    look = ProgramLook([block for module in MODULES for block in blocks(inspect.getsource(module))])
    unlike = [block for module in (argparse, ast, json.decoder, tarfile) for block in blocks(inspect.getsource(module))]
    assert sum(len(block) for block, good in zip(unlike, look.likely(unlike), strict=True) if good) < 0.25 * sum(
        map(len, unlike)
    )
    assert look.likely([]).tolist() == ProgramLook([]).likely(unlike[:0]).tolist() == []
    assert not ProgramLook([]).likely(unlike).any()


def test_a_lower_threshold_than_the_look_can_tell_parses_everything(prose: Prose) -> None:
    other = OTHER.replace("max(best, floor)", "min(best, floor) - 1")
    low, high = (Decontaminator(ITEMS, CONFIG.model_copy(update={"code": code})) for code in (0.5, 0.85))
    found = [index.score(pl.Series([other]))["contaminated.code"][0] for index in (low, high)]
    assert 0 < found[0] < LOOKED
    assert found[1] == 0
