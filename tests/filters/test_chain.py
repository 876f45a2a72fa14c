from __future__ import annotations

import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from corpus.document import REJECTIONS, Document, documents_table
from corpus.errors import RecipeError
from filters.chain import ALL, decide, rejected_only_by, score_table, verdict_table
from filters.config import FilterConfig

Prose = Callable[[int, int], str]
Documents = Callable[..., pa.Table]


def test_scores_keep_the_order_and_have_one_row_a_document(prose: Prose, documents: Documents) -> None:
    table = documents([prose(seed, 60) for seed in range(5)])
    scores = score_table(table)
    assert scores["id"].to_pylist() == table["id"].to_pylist()
    assert {name.split(".")[0] for name in scores.column_names} == {"id", "text", *ALL}
    assert scores["quality.teaches"].to_pylist() == [1.0] * 5


def test_scores_do_not_depend_on_the_batch(prose: Prose, documents: Documents) -> None:
    table = documents([prose(seed, 40 + 10 * seed) for seed in range(12)] + ["", "x", "line\n" * 50])
    alone = pa.concat_tables([score_table(table.slice(index, 1)) for index in range(table.num_rows)])
    assert score_table(table).equals(alone.combine_chunks()) or score_table(table).to_pylist() == alone.to_pylist()


def test_an_empty_table_gives_empty_scores_and_no_rejection(documents: Documents) -> None:
    table = documents([])
    scores = score_table(table)
    assert scores.num_rows == 0
    assert scores.schema == score_table(documents(["one"])).schema
    assert decide(table, scores, FilterConfig()).num_rows == 0


def test_decide_is_pure_and_reads_no_text(prose: Prose, documents: Documents) -> None:
    table = documents([prose(1, 100), "short", ""])
    scores = score_table(table)
    first = decide(table, scores, FilterConfig())
    assert first.schema == REJECTIONS
    assert first.equals(decide(table, scores, FilterConfig()))
    assert first.equals(decide(table.drop_columns(["text"]), scores, FilterConfig()))


def test_the_detail_holds_the_number_and_the_limit(documents: Documents) -> None:
    table = documents(["The cat and the dog."])
    (row,) = decide(table, score_table(table, scorers=("gopher",)), FilterConfig()).to_pylist()
    assert row == {
        "id": "d0",
        "stage": "filter",
        "reason": "too_short",
        "detail": "gopher.words=5 < 50",
        "source": "web",
    }


def test_sensitive_text_is_never_called_anything_else(documents: Documents) -> None:
    table = documents(["ghp_abcdefghijklmnopqrstuvwxyz0123456789"])
    (row,) = decide(table, score_table(table), FilterConfig()).to_pylist()
    assert (row["reason"], row["detail"]) == ("sensitive", "secret")
    (row,) = decide(table, score_table(table), FilterConfig(sensitive="report")).to_pylist()
    assert row["reason"] != "sensitive"


def test_low_quality_drops_prose_only(prose: Prose, documents: Documents) -> None:
    for source, expected in (("web", ["quality"]), ("synthetic", [])):
        table = documents([prose(1, 200)], source=source)
        scores = score_table(table)
        low = scores.set_column(
            scores.column_names.index("quality.teaches"), "quality.teaches", pa.array([0.1], pa.float32())
        )
        assert decide(table, low, FilterConfig()).column("reason").to_pylist() in (
            expected,
            ["language"],
            ["unsure_language"],
        )
        assert decide(table, low, FilterConfig(language_confidence=0, languages=())).num_rows <= 1
        without = low.drop_columns(["language.label", "language.confidence"])
        assert decide(table, without, FilterConfig()).column("reason").to_pylist() == expected


def test_a_lesson_that_is_one_code_fence_is_not_asked_for_its_language(documents: Documents) -> None:
    table = documents(["```python\nfor row in rows:\n    print(row)\n```", "1 2 3"], source="synthetic")
    rejected = decide(table, score_table(table, scorers=("language",)), FilterConfig())
    assert rejected["id"].to_pylist() == ["d1"]
    assert rejected["detail"].to_pylist() == ["language.label=und; kept: en"]


def test_scores_of_other_documents_are_refused(documents: Documents) -> None:
    scores = score_table(documents(["one", "two"]), scorers=("gopher",))
    with pytest.raises(RecipeError, match="same ids"):
        decide(documents(["two", "one"], ids=["d1", "d0"]), scores, FilterConfig())


def test_an_unknown_scorer_is_named(documents: Documents) -> None:
    with pytest.raises(RecipeError, match="goffer"):
        score_table(documents(["one"]), scorers=("goffer",))


def test_verdicts_stand_beside_their_scores(prose: Prose, documents: Documents) -> None:
    table = documents([prose(1, 200), "no"])
    verdicts = verdict_table(table, score_table(table, scorers=("gopher",)), FilterConfig())
    assert verdicts["verdict"].to_pylist() == ["kept", "rejected"]
    assert verdicts["reason"].to_pylist() == ["", "too_short"]


HOSTILE = {
    "nothing": "",
    "zero bytes": "\x00" * 1000,
    "one word": "a" * 1_000_000,
    "blank lines": "\n" * 100_000,
    "one line again and again": "the same line\n" * 50_000,
    "one word again and again": "spam " * 200_000,
    "line separators": "a\u2028b\u2029c\x0bd\x0ce\x85f" * 1000,
    "turned-around text": "\u202eabc\u202c" * 1000,
    "labels": "__label__teaches " * 5000,
    "combining marks": "e" + "\u0301" * 100_000,
    "private use": "\ue000\U0010ffff" * 10_000,
    "addresses": "a@" * 250_000,
    "dots": "." * 500_000,
    "fences": "```" * 100_000,
    "brackets": "{[(" * 100_000,
    "digits": "1" * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_scored_in_bounded_time_and_decided(name: str, documents: Documents) -> None:
    table = documents([HOSTILE[name], "A quiet text beside it."])
    start = time.process_time()
    rejected = decide(table, score_table(table), FilterConfig())
    assert time.process_time() - start < 20
    assert rejected["id"].to_pylist() == ["d0", "d1"]
    assert all(rejected["reason"].to_pylist())


def test_what_would_come_back_without_a_filter_is_what_no_other_rejects() -> None:
    from tests.end_to_end.conftest import page

    texts = [page(1), page(2) + " lorem ipsum dolor sit amet.", "Too short.", "lorem ipsum"]
    table = documents_table([Document(str(i), text, "web", "MIT", str(i)) for i, text in enumerate(texts)])
    config = FilterConfig(quality=0, language_confidence=0, languages=(), profiles={"web": "prose"})
    found = rejected_only_by(table, score_table(table), config)
    assert found["c4"].tolist() == [False, True, False, False]  # the last one is too short as well
    assert not any(mask[0] or mask[3] for mask in found.values())
