from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pyarrow as pa
import pytest

from corpus.errors import RecipeError
from filters.blend import blend, held_out


def source(name: str, documents: int, tokens: int = 10) -> pa.Table:
    return pa.table(
        {"id": [f"{name}{n}" for n in range(documents)], "tokens": pa.array([tokens] * documents, pa.int32())}
    )


TABLES = {"web": source("web", 100), "books": source("books", 10)}


def test_weights_and_budget_are_met() -> None:
    mix = blend(TABLES, {"web": 3, "books": 1}, 400, 4, seed=1)
    assert {share.source: (share.asked, share.taken) for share in mix.shares} == {
        "books": (100, 100),
        "web": (300, 300),
    }
    assert len(mix.rows) == 40


def test_without_weights_sources_keep_their_proportions() -> None:
    mix = blend(TABLES, {}, 550, 4, seed=1)
    assert {share.source: share.taken for share in mix.shares} == {"books": 50, "web": 500}


def test_epochs_are_capped_and_the_others_fill_the_budget() -> None:
    mix = blend(TABLES, {"web": 1, "books": 1}, 1000, 2, seed=1)
    shares = {share.source: share for share in mix.shares}
    assert (shares["books"].asked, shares["books"].taken, shares["books"].epochs) == (500, 200, 2.0)
    assert shares["web"].taken == 800
    assert max(Counter(mix.rows).values()) == 2


def test_a_budget_beyond_all_caps_takes_all_there_is() -> None:
    mix = blend(TABLES, {"web": 1, "books": 5}, 10**6, 3, seed=1)
    assert set(Counter(mix.rows).values()) == {3}
    assert sum(share.taken for share in mix.shares) == 3 * 1100


@pytest.mark.parametrize("budget", [1, 95, 1000, 2500])
def test_nothing_gets_lost(budget: int) -> None:
    mix = blend(TABLES, {"web": 2, "books": 3}, budget, 4, seed=3)
    assert 110 + mix.repeated == len(mix.rows) + mix.unused
    assert sum(share.documents for share in mix.shares) == len(set(mix.rows))
    assert sum(share.taken for share in mix.shares) == 10 * len(mix.rows)


def test_every_text_is_read_once_before_one_is_read_twice() -> None:
    counts = Counter(blend({"books": TABLES["books"]}, {}, 150, 4, seed=1).rows)
    assert set(counts) == {f"books{n}" for n in range(10)}
    assert sorted(counts.values()) == [1] * 5 + [2] * 5


def test_the_same_seed_gives_the_same_mix_whatever_the_order_of_rows() -> None:
    turned = {name: table.take(pa.array(range(table.num_rows - 1, -1, -1))) for name, table in reversed(TABLES.items())}
    assert blend(TABLES, {}, 600, 4, seed=5) == blend(turned, {}, 600, 4, seed=5)
    assert blend(TABLES, {}, 600, 4, seed=5).rows != blend(TABLES, {}, 600, 4, seed=6).rows


def test_sources_are_interleaved() -> None:
    rows = blend(TABLES, {"web": 1, "books": 1}, 200, 4, seed=2).rows
    changes = sum(a[0] != b[0] for a, b in pairwise(rows))
    assert changes > 3


def test_weights_without_any_text_are_refused() -> None:
    with pytest.raises(RecipeError, match="bookz"):
        blend(TABLES, {"bookz": 1}, 100, 4, seed=1)


def test_empty_sources_are_reported_empty() -> None:
    mix = blend({"web": source("web", 0)}, {}, 100, 4, seed=1)
    assert (mix.rows, mix.unused, mix.shares[0].epochs) == ([], 0, 0.0)


def test_held_out_is_a_share_by_id_alone() -> None:
    chosen = {n for n in range(5000) if held_out(f"id{n}", 0.1, 7)}
    assert 400 < len(chosen) < 600
    assert chosen == {n for n in range(5000) if held_out(f"id{n}", 0.1, 7)}
    assert chosen < {n for n in range(5000) if held_out(f"id{n}", 0.3, 7)}
    assert chosen != {n for n in range(5000) if held_out(f"id{n}", 0.1, 8)}
