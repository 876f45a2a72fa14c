"""From the labels of replies to those of documents: the tokens whose text the document is, byte for byte, or a reason.

Replies lie in the journal with their labels, and only one pass over it reads them: what is held at a time is the labels
of documents that were put together from several replies and are not complete yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.document import Document
from corpus.soft_labels import Labelled, TokenLabels, joined, text_hash, unpack
from corpus.spans import Decoder, span_of
from generator.reply import Reply, labels_in

COMPOSED = "composed"  # the text stands in no reply, nor in any that follow each other: JSON, or pieces of several
NO_LABELS = "no_labels"  # the reply carries fewer than were asked for


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A document without soft labels, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """A document's labels, and what the replies around them took as JSON, for how many tokens."""

    row: Labelled
    wire_bytes: int
    tokens: int


def label_documents(
    records: Iterable[Mapping[str, Any]], documents: Sequence[Document], replies: Mapping[str, Reply],
    decoder: Decoder, tokenizer: str, k: int,
) -> Iterator[Source | Unlabelled]:  # fmt: skip
    """One result for every document, in the order in which the journal completes them.

    `records` are the journal's, `replies` what became the documents, by request key; `k` entries a token are kept.
    """
    wanted, waiting = _wanted(documents, replies)
    for document in documents:
        if document.id not in waiting:
            yield Unlabelled(document.id, COMPOSED)
    held: dict[str, TokenLabels] = {}
    for record in records:
        key = str(record.get("request_key"))
        if key not in wanted or key in held or not (data := _labels(record, replies[key], k)):
            continue
        held[key] = unpack(data)
        for document in list(wanted[key]):
            keys = waiting[document.id]
            if all(name in held for name in keys):
                yield _labelled(document, keys, [held[name] for name in keys], decoder, tokenizer, k)
                _release(document, keys, wanted, held)
                del waiting[document.id]
    yield from (Unlabelled(name, NO_LABELS) for name in waiting)


def replies_of(document: Document, replies: Mapping[str, Reply]) -> tuple[str, ...]:
    """Request keys of the replies whose texts, one after the other, hold the document's; empty when none do."""
    if document.lineage is None:
        return ()
    chain, text = [*document.lineage.parents, document.lineage.request_key], ""
    for first in range(len(chain) - 1, -1, -1):
        if chain[first] not in replies:
            return ()
        text = replies[chain[first]].text + text
        if document.text in text:
            return tuple(chain[first:])
    return ()


def _wanted(
    documents: Sequence[Document], replies: Mapping[str, Reply]
) -> tuple[dict[str, list[Document]], dict[str, tuple[str, ...]]]:
    """Documents by each reply that they need, and the replies of each document that has some."""
    wanted: dict[str, list[Document]] = {}
    waiting: dict[str, tuple[str, ...]] = {}
    for document in documents:
        if keys := replies_of(document, replies):
            waiting[document.id] = keys
            for key in keys:
                wanted.setdefault(key, []).append(document)
    return wanted, waiting


def _labels(record: Mapping[str, Any], reply: Reply, k: int) -> bytes | None:
    """The labels of a record, if it is the reply that was used: one key may have been answered more than once."""
    if record.get("text") != reply.text or record.get("top_logprobs", 0) < k:
        return None
    return labels_in(record)


def _labelled(
    document: Document, keys: Sequence[str], parts: Sequence[TokenLabels], decoder: Decoder, tokenizer: str, k: int
) -> Source | Unlabelled:
    whole = joined(parts)
    span = span_of(whole.token_ids.tolist(), document.text, decoder)
    if isinstance(span, str):
        return Unlabelled(document.id, span)
    assert document.lineage is not None  # or it would have no replies
    part = whole.part(*span)
    kept = TokenLabels(part.token_ids, part.logprobs, part.top_ids[:, :k], part.top_logprobs[:, :k])
    row = Labelled(
        document.id, text_hash(document.text), keys[-1], span[0], kept, document.lineage.teacher, tokenizer
    )  # fmt: skip
    return Source(row, whole.wire_bytes, len(whole))


def _release(
    document: Document, keys: Sequence[str], wanted: dict[str, list[Document]], held: dict[str, TokenLabels]
) -> None:
    """Forget what no other document waits for."""
    for key in keys:
        wanted[key].remove(document)
        if not wanted[key]:
            del wanted[key], held[key]
