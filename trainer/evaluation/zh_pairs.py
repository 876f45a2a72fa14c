"""Chinese minimal pairs, made from the paradigms of `zh_pairs.yaml`: the same words, once as grammar wants them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from itertools import product
from typing import Any

import yaml

from trainer.evaluation.questions import Question

NAME = "zh-pairs"


def zh_pairs() -> tuple[Question, ...]:
    """All pairs of all paradigms."""
    paradigms = yaml.safe_load(files("trainer.evaluation").joinpath("zh_pairs.yaml").read_text("utf-8"))
    return tuple(
        Question(f"{NAME}#{name}-{number}", (("", body["good"].format(**slots)), ("", body["bad"].format(**slots))), 0, name)
        for name, body in paradigms.items()
        for number, slots in enumerate(_filled(body["slots"]))
    )  # fmt: skip


def _filled(slots: dict[str, list[Any]]) -> Iterator[dict[str, str]]:
    """Every combination; slots that are named together (`right, wrong, thing`) are filled together."""
    for values in product(*slots.values()):
        filled: dict[str, str] = {}
        for names, value in zip(slots, values, strict=True):
            parts = value if isinstance(value, list) else [value]
            filled |= dict(zip(names.split(", "), parts, strict=True))
        yield filled
