"""The check of facts measures itself: errors that it knows of are planted in retellings of real passages.

A retelling is a passage with half of its sentences, in another order, with its numbers and names told in other ways
that say the same (`1,000` as `1000`, `three` as `3`, `50%` as `50 percent`, `Marie Curie` as `Curie`). Into half of the
retellings one error is planted: a number that the passage does not have, or a name from another passage. So a flag in a
faithful retelling is a false one, and a planted error that is not flagged is missed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.ids import seed_from
from filters.claims import CODE, WORDS, names_in, numbers_in, sentences_in
from filters.facts import Source, unsupported
from generator.length import IDEOGRAPH

LEAST = 4  # sentences of a passage that is retold
KINDS = ("number", "name")


@dataclass(frozen=True, slots=True)
class Planted:
    """A retelling; `error` is what was planted, "" in a faithful one."""

    source: str
    text: str
    kind: str
    error: str


@dataclass(frozen=True, slots=True)
class FactsTest:
    """Counts of one kind: of planted errors, of those found, of all flags, and of the flags that name a planted error."""

    kind: str
    planted: int
    found: int
    flagged: int
    right: int
    texts: int

    @property
    def recall(self) -> float:
        """Found of planted."""
        return self.found / self.planted if self.planted else 0.0

    @property
    def precision(self) -> float:
        """Right ones of all flags."""
        return self.right / self.flagged if self.flagged else 1.0


def self_test(passages: Sequence[str], seed: int = 17) -> list[FactsTest]:
    """Plant, look, count: one row a kind. A passage serves both kinds, faithful or not by a draw."""
    found = {kind: [0, 0, 0, 0, 0] for kind in KINDS}
    usable = [passage for passage in passages if len(sentences_in(passage)) >= LEAST]
    for index, passage in enumerate(usable):
        draw = random.Random(seed_from("facts", seed, index))
        other = usable[(index + 1 + draw.randrange(len(usable) - 1)) % len(usable)] if len(usable) > 1 else ""
        for kind in KINDS:
            if (case := plant(passage, other, kind, draw)) is None:
                continue
            flags = getattr(unsupported(case.text, Source(case.source)), f"{kind}s")
            right = sum(case.error in flag or flag in case.error for flag in flags) if case.error else 0
            for place, count in enumerate((bool(case.error), right > 0, len(flags), right, 1)):
                found[kind][place] += count
    return [FactsTest(kind, *counts) for kind, counts in found.items()]


def plant(passage: str, other: str, kind: str, draw: random.Random) -> Planted | None:
    """A retelling of `passage`, with an error of `kind` in one of two; None where it holds nothing of that kind."""
    told = retold(passage, draw)
    if draw.random() < 0.5:
        return Planted(passage, told, kind, "")
    swapped = _wrong_number(told, passage, draw) if kind == "number" else _wrong_name(told, passage, other, draw)
    return Planted(passage, swapped[0], kind, swapped[1]) if swapped else None


def retold(passage: str, draw: random.Random) -> str:
    """Half of the sentences, reordered, numbers and names in other forms."""
    plain = CODE.sub(" ", passage)  # a program is not retold
    sentences = [sentence for sentence in sentences_in(plain) if re.search(r"[^\W\d_]{2}", sentence)] or [plain]
    chosen = draw.sample(sentences, min(len(sentences), max(2, len(sentences) // 2)))
    told = ""
    for sentence in chosen:
        joint = "" if not told or (IDEOGRAPH.match(sentence) and told[-1] in "。！？") else " "
        told += joint + _reworded(sentence, draw)
    return told


def _reworded(sentence: str, draw: random.Random) -> str:
    sentence = re.sub(r"(?<=\d),(?=\d{3}\b)", "", sentence) if draw.random() < 0.5 else sentence
    sentence = re.sub(r"(\d)\s?%", r"\1 percent", sentence) if draw.random() < 0.5 else sentence
    if draw.random() < 0.5:
        sentence = re.sub(r"\b(three|four|five|six|seven|eight|nine|ten|twelve|twenty)\b",
                          lambda found: str(WORDS[found.group()]), sentence)  # fmt: skip
    if draw.random() < 0.5:
        sentence = re.sub(r"(?<=[a-z,] )([A-Z][a-z]+) ([A-Z][a-z]{3,})(?=[ ,.])", r"\2", sentence)
    return sentence


def _wrong_number(told: str, passage: str, draw: random.Random) -> tuple[str, str] | None:
    said = [claim.said for claim in numbers_in(told) if claim.said in told]
    if not said:
        return None
    right = draw.choice(said)
    digits = [place for place, char in enumerate(right) if char.isdigit()]
    for _ in range(20):
        place = draw.choice(digits)
        wrong = right[:place] + str(draw.randrange(1, 10)) + right[place + 1 :]
        if wrong not in passage and wrong != right:
            return _swapped(told, right, wrong)
    return None


def _wrong_name(told: str, passage: str, other: str, draw: random.Random) -> tuple[str, str] | None:
    """A name of another passage in the place of one of its kind: a title for a title, a Latin one for a Latin one."""
    right = [claim.said for claim in names_in(told) if claim.said in told]
    foreign = [claim.said for claim in names_in(other) if claim.said.casefold() not in passage.casefold()]
    pairs = [(one, wrong) for one in right for wrong in foreign if _kind(one, told) == _kind(wrong, other)]
    return _swapped(told, *draw.choice(pairs)) if pairs else None


def _kind(name: str, text: str) -> str:
    if not IDEOGRAPH.search(name):
        return "latin"
    return "title" if f"《{name}》" in text else "marked"


def _swapped(told: str, right: str, wrong: str) -> tuple[str, str]:
    edge = "" if IDEOGRAPH.search(right) else r"(?<![A-Za-z0-9.,])"
    return re.sub(edge + re.escape(right), lambda _: wrong, told, count=1), wrong
