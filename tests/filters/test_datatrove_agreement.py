"""The rules decide as datatrove's filters do, for the same reason, on the same words.

Its verdicts were recorded (`python -m bench.filter_peers.record`): 900 made-up texts on both sides of every rule.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from bench.filter_peers.agreement import NAMES, REASONS, our_verdicts
from filters.words import given_words

OUTCOMES = [
    json.loads(line)
    for line in gzip.decompress(Path(__file__).with_name("datatrove_outcomes.jsonl.gz").read_bytes()).splitlines()
]


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_set_gives_the_same_verdict_for_the_same_reason(name: str) -> None:
    ours = our_verdicts([row["text"] for row in OUTCOMES])[name]
    theirs = [row["verdicts"][name] for row in OUTCOMES]
    assert [(n, mine, yours) for n, (mine, yours) in enumerate(zip(ours, theirs, strict=True)) if mine != yours] == []


def test_every_reason_is_among_the_recorded_ones() -> None:
    seen = {reason for row in OUTCOMES for reason in row["verdicts"].values()}
    assert seen == {"", "empty", *REASONS.values()}


def test_the_verdict_hangs_on_the_words_that_are_given() -> None:
    """Symbols are words for the shares but not for number and length, whoever split them."""
    spoken = ["boil", "that", "with"]
    spelled = [spoken * 20, [*spoken * 13, *["--"] * 13], [*spoken * 20, *["--", "."] * 10], [*spoken * 20, "--"]]
    words = given_words(pl.Series(spelled, dtype=pl.List(pl.String)))
    assert our_verdicts(["one line"] * 4, words)["gopher"] == [
        "", "gopher_short_doc", "gopher_below_alpha_threshold", "",
    ]  # fmt: skip
