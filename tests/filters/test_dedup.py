"""Near duplicates against the exact similarity of every pair, and against another implementation."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.local_store import Forgetful, LocalStore
from filters.components import components, pairs_of
from filters.config import DuplicatesConfig
from filters.dedup import DUPLICATES, find_duplicates
from filters.minhash import jaccard, s_curve, shingle_sets, sign
from filters.near_index import NearIndex
from tests.crash.disks import CountingDisk

CONFIG = DuplicatesConfig()


def words(seed: int, size: int = 150) -> list[str]:
    chance = random.Random(seed)
    return [f"w{chance.randrange(5000)}" for _ in range(size)]


def changed(text: list[str], count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    copy = list(text)
    for place in chance.sample(range(len(copy)), count):
        copy[place] = f"x{chance.randrange(10**6)}"
    return copy


def table(rows: dict[str, str]) -> pa.Table:
    return pa.table({"id": pa.array(list(rows), pa.string()), "text": pa.array(list(rows.values()), pa.large_string())})


def planted(pairs: int) -> dict[str, str]:
    """Pairs whose similarity is anywhere from .3 to 1."""
    rows = {}
    for number in range(pairs):
        text = words(number)
        rows[f"{number:04}a"] = " ".join(text)
        rows[f"{number:04}b"] = " ".join(changed(text, number % 12, number))
    return rows


@pytest.fixture(scope="module")
def corpus() -> dict[str, str]:
    return planted(600)


def similarity(rows: dict[str, str], a: str, b: str) -> float:
    """Jaccard similarity over tuples of five words: the oracle, without a hash."""
    first, second = (
        {tuple(rows[name].split()[i : i + 5]) for i in range(len(rows[name].split()) - 4)} for name in (a, b)
    )
    return len(first & second) / len(first | second)


def test_recall_and_precision_on_planted_pairs(corpus: dict[str, str]) -> None:
    found = {row["id"]: row for row in find_duplicates([table(corpus)], CONFIG).to_pylist()}
    truth = {f"{n:04}b": similarity(corpus, f"{n:04}a", f"{n:04}b") for n in range(600)}
    alike = {name for name, value in truth.items() if value >= CONFIG.threshold}
    close = {name for name, value in truth.items() if value >= 0.9}
    assert len(alike) >= 150
    assert len(close) >= 100
    assert len(close & set(found)) / len(close) >= 0.99
    assert len(alike & set(found)) / len(alike) >= 0.96
    assert set(found) <= alike
    for name, row in found.items():
        assert row["kept_id"] == name.replace("b", "a")
        assert row["jaccard"] == pytest.approx(truth[name], abs=1e-6)
        assert row["kind"] == ("exact" if corpus[name] == corpus[row["kept_id"]] else "near")


def test_shingle_sets_give_the_exact_similarity(corpus: dict[str, str]) -> None:
    names = list(corpus)[:60]
    sets = dict(zip(names, shingle_sets(pl.Series([corpus[name] for name in names]), CONFIG), strict=True))
    for a, b in zip(names[::2], names[1::2], strict=True):
        assert jaccard(sets[a], sets[b]) == pytest.approx(similarity(corpus, a, b))


def test_shared_bands_are_as_frequent_as_those_of_another_minhash(corpus: dict[str, str]) -> None:
    """datasketch over the same shingles and bands: a systematic loss, as sampling sketches have, would show."""
    names = [name for n in range(300) if n % 12 in (2, 3, 4, 5) for name in (f"{n:04}a", f"{n:04}b")]
    series = pl.Series([corpus[name] for name in names])
    bands = sign(series, CONFIG).bands
    digests = []
    for grams in shingle_sets(series, CONFIG):
        other = MinHash(num_perm=112, seed=7)
        other.update_batch([int(gram).to_bytes(8, "little") for gram in grams])
        digests.append(other.hashvalues.reshape(14, 8))
    ours = sum((bands[i] == bands[i + 1]).any() for i in range(0, len(names), 2))
    theirs = sum((digests[i] == digests[i + 1]).all(axis=1).any() for i in range(0, len(names), 2))
    assert abs(int(ours) - int(theirs)) <= 0.12 * len(names) / 2


def test_result_depends_on_neither_order_nor_partitions(corpus: dict[str, str]) -> None:
    names = [*list(corpus)[:300], "copy1", "copy2"]
    rows = {**corpus, "copy1": corpus["0000a"], "copy2": corpus["0005b"].upper() + "  \n"}

    def part(names: list[str]) -> pa.Table:
        priority = pa.array([float(int(name[:4], 36) % 3) for name in names], pa.float64())
        return table({name: rows[name] for name in names}).append_column("priority", priority)

    def backwards(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [work(item) for item in list(items)[::-1]][::-1]

    expected = find_duplicates([part(names)], CONFIG)
    assert expected.num_rows > 30
    assert expected.schema == DUPLICATES
    for seed, size in ((1, 7), (2, 50), (3, 1000)):
        random.Random(seed).shuffle(names)
        parts = [part(names[i : i + size]) for i in range(0, len(names), size)]
        parts.insert(1, part([]))
        assert find_duplicates(parts, CONFIG, backwards).equals(expected)


def test_a_death_at_any_write_costs_no_result(
    corpus: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small loads, so that every pass has several pieces; then it dies after the n-th operation of the disk and goes on."""
    monkeypatch.setattr("filters.candidates.PAIRS_AT_ONCE", 10)
    monkeypatch.setattr("filters.candidates.KEYS_AT_ONCE", 64)
    names = [name for name in corpus if int(name[:4]) < 60]
    parts = [table({name: corpus[name] for name in names[start : start + 30]}) for start in range(0, len(names), 30)]
    expected = find_duplicates(parts, CONFIG)
    assert expected.num_rows > 10
    count = CountingDisk()
    assert find_duplicates(parts, CONFIG, work=LocalStore(tmp_path / "count", count)).equals(expected)
    assert {name.partition("/")[0] for name in LocalStore(tmp_path / "count").names()} == {
        "signed", "buckets", "shingles", "verified",
    }  # fmt: skip
    for number, at in enumerate(range(1, count.done, count.done // 15)):
        folder = tmp_path / str(number)
        with pytest.raises(KeyboardInterrupt):
            find_duplicates(parts, CONFIG, work=LocalStore(folder, CountingDisk(at, die=True)))
        assert find_duplicates(parts, CONFIG, work=LocalStore(folder, Forgetful())).equals(expected)


def test_a_second_pass_removes_nothing(corpus: dict[str, str]) -> None:
    whole = table(corpus)
    gone = find_duplicates([whole], CONFIG)["id"].combine_chunks()
    rest = whole.filter(pc.invert(pc.is_in(whole["id"], value_set=gone)))
    assert find_duplicates([rest], CONFIG).num_rows == 0


def test_the_better_text_stays_and_ties_go_to_the_smaller_id() -> None:
    rows = {name: " ".join(words(1)) for name in ("c", "a", "b")}
    tied = find_duplicates([table(rows)], CONFIG)
    assert set(tied["kept_id"].to_pylist()) == {"a"}
    best = find_duplicates([table(rows).append_column("priority", pa.array([1.0, 0.0, 0.0]))], CONFIG)
    assert set(best["kept_id"].to_pylist()) == {"c"}


def test_a_chain_does_not_remove_what_resembles_nothing_that_stays() -> None:
    """a ~ b ~ c, but a and c are unlike: b goes for a, and c, unlike a, stays."""
    middle = words(5)
    front = [f"p{n}" for n in range(12)] + middle[12:]
    back = middle[:-12] + [f"q{n}" for n in range(12)]
    rows = {"a": " ".join(front), "b": " ".join(middle), "c": " ".join(back)}
    assert similarity(rows, "a", "b") > 0.8 > similarity(rows, "a", "c")
    assert find_duplicates([table(rows)], CONFIG).column("id").to_pylist() == ["b"]


def test_copies_of_a_text_that_goes_point_to_the_text_that_stays() -> None:
    text = words(9)
    rows = {"a": " ".join(text), "b": " ".join(changed(text, 1, 1)), "c": " ".join(changed(text, 1, 1)).upper()}
    found = {row["id"]: row for row in find_duplicates([table(rows)], CONFIG).to_pylist()}
    assert {name: (row["kept_id"], row["kind"]) for name, row in found.items()} == {
        "b": ("a", "near"),
        "c": ("a", "exact"),
    }
    assert found["b"]["jaccard"] == found["c"]["jaccard"] == pytest.approx(similarity(rows, "a", "b"))


def test_short_and_empty_texts_are_only_compared_exactly() -> None:
    rows = {
        "a": "one two three four",
        "b": "One  two three\nfour",
        "c": "one two three five",
        "d": "",
        "e": "",
        "f": "+ -",
        "g": "- +",
    }
    found = {row["id"]: row["kept_id"] for row in find_duplicates([table(rows)], CONFIG).to_pylist()}
    assert found == {"b": "a", "e": "d"}


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("one two", " One\u3000\n two\t", True),
        ("a, b", "a , b", False),
        ("a, b c", "a b, c", False),
        ("ab", "a b", False),
        ("中文", "中 文", False),
    ],
)
def test_an_exact_copy_may_differ_in_case_and_in_the_kind_of_white_space_only(
    text: str, other: str, same: bool
) -> None:
    first, second = sign(pl.Series([text, other]), CONFIG).exact
    assert (first == second) is same


