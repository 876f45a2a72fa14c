from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from filters.chain import decide, overlap, score_table
from filters.config import FilterConfig
from filters.overlap import Overlap, overlap_of, told


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=40), st.integers(0, 40))
def test_counts_are_those_of_a_count_by_hand_and_add_up_over_shards(rows: list[tuple[bool, ...]], cut: int) -> None:
    def counted(part: list[tuple[bool, ...]]) -> Overlap:
        flags = {name: np.array([row[place] for row in part], bool) for place, name in enumerate("abc")}
        first = ["abc"[row.index(True)] if any(row) else "" for row in part]
        return overlap_of(flags, first, len(part))

    found = counted(rows[:cut]) + counted(rows[cut:])
    assert (found.documents, found.removed) == (len(rows), sum(any(row) for row in rows))
    for place, name in enumerate("abc"):
        assert found.both[name, name] == sum(row[place] for row in rows)
        assert found.only[name] == sum(row[place] and sum(row) == 1 for row in rows)
        assert found.first[name] == sum(any(row) and row.index(True) == place for row in rows)
        for other, second in enumerate("abc"):
            assert found.both[name, second] == sum(row[place] and row[other] for row in rows)


def test_a_rule_that_comes_second_is_counted_though_no_verdict_names_it(
    prose: Callable[[int, int], str], documents: Callable[..., pa.Table]
) -> None:
    table = documents([prose(1, 200), "One. " * 10 + "lorem ipsum dolor", "# " * 40 + prose(2, 200)])
    scores = score_table(table, scorers=("gopher", "c4"))
    found = overlap(table, scores, FilterConfig())
    named = decide(table, scores, FilterConfig())["reason"].to_pylist()
    assert named == ["too_short", "many_hashes"]
    assert found.both["lorem_ipsum", "lorem_ipsum"] == 1
    assert (found.first["lorem_ipsum"], found.only["lorem_ipsum"]) == (0, 0)
    assert found.both["too_short", "lorem_ipsum"] == 1
    assert (found.only["many_hashes"], found.removed, found.documents) == (1, 2, 3)
    lines = told(found)
    assert lines[-1] == "together 2 of 3"
    assert "".join(line for line in lines if line.startswith("lorem_ipsum")).endswith("(1)")
