"""Which endpoint a prompt belongs to: prompts that begin alike meet where the beginning is computed already.

Rendezvous hashing (Thaler and Ravishankar 1998) ranks the endpoints anew for every beginning, so that an endpoint that
goes takes only its own share away. No endpoint gets more than `BOUND` times its share of what is in flight: consistent
hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam 2016, who take 1.25 as their example).
"""

from __future__ import annotations

from collections import OrderedDict

import xxhash

from prompts.templates import Message

PREFIX_BYTES = 1024  # about 256 tokens of English; what is shared beyond them meets at the same endpoint all the same
BOUND = 1.25
KEPT = 4096  # rankings remembered


def beginning(messages: tuple[Message, ...]) -> int | None:
    """A hash of the first `PREFIX_BYTES` of a prompt, None for a shorter one: its cached part would save too little."""
    found, room = xxhash.xxh3_64(), PREFIX_BYTES
    for message in messages:
        part = f"{message['role']}\0{message['content'][:room]}\0".encode("utf-8", "replace")[:room]
        found.update(part)
        room -= len(part)
        if room <= 0:
            return found.intdigest()
    return None


class Rendezvous:
    """Ranks endpoints by name for a beginning, the same in every process."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._known: OrderedDict[int, tuple[int, ...]] = OrderedDict()

    def ranking(self, start: int) -> tuple[int, ...]:
        """Indices of all endpoints, the preferred first."""
        found = self._known.get(start)
        if found is None:
            weights = [xxhash.xxh3_64_intdigest(name.encode(), seed=start) for name in self._names]
            found = tuple(sorted(range(len(weights)), key=weights.__getitem__, reverse=True))
            self._known[start] = found
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found