def test_a_bucket_with_thousands_of_members_costs_linear_work() -> None:
    pairs = pairs_of(np.full(5000, 7, np.uint64), np.arange(5000), 24)
    assert len(pairs) < 2 * 5000
    assert set(components(pairs, 5000).tolist()) == {0}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_components_are_those_of_a_walk_over_the_pairs(pairs: list[tuple[int, int]]) -> None:
    expected = list(range(30))
    for _ in range(30):
        for a, b in pairs:
            expected[a] = expected[b] = min(expected[a], expected[b])
    assert components(np.array(pairs, np.int64).reshape(-1, 2), 30).tolist() == expected


def test_the_components_of_a_long_chain_take_few_rounds() -> None:
    mixed = np.random.default_rng(1).permutation(200_000)
    begun = time.process_time()
    assert set(components(np.stack([mixed[:-1], mixed[1:]], axis=1), 200_000).tolist()) == {0}
    assert time.process_time() - begun < 5


def test_a_licence_with_many_near_copies_leaves_one() -> None:
    licence = words(77, 400)
    rows = {f"{n:03}": " ".join([f"owner{n}", f"year{n}", *licence]) for n in range(200)}
    found = find_duplicates([table(rows)], CONFIG)
    assert found.num_rows == 199
    assert set(found["kept_id"].to_pylist()) == {"000"}


