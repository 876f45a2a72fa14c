"""Soft labels: the compact form, the side table, spans over any script, and what an edit of the text does to them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.document import Document, documents_table
from corpus.errors import StateError
from corpus.label_join import NOT_KEPT, TEXT_CHANGED, LabelJoin
from corpus.label_writer import LabelWriter
from corpus.shards import read_partition
from corpus.soft_labels import Labelled, TokenLabels, joined, labels_from, labels_table, pack, text_hash, unpack
from corpus.spans import span_of
from corpus.store import open_store
from corpus.tokens import FileCounter, load_counter
from filters.sensitive import redact

ALPHABET = "abc de. ,!\n\nThe THE é ñ ß 你好世界，。一二三 😀👩‍👩‍👧🇨🇳 𝔘 Ω ½ — \t0129 "


def labels_of(ids: list[int], k: int, seed: int = 0, limit: int = 500) -> TokenLabels:
    draw = np.random.default_rng(seed)
    tops = np.sort(-10 * draw.random((len(ids), k)), axis=1)[:, ::-1].astype(np.float16)
    others = draw.integers(0, limit, (len(ids), k)).astype(np.int32)
    return TokenLabels(np.array(ids, np.int32), tops[:, 0].copy(), others, tops, 1000)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> FileCounter:
    """Byte-level and small, so that most characters beyond ASCII are several tokens, and tokens span punctuation."""
    from trainer.tokenizer import train_tokenizer

    texts = ["The cat sat.\n\nThe dog ran.  你好世界。😀😀 café"] * 30
    found = load_counter(str(train_tokenizer(texts, 320, tmp_path_factory.mktemp("spans"))))
    assert isinstance(found, FileCounter)
    return found


def same(one: TokenLabels, other: TokenLabels) -> bool:
    pairs = ((one.token_ids, other.token_ids), (one.logprobs, other.logprobs), (one.top_ids, other.top_ids))
    return all(np.array_equal(a, b) for a, b in (*pairs, (one.top_logprobs, other.top_logprobs)))


@pytest.mark.parametrize(("limit", "width"), [(1 << 16, 2), (151_936, 3)])
@pytest.mark.parametrize("k", [1, 5, 20])
def test_packed_labels_come_back_unchanged_at_four_or_five_bytes_an_entry(limit: int, width: int, k: int) -> None:
    ids = np.random.default_rng(1).integers(0, limit, 300).tolist()
    ids[0] = limit - 1
    labels = labels_of(ids, k, limit=limit)
    data = pack(labels)
    assert same(unpack(data), labels)
    assert unpack(data).wire_bytes == 1000
    assert len(data) <= 16 + 300 * (k + 1) * (width + 2)


def test_damaged_labels_are_refused() -> None:
    data = pack(labels_of([1, 2, 3], 4))
    for bad in (b"", data[:-1], data + b"x", b"\xff" + data[1:]):
        with pytest.raises(StateError):
            unpack(bad)
    with pytest.raises(StateError):
        pack(labels_of([1 << 24], 1))


def test_the_side_table_gives_back_every_value_and_no_labels_at_all_are_a_table_too(tmp_path: Path) -> None:
    rows = [
        Labelled(f"d{n}", text_hash(f"t{n}"), f"r{n}", n, labels_of(list(range(n)), 3, n), "m@main", "t@1")
        for n in (0, 1, 7, 40)
    ]
    back = list(labels_from(labels_table(rows)))
    assert [(row.id, row.text_hash, row.request_key, row.start) for row in back] == [
        (row.id, row.text_hash, row.request_key, row.start) for row in rows
    ]
    assert all(same(a.labels, b.labels) for a, b in zip(rows, back, strict=True))
    assert labels_table([]).num_rows == 0


def test_partitions_are_of_a_bounded_size_and_lose_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    writer = LabelWriter(store, limit=4000)
    for n in range(50):
        writer.add(Labelled(f"d{n}", text_hash(str(n)), "r", 0, labels_of([1] * 30, 5, n), "m", "t"))
    parts = writer.close()
    assert len(parts) > 3
    found = [row.id for part in parts for row in labels_from(read_partition(store, part))]
    assert found == [f"d{n}" for n in range(50)]
    assert writer.totals()["labelled_tokens"] == 1500


@pytest.mark.parametrize("seed", range(12))
def test_a_span_decodes_to_its_text_byte_for_byte_or_is_refused(counter: FileCounter, seed: int) -> None:
    draw, found = random.Random(seed), 0
    for _ in range(40):
        whole = "".join(draw.choices(ALPHABET, k=draw.randint(1, 60)))
        (ids,) = counter.encode([whole])
        ids.append(0)  # the end token
        start = draw.randrange(len(whole))
        text = whole[start : draw.randint(start + 1, len(whole))]
        span = span_of(ids, text, counter)
        if isinstance(span, str):
            assert span == "boundary"
            continue
        found += 1
        assert counter.decode(ids[span[0] : span[1]]).encode() == text.encode()
        assert span[1] < len(ids), "the end token is no part of the text"
    assert found >= 5


def test_a_span_is_found_wherever_tokens_end_at_its_edges(counter: FileCounter) -> None:
    """Cut between any two tokens that are whole characters: such a text must be found, not only be allowed to be."""
    whole = "Sure:\n\nThe cat sat. 你好 😀 café.\n\nThe dog"
    (ids,) = counter.encode([whole])
    for start in range(len(ids)):
        for end in range(start + 1, len(ids) + 1):
            text = counter.decode(ids[start:end])
            if "\ufffd" not in text and whole.count(text) == 1:
                assert not isinstance(span_of(ids, text, counter), str), text


def test_tokens_of_another_tokenizer_are_told_apart(counter: FileCounter) -> None:
    (ids,) = counter.encode(["a wholly different text"])
    assert span_of(ids, "The cat sat.", counter) == "tokenizer"


def test_parts_are_joined_at_the_least_k() -> None:
    both = joined([labels_of([1, 2], 5), labels_of([3], 4, 1)])
    assert both.token_ids.tolist() == [1, 2, 3]
    assert both.k == 4
    assert both.wire_bytes == 2000


def test_cleaned_and_redacted_texts_lose_their_labels_and_are_counted() -> None:
    texts = [f"Text {n} is long enough. Write to someone{n}@mailbox.org now." for n in range(6)]
    rows = [
        Labelled(f"d{n}", text_hash(text), "r", 0, labels_of([1, 2, 3], 2), "m", "t") for n, text in enumerate(texts)
    ]
    now = [texts[0], redact(texts[1])[0], texts[2].strip("."), texts[3] + "\n", texts[4]]
    assert now[1] != texts[1]
    documents = documents_table([Document(f"d{n}", text, "s", "MIT", "o") for n, text in enumerate(now)])
    join = LabelJoin([documents])
    held = pa.concat_tables(join.join([labels_table(rows[:3]), labels_table(rows[3:])]))
    assert held["id"].to_pylist() == ["d0", "d4"]
    assert join.dropped == {TEXT_CHANGED: 3, NOT_KEPT: 1}
    assert (join.labelled, join.tokens) == (2, 6)
