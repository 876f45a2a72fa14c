"""A fixed number of documents from a stream of unknown length, the same for the same seed on every machine."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

from corpus.document import Document, Rejection
from corpus.ids import digest

HELD_LIMIT = 256 << 20  # characters of chosen texts kept in memory; beyond it the source is read a second time

Rows = Iterator[Document | Rejection]


def sampled(read: Callable[[], Rows], count: int, seed: int, held_limit: int = HELD_LIMIT) -> Rows:
    """The `count` documents of smallest hash(seed, id), in reading order after all rejections.

    Adding a document to the source can put out one other and no more. `read` is called again when the chosen texts
    outgrow `held_limit`, so that memory does not grow with `count` times the length of a text.
    """
    chosen: list[tuple[int, int, str]] = []  # a max-heap by hash: (-hash, order, id)
    texts: dict[str, Document] = {}
    held, keep = 0, True
    for order, row in enumerate(read()):
        if isinstance(row, Rejection):
            yield row
            continue
        entry = (-int(digest("sample", seed, row.id), 16), order, row.id)
        if len(chosen) == count and entry < chosen[0]:
            continue
        put_out = heapq.heappushpop(chosen, entry) if len(chosen) == count else None
        if put_out is None:
            heapq.heappush(chosen, entry)
        if keep:
            texts[row.id] = row
            gone = texts.pop(put_out[2], None) if put_out else None
            held += len(row.text) - (len(gone.text) if gone else 0)
            keep = held <= held_limit
            if not keep:
                texts.clear()
    if keep:
        yield from (texts[name] for _, _, name in sorted(chosen, key=lambda entry: entry[1]))
    else:
        names = {name for _, _, name in chosen}
        yield from (row for row in read() if isinstance(row, Document) and row.id in names)
