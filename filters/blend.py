"""The blend: so many tokens of each source, epochs capped and printed, the same every time for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from corpus.ids import digest


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
    """`rows` are ids in reading order, repeats included; `unused` ids were not needed."""

    rows: list[str]
    shares: list[Share]
    unused: int
    repeated: int


def held_out(identity: str, share: float, seed: int) -> bool:
    """Whether a document is kept away from training: by its id alone, so that it stays so in every arm."""
    return int(digest("held out", seed, identity)[:8], 16) < share * 0x1_0000_0000


def blend(
    tables: Mapping[str, pa.Table], weights: Mapping[str, float], budget: int, max_epochs: float, seed: int
) -> Blend:
    """Fill `budget` tokens from tables (`id`, `tokens`) by source. Without weights, by what there is."""
    have = {name: int(sum(table["tokens"].to_pylist())) for name, table in tables.items()}
    parts = {name: weights.get(name, 0.0) if weights else float(tokens) for name, tokens in have.items()}
    total = sum(parts.values()) or 1.0
    chosen: list[tuple[str, str]] = []
    shares, unused, repeated = [], 0, 0
    for name, table in sorted(tables.items()):
        asked = round(budget * parts[name] / total)
        picked, taken = _fill(table, min(asked, int(have[name] * max_epochs)), seed, name)
        distinct = len({identity for identity, _ in picked})
        unused += table.num_rows - distinct
        repeated += len(picked) - distinct
        chosen += [(digest("order", seed, identity, turn), identity) for identity, turn in picked]
        epochs = taken / have[name] if have[name] else 0.0
        shares.append(Share(name, distinct, have[name], taken, asked, round(epochs, 3)))
    return Blend([identity for _, identity in sorted(chosen)], shares, unused, repeated)


def _fill(table: pa.Table, budget: int, seed: int, name: str) -> tuple[list[tuple[str, int]], int]:
    """Whole passes in an order of their own until the budget is reached; the last text may pass it."""
    lengths = dict(zip(table["id"].to_pylist(), table["tokens"].to_pylist(), strict=True))
    picked: list[tuple[str, int]] = []
    taken, turn = 0, 0
    while taken < budget and lengths:
        for identity in sorted(lengths, key=lambda item: digest("pass", seed, name, turn, item)):
            if taken >= budget:
                break
            picked.append((identity, turn))
            taken += max(1, lengths[identity])
        turn += 1
    return picked, taken
