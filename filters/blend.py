"""The blend: so many tokens of each source, epochs capped and printed, the same every time for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from corpus.errors import RecipeError
from corpus.ids import digest
from filters.curriculum import Curriculum, Reading, place, read_in_order

EVENLY = Curriculum()


@dataclass(frozen=True)
class Share:
    """What one source gave."""

    source: str
    documents: int
    tokens: int
    taken: int  # tokens in the blend, repeats counted
    asked: int  # tokens that the weights asked for
    epochs: float


@dataclass(frozen=True)
class Blend:
    """`rows` are ids in reading order, repeats included; `unused` ids were not needed. `blocks` says how many of the rows
    belong to each block of the curriculum, in order."""

    rows: list[str]
    shares: list[Share]
    unused: int
    repeated: int
    blocks: tuple[int, ...] = ()


def held_out(identity: str, share: float, seed: int) -> bool:
    """Whether a document is kept away from training: by its id alone, so that it stays so in every arm."""
    return int(digest("held out", seed, identity)[:8], 16) < share * 0x1_0000_0000


def blend(
    tables: Mapping[str, pa.Table],
    weights: Mapping[str, float],
    budget: int,
    max_epochs: float,
    seed: int,
    curriculum: Curriculum = EVENLY,
) -> Blend:
    """Fill `budget` tokens from tables (`id`, `tokens`) by source. Without weights, by what there is.

    `curriculum` decides in which order they are read, and nothing else: the same texts, as often, in any order.

    What a source cannot give within `max_epochs` is asked of the others, in proportion, so the budget is met as long as
    anything is left. Raises `RecipeError` when weights are given and none is for a source that is there.
    """
    have = {name: int(sum(table["tokens"].to_pylist())) for name, table in sorted(tables.items())}
    parts = {name: float(weights.get(name, 0.0)) if weights else float(tokens) for name, tokens in have.items()}
    total = sum(parts.values())
    if weights and tables and total <= 0:
        raise RecipeError(
            f"blend.weights: none of {', '.join(weights)} has text", hint=f"Sources with text: {', '.join(have)}."
        )
    asked = {name: round(budget * part / total) if total else 0 for name, part in parts.items()}
    targets = _targets(parts, {name: int(tokens * max_epochs) for name, tokens in have.items()}, budget)
    readings: list[Reading] = []
    shares, unused, repeated = [], 0, 0
    for name, tokens in have.items():
        picked, taken = _fill(tables[name], targets[name], seed, name)
        distinct = len({reading.identity for reading in picked})
        unused += tables[name].num_rows - distinct
        repeated += len(picked) - distinct
        readings += picked
        epochs = round(taken / tokens, 3) if tokens else 0.0
        shares.append(Share(name, distinct, tokens, taken, asked[name], epochs))
    blocks = read_in_order(readings, curriculum, seed)
    rows = [reading.identity for block in blocks for reading in block]
    return Blend(rows, shares, unused, repeated, tuple(len(block) for block in blocks))


def _targets(parts: Mapping[str, float], caps: Mapping[str, int], budget: int) -> dict[str, int]:
    """Tokens of each source: by weight, none above its cap, the rest passed on to those that have room."""
    targets = dict.fromkeys(parts, 0)
    free = {name for name, part in parts.items() if part > 0}
    while free:
        left = budget - sum(targets[name] for name in parts if name not in free)
        weight = sum(parts[name] for name in free)
        full = {name for name in free if left * parts[name] / weight >= caps[name]}
        for name in full or free:
            targets[name] = caps[name] if full else round(left * parts[name] / weight)
        if not full:
            break
        free -= full
    return targets


def _fill(table: pa.Table, budget: int, seed: int, name: str) -> tuple[list[Reading], int]:
    """Whole passes in an order of their own until the budget is reached; the last text may pass it."""
    lengths = dict(zip(table["id"].to_pylist(), table["tokens"].to_pylist(), strict=True))
    picked: list[Reading] = []
    taken, turn = 0, 0
    while taken < budget and lengths:
        for _, identity in sorted((place("pass", seed, name, turn, identity), identity) for identity in lengths):
            if taken >= budget:
                break
            picked.append(Reading(name, identity, turn, max(1, lengths[identity])))
            taken += max(1, lengths[identity])
        turn += 1
    return picked, taken
