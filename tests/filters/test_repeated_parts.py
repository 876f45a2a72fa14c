"""A part that many documents share stays in one of them and goes from the rest, whatever the order of the tables."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from filters.repeated_parts import find_shared, without_shared

NOTICE = "This text may be used under the terms of the village library."


def tables(order: list[int], size: int = 3) -> list[pa.Table]:
    rows = [
        {
            "id": f"d{index}",
            "text": f"Page {index} tells of {index * 7} stones in the wall.\n{NOTICE if index < 4 else 'It ends here, after one more line.' * (index % 2)}\nshort",
        }
        for index in order
    ]
    return [pa.Table.from_pylist(rows[start : start + size]) for start in range(0, len(rows), size)]


def left(order: list[int]) -> dict[str, str]:
    parts = tables(order)
    shared = find_shared(parts, "line")
    cleaned = [without_shared(part, shared)[0] for part in parts]
    return {row["id"]: row["text"] for part in cleaned for row in part.to_pylist()}


def test_a_shared_line_stays_once_and_short_ones_everywhere() -> None:
    found = left(list(range(6)))
    assert [name for name, text in found.items() if NOTICE in text] == ["d0"]
    assert all(text.endswith("short") for text in found.values())
    assert all(f"Page {name[1:]} tells" in text for name, text in found.items())


def test_any_order_and_any_cut_gives_the_same() -> None:
    order = list(range(6))
    random.Random(4).shuffle(order)
    assert left(order) == left(list(range(6)))


def test_two_documents_are_not_many_and_case_and_blanks_do_not_count() -> None:
    rows = [
        {"id": name, "text": text}
        for name, text in (("a", NOTICE), ("b", NOTICE.upper()), ("c", NOTICE.replace(" ", "  ")))
    ]
    two, three = pa.Table.from_pylist(rows[:2]), pa.Table.from_pylist(rows)
    assert len(find_shared([two], "line").hashes) == 0
    shared = find_shared([three], "line")
    assert without_shared(three, shared)[0]["text"].to_pylist() == [NOTICE, "", ""]
    assert without_shared(three, shared)[1].tolist() == [0, len(NOTICE), len(rows[2]["text"])]


def test_a_second_pass_finds_nothing() -> None:
    parts = tables(list(range(6)))
    shared = find_shared(parts, "line")
    again = [without_shared(part, shared)[0] for part in parts]
    assert len(find_shared(again, "line").hashes) == 0


@pytest.mark.parametrize("unit", ["line", "paragraph"])
def test_nothing_at_all_is_fine(unit: str) -> None:
    empty = pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())})
    assert without_shared(empty, find_shared([empty], unit))[0].num_rows == 0  # type: ignore[arg-type]
