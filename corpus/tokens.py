"""One named tokenizer counts every budget of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from corpus.errors import SetupError


class TokenCounter(Protocol):
    """Counts tokens; `name` says which tokenizer, down to its content."""

    name: str

    def count(self, texts: Sequence[str]) -> np.ndarray:
        """int32, one a text, without special tokens."""
        ...


class FileCounter:
    """Counts with a `tokenizer.json`."""

    def __init__(self, path: str) -> None:
        from tokenizers import Tokenizer

        data = Path(path).read_bytes()
        self._tokenizer = Tokenizer.from_str(data.decode("utf-8"))
        self._tokenizer.no_truncation()
        self.name = f"{Path(path).parent.name}@{hashlib.blake2b(data, digest_size=6).hexdigest()}"

    def count(self, texts: Sequence[str]) -> np.ndarray:
        """int32, one a text, without special tokens."""
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return np.fromiter((len(item.ids) for item in encoded), dtype=np.int32, count=len(texts))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without special tokens."""
        return [item.ids for item in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, special tokens included; what is no whole character becomes U+FFFD."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))

    def token_id(self, token: str) -> int | None:
        """The id of a token by its name, such as `<|endoftext|>`."""
        found = self._tokenizer.token_to_id(token)
        return None if found is None else int(found)


def load_counter(path: str) -> TokenCounter:
    """The counter of a `tokenizer.json`. Raises `SetupError` when there is none."""
    if not Path(path).is_file():
        raise SetupError(f"{path}: no tokenizer.json there", hint="name a folder that holds one")
    return FileCounter(path)