def test_no_tables_and_empty_tables_give_no_duplicates() -> None:
    assert find_duplicates([], CONFIG).schema == DUPLICATES
    assert find_duplicates([table({})], CONFIG).num_rows == 0


def test_the_curve_is_that_of_fourteen_bands_of_eight() -> None:
    curve = dict(s_curve(CONFIG))
    assert curve[0.0] == 0
    assert curve[1.0] == 1
    assert curve[0.8] == pytest.approx(0.924, abs=5e-4)  # datatrove's figure for 14 × 8


def test_an_index_finds_while_texts_arrive_what_the_batch_finds_at_the_end(corpus: dict[str, str]) -> None:
    index, names = NearIndex(CONFIG), list(corpus)[:400]
    found: dict[str, str] = {}
    for start in range(0, len(names), 37):
        part = names[start : start + 37]
        answers = index.add_or_find(part, [corpus[name] for name in part])
        found |= {name: answer for name, answer in zip(part, answers, strict=True) if answer}
    batch = find_duplicates([table({name: corpus[name] for name in names})], CONFIG)
    assert found == dict(zip(batch["id"].to_pylist(), batch["kept_id"].to_pylist(), strict=True))
    assert len(index) == len(names) - len(found)
    assert index.add_or_find(["x", "y", "z"], ["tiny text", "Tiny  text", "tiny test"]) == [None, "x", None]
