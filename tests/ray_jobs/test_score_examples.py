from __future__ import annotations

import itertools

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_jobs.stages import score

ROWS = [
    {"id": f"{(37 * n) % 101:03d}", "text": f"text {n}", "origin": f"site-{n % 5}", "domain": ("docs", "news", "other")[n % 3]}
    for n in range(101)
]  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 101), max_size=6))
def test_the_classifier_learns_from_the_same_examples_however_the_text_is_cut(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(ROWS)]
    schema = pa.schema([(name, pa.string()) for name in score.COLUMNS])
    parts = [pa.Table.from_pylist(ROWS[start:end], schema=schema) for start, end in itertools.pairwise(ends)]
    before, score.EXAMPLES = score.EXAMPLES, 7
    try:
        found = score._examples(parts, [("docs",), ("news", "none")])
    finally:
        score.EXAMPLES = before
    for table, domain in zip(found, ("docs", "news"), strict=True):
        wanted = sorted((row for row in ROWS if row["domain"] == domain), key=lambda row: row["id"])[:7]
        assert table.to_pylist() == wanted
