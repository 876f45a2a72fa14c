"""Identities: the same content has the same name, on every machine and in every process.

Hashes are over a canonical JSON form. A value without one (a callable, a set, NaN, an object) is refused rather than
turned into whatever `str()` says, so that two different things can never share an identity by accident.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from corpus.errors import StateError

ID_BYTES = 16  # 128 bits: at 10^12 documents the chance of one collision is below 10^-14


def canonical(value: Any) -> bytes:
    """The one byte form of `value`: sorted keys, no spaces, UTF-8. Raises `StateError` if it has none."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(
        "utf-8", "surrogatepass"
    )


def digest(*parts: Any) -> str:
    """32 hex digits that name `parts`, in order."""
    return hashlib.blake2b(canonical(list(parts)), digest_size=ID_BYTES).hexdigest()


def document_id(origin: str, *locator: object) -> str:
    """Id of a document: of (request key, choice, part) when it was written, of (source, locator) when it was read."""
    return digest("document", origin, [str(part) for part in locator])


def seed_from(*parts: Any) -> int:
    """A 31-bit seed that is a pure function of `parts` (vLLM and NumPy both take it)."""
    return int(digest("seed", *parts)[:8], 16) & 0x7FFFFFFF


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise StateError(f"{value!r} has no canonical form and cannot be part of an identity")
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise StateError("only string keys have a canonical form")
        return {key: _plain(item) for key, item in value.items()}
    raise StateError(f"a {type(value).__name__} has no canonical form and cannot be part of an identity")
