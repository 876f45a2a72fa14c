"""In which order a blend is read: mixed evenly, part after part, stage by stage, or one part around the others.

An order moves readings and changes none: every curriculum over a blend reads the same texts, each as often. So arms with
different orders differ in nothing else. Where one part follows another, a share of every later block can be kept for what
came before (replay: 1 to 5 % stop most forgetting); it is taken from the earlier parts' own readings, spread over the rest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import xxhash

from corpus.errors import RecipeError

Order = Literal["shuffled", "blocked", "staged", "sandwiched"]


@dataclass(frozen=True, slots=True)
class Curriculum:
    """`sequence` names parts from first to last; parts that it does not name follow in the order of their names."""

    order: Order = "shuffled"
    sequence: tuple[str, ...] = ()
    replay: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One text, read for the `turn`-th time (from 0)."""

    part: str
    identity: str
    turn: int
    tokens: int


def read_in_order(readings: Sequence[Reading], curriculum: Curriculum, seed: int) -> list[list[Reading]]:
    """Blocks in order, each mixed evenly within itself.

    - `shuffled`: one block of everything.
    - `blocked`: a block for each part.
    - `staged`: as many stages as parts; each part enters at its stage and stays, spread evenly from there to the end.
    - `sandwiched`: the first part's readings in two halves around a block of all others.

    Raises `RecipeError` where the sequence names a part twice, or one that the blend has not.
    """
    parts = _parts(readings, curriculum)
    if curriculum.order == "shuffled" or len(parts) < 2:
        return [_mixed(readings, seed)] if readings else []
    if curriculum.order == "blocked":
        blocks = [parts[name] for name in parts]
    elif curriculum.order == "staged":
        blocks = _staged(list(parts.values()), seed)
    else:
        first, *others = parts.values()
        early, late = _spread(first, 2, seed)
        blocks = [early, [one for other in others for one in other], late]
    return [_mixed(block, seed) for block in _replayed(blocks, curriculum.replay, seed) if block]


def place(purpose: str, seed: int, part: str, turn: int, identity: str) -> int:
    """A number to sort by: stable across machines, unrelated between purposes, parts and passes."""
    return xxhash.xxh3_64_intdigest(f"{purpose}\0{seed}\0{part}\0{turn}\0{identity}".encode())


def _parts(readings: Sequence[Reading], curriculum: Curriculum) -> Mapping[str, list[Reading]]:
    there: dict[str, list[Reading]] = {}
    for reading in readings:
        there.setdefault(reading.part, []).append(reading)
    named = curriculum.sequence
    if len(set(named)) < len(named):
        raise RecipeError("blend.sequence names a part twice", hint="each part once, from first to last")
    if there and (unknown := [name for name in named if name not in there]):
        raise RecipeError(
            f"blend.sequence: {unknown[0]} is no part of this blend", hint=f"its parts: {', '.join(sorted(there))}"
        )
    return {name: there[name] for name in (*named, *sorted(set(there) - set(named))) if name in there}


def _mixed(readings: Sequence[Reading], seed: int) -> list[Reading]:
    return sorted(readings, key=lambda one: (place("order", seed, one.part, one.turn, one.identity), one.identity))


def _spread(readings: Sequence[Reading], pieces: int, seed: int) -> list[list[Reading]]:
    """The readings in `pieces` pieces of nearly the same tokens, drawn by content; earlier passes come earlier."""
    ordered = sorted(readings, key=lambda one: (one.turn, place("spread", seed, one.part, one.turn, one.identity)))
    before = [0, *accumulate(one.tokens for one in ordered)]
    ends = [before[-1] * (piece + 1) / pieces for piece in range(pieces)]
    found: list[list[Reading]] = [[] for _ in range(pieces)]
    for one, start in zip(ordered, before, strict=False):
        found[min(pieces - 1, bisect_right(ends, start))].append(one)
    return found


def _staged(parts: Sequence[list[Reading]], seed: int) -> list[list[Reading]]:
    stages: list[list[Reading]] = [[] for _ in parts]
    for enters, part in enumerate(parts):
        for later, piece in enumerate(_spread(part, len(parts) - enters, seed)):
            stages[enters + later] += piece
    return stages


def _replayed(blocks: Sequence[list[Reading]], share: float, seed: int) -> list[list[Reading]]:
    """Blocks of which each but the first holds `share` of readings from earlier ones, as far as those reach: at most half
    of an earlier block moves."""
    if not share:
        return list(blocks)
    moves: dict[Reading, int] = {}  # to which block
    room = [sum(one.tokens for one in block) / 2 for block in blocks]
    for later in range(1, len(blocks)):
        wanted = share / (1 - share) * 2 * room[later]
        earlier = [(place(f"replay {later}", seed, one.part, one.turn, one.identity), block, one)
                   for block in range(later) for one in blocks[block] if one not in moves]  # fmt: skip
        for _, block, one in sorted(earlier, key=lambda item: (item[0], item[2].identity)):
            if wanted < one.tokens / 2:
                break
            if room[block] >= one.tokens:
                moves[one] = later
                room[block] -= one.tokens
                wanted -= one.tokens
    stay = [[one for one in block if one not in moves] for block in blocks]
    return [[*block, *(one for one, to in moves.items() if to == number)] for number, block in enumerate(stay)]
