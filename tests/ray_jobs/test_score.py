from __future__ import annotations

import pytest

from ray_jobs.stages.score import home_of


@pytest.mark.parametrize(
    ("origin", "home"),
    [
        ("https://a.example/one?x=1#2", "a.example"),
        ("python==3.11.7/xml/sax/__init__.py#doc#0", "python==3.11.7"),
        ("crawl/part-3.jsonl#17", "crawl/part-3.jsonl"),
        ("notes.txt", "notes.txt"),
    ],
)
def test_texts_of_one_site_package_or_file_are_held_out_together(origin: str, home: str) -> None:
    assert home_of(origin) == home
