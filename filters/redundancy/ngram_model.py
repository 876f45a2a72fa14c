"""A language model small enough to be trained beside a filter: bytes from the five before them, Witten-Bell smoothed.

    p_k(b | context) = (count(context, b) + kinds(context) · p_{k-1}(b)) / (count(context) + kinds(context))

with `kinds` the number of different bytes that followed the context (Witten and Bell 1991). Contexts are found by hash in
tables of 2^22 places, so that memory is fixed; it is the stand-in for a reference model where none was trained
(Ankner 2024 and Marion 2023 took transformers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ORDER = 6  # bytes of a gram: five of context, one to be predicted
PLACES = np.uint64(1 << 22)
MULTIPLY, MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
LIMIT = 20_000  # bytes of a text that are read
PIECE = 1 << 22  # bytes looked at together: bounds memory


@dataclass(frozen=True)
class NgramModel:
    """Counts of grams, of contexts and of the kinds of bytes after a context, one table for each length of context."""

    grams: tuple[np.ndarray, ...]  # uint32 [PLACES]
    contexts: tuple[np.ndarray, ...]
    kinds: tuple[np.ndarray, ...]

    def bits(self, texts: Sequence[str]) -> np.ndarray:
        """Bits per byte of each text, float32 [n]; nan for an empty one. Each text begins without a context."""
        found = [self._piece(piece) for piece in _pieces(texts)]
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def _piece(self, texts: Sequence[bytes]) -> np.ndarray:
        stream, starts, ends = _stream(texts)
        chance = np.full(len(stream), 1 / 256)
        for length in range(ORDER):
            context, gram = _hashes(stream, length)
            count, kinds = self.contexts[length][context], self.kinds[length][context].astype(float)
            total = count + kinds
            better = (self.grams[length][gram] + kinds * chance) / np.maximum(total, 1)
            chance = np.where(total > 0, better, chance)
        sums = np.concatenate([[0.0], np.cumsum(-np.log2(np.maximum(chance, 1e-12)))])
        with np.errstate(invalid="ignore"):
            return ((sums[ends] - sums[starts]) / (ends - starts)).astype(np.float32)


def fit_ngrams(texts: Sequence[str]) -> NgramModel:
    """Count the grams of all texts."""
    grams, contexts, kinds = ([np.zeros(int(PLACES), np.uint32) for _ in range(ORDER)] for _ in range(3))
    seen = [np.zeros(int(PLACES) // 8, np.uint8) for _ in range(ORDER)]
    for piece in _pieces(texts):
        stream, starts, ends = _stream(piece)
        inside = np.zeros(len(stream) + 1, np.int8)
        np.add.at(inside, starts, 1)
        np.add.at(inside, ends, -1)
        real = np.cumsum(inside[:-1]) > 0
        for length in range(ORDER):
            context, gram = (places[real] for places in _hashes(stream, length))
            grams[length] += np.bincount(gram, minlength=int(PLACES)).astype(np.uint32)
            contexts[length] += np.bincount(context, minlength=int(PLACES)).astype(np.uint32)
            first = np.unique(gram, return_index=True)[1]
            new = first[np.unpackbits(seen[length])[gram[first]] == 0]
            kinds[length] += np.bincount(context[new], minlength=int(PLACES)).astype(np.uint32)
            np.bitwise_or.at(seen[length], gram[new] >> 3, (128 >> (gram[new] & 7)).astype(np.uint8))
    return NgramModel(tuple(grams), tuple(contexts), tuple(kinds))


def _pieces(texts: Sequence[str]) -> list[list[bytes]]:
    pieces: list[list[bytes]] = [[]]
    size = 0
    for text in texts:
        body = text[:LIMIT].encode("utf-8", "replace")[:LIMIT]
        if size > PIECE:
            pieces.append([])
            size = 0
        pieces[-1].append(body)
        size += len(body) + ORDER
    return [piece for piece in pieces if piece]


def _stream(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All bytes with a gap of zeros before each text, and where each begins and ends."""
    gap = bytes(ORDER - 1)
    lengths = np.array([len(text) for text in texts], np.int64)
    starts = np.cumsum(lengths + ORDER - 1) - lengths
    return np.frombuffer(b"".join(gap + text for text in texts), np.uint8), starts, starts + lengths


def _hashes(stream: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of the context of `length` bytes before each byte, and of that context with the byte; int64."""
    context = np.full(len(stream), np.uint64(length + 1))
    for back in range(length, 0, -1):
        before = np.zeros(len(stream), np.uint64)
        before[back:] = stream[:-back]
        context = (context + before + np.uint64(1)) * MULTIPLY
    return _place(context), _place(context * MIX + stream + np.uint64(1))


def _place(keys: np.ndarray) -> np.ndarray:
    """The upper 22 bits of a key whose bits were mixed (MurmurHash3's last step)."""
    keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    keys = (keys ^ (keys >> np.uint64(33))) * MIX
    return (keys >> np.uint64(42)).astype(np.int64)
