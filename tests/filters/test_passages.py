"""A run of words that stands earlier is found to the word, whatever is around it, and cut without a trace of it lost."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from corpus.local_store import LocalStore
from filters import passage_passes, passages, winnowing
from filters.dedup_passes import Held
from filters.passage_cuts import without_passages
from filters.passages import begin_passages, find_passages
from filters.winnowing import shape, window_hashes, winnowed
from filters.words import split_words

Found = list[set[int]]


def words_of(texts: list[str]) -> list[list[str]]:
    words = split_words(pl.Series(texts))
    said = words.vocabulary.take(pa.array(words.codes)).to_pylist()
    return [said[a:b] for a, b in zip(words.offsets[:-1], words.offsets[1:], strict=True)]


def by_definition(texts: list[str], least: int) -> Found:
    """Window after window, in a dict of the words themselves."""
    first: dict[tuple[str, ...], tuple[int, int]] = {}
    gone: Found = [set() for _ in texts]
    for number, words in enumerate(words_of(texts)):
        for start in range(len(words) - least + 1):
            text, place = first.setdefault(tuple(words[start : start + least]), (number, start))
            if text != number or start - place >= least:
                gone[number].update(range(start, start + least))
    return gone


def parts_of(texts: list[str], size: int) -> list[pa.Table]:
    table = pa.table({"id": [f"d{number}" for number in range(len(texts))], "text": texts})
    return [table.slice(start, size) for start in range(0, len(texts), size)]


def found(texts: list[str], least: int, size: int) -> Found:
    gone: Found = [set() for _ in texts]
    for run in find_passages(parts_of(texts, size), least).to_pylist():
        text = (run["text"] >> 32) * size + (run["text"] & 0xFFFFFFFF)
        gone[text].update(range(run["start"], run["start"] + run["words"]))
    return gone


def drawn(seed: int) -> tuple[list[str], int]:
    """Texts of few or many different words, with pieces of each other in them, some a little too short."""
    chance = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(chance.choice([1, 2, 3, 50, 1000]))]
    least, texts = chance.choice([8, 9, 12, 20, 50]), list[str]()
    for _ in range(chance.randint(1, 12)):
        words = chance.choices(vocabulary, k=chance.randint(0, 150))
        for source in chance.choices(texts, k=chance.randint(0, 3)) if texts else []:
            begin, size, place = (
                chance.randint(0, 150),
                chance.randint(least - 3, least + 20),
                chance.randint(0, len(words)),
            )
            words[place:place] = source.split()[begin : begin + size]
        texts.append(" ".join(words * chance.choice([1, 1, 2])))
    return texts, least


@pytest.mark.parametrize("seed", range(40))
def test_what_goes_is_what_the_definition_says_however_the_texts_are_cut_into_parts(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, least = drawn(seed)
    expected = by_definition(texts, least)
    monkeypatch.setattr(passage_passes, "IN_A_ROW", 1000)
    assert found(texts, least, 100) == found(texts, least, 3) == expected
    monkeypatch.setattr(passages, "HASHES_AT_ONCE", 50)
    monkeypatch.setattr(passages, "WORDS_AT_ONCE", 40)
    monkeypatch.setattr(passage_passes, "SIGN_BYTES", 300)
    monkeypatch.setattr(winnowing, "BLOCK", 30)
    assert found(texts, least, 2) == expected


def test_hashes_that_meet_by_chance_cut_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [" ".join(f"{name}{number}" for number in range(80)) for name in "abc"]
    monkeypatch.setattr(passage_passes, "window_hashes", lambda words, size: np.zeros(len(words) - size + 1, np.uint64))
    monkeypatch.setattr(passage_passes, "winnowed", lambda *_: (np.arange(30), np.zeros(30, np.uint64)))
    assert find_passages(parts_of(texts, 10), 20).num_rows == 0


def test_a_hash_of_a_window_depends_on_its_words_and_their_order_alone() -> None:
    words = np.random.default_rng(3).integers(0, 1 << 63, 600_000).astype(np.uint64)
    hashes = window_hashes(words, 30)
    assert np.array_equal(window_hashes(words[1000:1400], 30), hashes[1000:1371])
    assert len(np.unique(hashes)) == len(hashes)
    swapped = words[:30].copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    assert window_hashes(swapped, 30)[0] != hashes[0]


def test_equal_passages_give_an_equal_sample_and_few_windows_are_taken() -> None:
    chance = np.random.default_rng(4)
    words = chance.integers(0, 1 << 63, 20_000).astype(np.uint64)
    taken = set(winnowed(words, np.array([0, 20_000]), 50)[1].tolist())
    assert len(taken) < 0.1 * len(words)
    for start in chance.integers(0, 19_950, 300).tolist():
        around = np.r_[chance.integers(0, 9, 7).astype(np.uint64), words[start : start + 50], words[:3]]
        assert taken & set(winnowed(around, np.array([0, 60]), 50)[1].tolist())
    assert shape(50) == (26, 25)


def test_a_word_said_a_million_times_is_not_a_million_hashes() -> None:
    samples = passage_passes.sampled(passage_passes.Numbered(0, Held(pa.table({"text": ["la " * 400_000]}))), 50)
    assert samples.num_rows < 500
    runs = find_passages(parts_of(["la " * 200_000, "la " * 150_000], 1))
    assert runs.num_rows < 100
    assert sum(runs["words"].to_pylist()) < 2000


def test_of_what_is_said_many_times_in_a_row_the_beginning_the_end_and_what_is_around_still_count() -> None:
    tables = [
        " ".join([f"a{number}"] * 12 + [f"{number} " * 1000] + [f"b{number}x{place}" for place in range(12)])
        for number in range(80)
    ]
    gone = found([*tables, *(f"x {table} y" for table in tables)], 50, 200)[80:]
    assert all({*range(1, 13), *range(1013, 1025)} < words for words in gone)


def test_what_is_said_a_few_times_in_a_row_counts_in_full() -> None:
    few = " ".join(f"word{number}" for number in range(30)) + " "
    runs = find_passages(parts_of([few * 40, few * 30], 1))
    assert runs["words"].to_pylist() == [40 * 30 - 60, 30 * 30]


SHARED = " ".join(f"stone{number}" for number in range(60))


def cut(texts: list[str], least: int = 50) -> tuple[list[str], list[dict]]:
    parts = parts_of(texts, 100)
    names = {number: f"d{number}" for number in range(len(texts))}
    left, record = without_passages(parts[0], find_passages(parts, least), 0, names)
    return left["text"].to_pylist(), record.to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Before it. {SHARED}. Behind it.", "Before it. Behind it."),
        (f"Before it.\n\n“{SHARED}!”\n\nBehind it.", "Before it.\n\nBehind it."),
        (f"Before it.\n\n{SHARED}, and more.", "Before it.\n\nand more."),
        (f"Before it: {SHARED}.\nBehind it.", "Before it:\nBehind it."),
        (f"{SHARED}.\n\nBehind it.", "Behind it."),
        (f"Before it.\n{SHARED}.\n", "Before it.\n"),
        (f"f({SHARED.upper()}) = 1", "f = 1"),
        (f"İİİ ẞ K\n{SHARED}\nΣΑΣ", "İİİ ẞ K\nΣΑΣ"),
        (f"之前。{SHARED}。之后。", "之前。之后。"),
    ],
)
def test_a_cut_takes_its_marks_and_one_gap_and_leaves_the_lines_of_the_rest(text: str, expected: str) -> None:
    left, record = cut([SHARED, text])
    assert left == [SHARED, expected]
    (row,) = record
    assert text[row["start"] : row["end"]] == row["text"]
    assert (row["id"], row["kept_id"], row["words"]) == ("d1", "d0", 60)


def test_a_text_with_no_word_left_goes_and_the_record_has_all_of_it() -> None:
    left, record = cut([f"{SHARED}. The end.", f"…{SHARED} …\n", "other"])
    assert left == [f"{SHARED}. The end.", "other"]
    assert [row["text"] for row in record] == [f"…{SHARED} …\n"]


@pytest.mark.parametrize("seed", range(10))
def test_the_texts_before_are_the_texts_after_and_the_record(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, least = drawn(seed)
    monkeypatch.setattr(passage_passes, "IN_A_ROW", 1000)
    texts = [text.replace(" w1", ".\n(w1").replace(" w2 ", "Ⱥ。\u0301w2\t") for text in texts]
    left, record = cut(texts, least)
    after = iter(left)
    for number, text in enumerate(texts):
        cuts = [row for row in record if row["id"] == f"d{number}"]
        whole = len(cuts) == 1 and cuts[0]["end"] - cuts[0]["start"] == len(text)
        rest = "" if whole else next(after)
        for row in cuts:
            rest = rest[: row["start"]] + row["text"] + rest[row["start"] :]
        assert rest == text
        assert sum(row["words"] for row in cuts) == len(by_definition(texts, least)[number])


def test_chinese_is_counted_in_characters() -> None:
    passage = "把大象放进冰箱需要三步首先打开冰箱门然后把大象放进去最后关上冰箱门这件事情听起来很容易做起来却很难因为大象太大了"
    left, record = cut([f"从前有人说：{passage}。", f"后来我们又读到，{passage}，真是好笑。"])
    assert left[1] == "后来我们又读到，真是好笑。"
    assert record[0]["words"] == len(passage)


def test_a_killed_search_goes_on_and_other_settings_begin_anew(tmp_path) -> None:  # type: ignore[no-untyped-def]
    texts, least = drawn(7)
    work = LocalStore(tmp_path)
    begin_passages(work, least, "these")
    whole = find_passages(parts_of(texts, 2), least, work=work)
    for kind in ("verified", "said", "copies"):
        for name in list(work.names(f"{kind}/")):
            work.delete(name)
    begin_passages(work, least, "these")
    samples = set(work.names("samples/"))
    assert samples
    assert find_passages(parts_of(texts, 2), least, work=work).equals(whole)
    assert set(work.names("samples/")) == samples
    begin_passages(work, least + 1, "these")
    assert not work.names("samples/")
