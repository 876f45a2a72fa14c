"""Where a text stands among the tokens that it was cut out of: the span that decodes to it byte for byte, or none."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol


class Decoder(Protocol):
    """Turns token ids into text, special tokens included."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`; what is no whole character becomes U+FFFD."""
        ...


def span_of(ids: Sequence[int], text: str, decoder: Decoder) -> tuple[int, int] | str:
    """`(start, end)` in tokens, or why there is none: `tokenizer` where the tokens do not hold the text at all, and
    `boundary` where its first or last character shares a token with what was cut off."""
    place = decoder.decode(ids).find(text)
    if place < 0:
        return "tokenizer"
    start, end = (_tokens_before(ids, limit, decoder) for limit in (place, place + len(text)))
    return (start, end) if decoder.decode(ids[start:end]) == text else "boundary"


def _tokens_before(ids: Sequence[int], characters: int, decoder: Decoder) -> int:
    """As many tokens as decode to at most so many characters; one that is half a character counts as one."""
    lengths = range(len(ids) + 1)
    return bisect_right(lengths, characters, key=lambda count: len(decoder.decode(ids[:count]))) - 1
