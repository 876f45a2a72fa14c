"""Text to token files: every document once, none cropped, read back through a memory map.

The stream is `EOS d0 EOS d1 … EOS dn EOS`, so each document's first token has a context (the EOS before it) and its
end is something to predict. Training windows are cut from the stream without regard to documents: a window may hold
the end of one and the start of the next, told apart by the EOS alone (attention is not masked at the border).

Files in the folder: `tokens.bin` (uint16, or uint32 above 65,536 tokens), `offsets.npy` (int64, documents + 1: where
each document's first token is), `sources.npy` (uint16, one a document), `languages.npy` likewise where languages are told,
for instructions `counted.bin` (uint8, one a token: whether the loss counts it) and `pack.json`, written last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from corpus.errors import RecipeError, StateError
from corpus.ids import digest
from trainer import files
from trainer.tokenizer import load_tokenizer, start_token, tokenizer_hash

PACK = "pack.json"
TOKENS = "tokens.bin"
OFFSETS = "offsets.npy"
SOURCES = "sources.npy"
LANGUAGES = "languages.npy"
COUNTED = "counted.bin"
ENCODED_AT_ONCE = 512  # documents handed to the tokenizer in one call: bounds memory

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a document, its UTF-8 bytes, and which tokens the loss counts (one more, for the EOS after it)."""

    ids: list[int]
    bytes: int
    counted: list[bool] | None = None


@dataclass(frozen=True)
class TokenShards:
    """An open packed corpus. `pack` is the content of its `pack.json`."""

    folder: Path
    pack: dict[str, Any]

    @cached_property
    def tokens(self) -> np.ndarray:
        """The whole stream, memory-mapped; shape (tokens,)."""
        return np.memmap(self.folder / TOKENS, dtype=self.pack["dtype"], mode="r")

    @cached_property
    def offsets(self) -> np.ndarray:
        """Where each document begins in the stream, and one past its last EOS; shape (documents + 1,)."""
        return np.load(self.folder / OFFSETS, mmap_mode="r", allow_pickle=False)

    @cached_property
    def sources(self) -> np.ndarray:
        """Index into `source_names` for each document; shape (documents,)."""
        return np.load(self.folder / SOURCES, mmap_mode="r", allow_pickle=False)

    @cached_property
    def counted(self) -> np.ndarray | None:
        """Whether the loss counts a token, memory-mapped; shape (tokens,). None where it counts all of them."""
        file = self.folder / COUNTED
        return np.memmap(file, dtype=np.uint8, mode="r") if COUNTED in self.pack["checksums"] else None

    @property
    def source_names(self) -> list[str]:
        """Names of the sources, in order of first appearance."""
        return self.pack["sources"]

    @property
    def groups(self) -> dict[str, tuple[list[str], np.ndarray]]:
        """By what documents can be told apart, `source` and where it is known `language`: names, and their index for each."""
        found = {"source": (self.source_names, np.asarray(self.sources))}
        if names := self.pack.get("languages"):
            found["language"] = (names, np.load(self.folder / LANGUAGES, allow_pickle=False))
        return found

    @property
    def identity(self) -> str:
        """Hash of the content: tokens, documents, sources and tokenizer."""
        return self.pack["identity"]

    def document(self, index: int) -> np.ndarray:
        """Token ids of one document, without the EOS around it."""
        return self.tokens[self.offsets[index] : self.offsets[index + 1] - 1]


def pack(
    texts: Iterable[str], tokenizer_path: Path, out: Path, *, sources: Iterable[str] | None = None,
    languages: Iterable[str] | None = None,
) -> TokenShards:  # fmt: skip
    """Tokenise `texts` in their order into the folder `out`, which appears complete or not at all.

    `sources` and `languages` name those of each text. When `out` already holds the same content it is kept; other content there is a
    `StateError`. Texts without a single character are refused with `RecipeError`.
    """
    documents = encoded(texts, load_tokenizer(tokenizer_path))
    return pack_encoded(documents, tokenizer_path, out, sources=sources, languages=languages)


def pack_encoded(
    documents: Iterable[Encoded], tokenizer_path: Path, out: Path, *, sources: Iterable[str] | None = None,
    languages: Iterable[str] | None = None,
) -> TokenShards:  # fmt: skip
    """The same for documents that are token ids already; see `pack`."""
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = out.with_name(f"{files.STAGED}{out.name}")
    shards = _pack(documents, tokenizer_path, fresh, sources, languages)
    if not out.exists():
        fresh.rename(out)
        files.sync(out.parent)
        return TokenShards(out, shards.pack)
    return _same_content(open_shards(out), shards)


def open_shards(path: Path) -> TokenShards:
    """Open a packed corpus after checking every file against its checksum. Raises `StateError` naming the file."""
    marker = path / PACK
    try:
        content = json.loads(marker.read_bytes())
        checksums = content["checksums"]
    except FileNotFoundError:
        raise StateError(f"{marker}: missing, so the packed corpus is not complete", hint="pack it again") from None
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{marker}: cannot be read: {error}", hint="pack it again") from error
    files.verify(path, checksums)
    return TokenShards(path, content)


def check_tokenizer(shards: TokenShards, tokenizer_path: Path) -> None:
    """Raise `StateError` unless `shards` were made with exactly this tokenizer."""
    found = tokenizer_hash(tokenizer_path)
    if found != shards.pack["tokenizer_hash"]:
        raise StateError(
            f"{shards.folder / PACK}: packed with tokenizer {shards.pack['tokenizer_hash']}, but {tokenizer_path} is {found}",
            hint="pack the texts again with this tokenizer",
        )


def _pack(
    documents: Iterable[Encoded], tokenizer_path: Path, fresh: Path, sources: Iterable[str] | None,
    languages: Iterable[str] | None,
) -> TokenShards:  # fmt: skip
    tokenizer = load_tokenizer(tokenizer_path)
    eos = start_token(tokenizer, tokenizer_path)
    size = tokenizer.get_vocab_size()
    dtype = np.dtype("uint16" if size <= 1 << 16 else "uint32")
    with files.whole_folder(fresh, replace=True) as folder:
        lengths, utf8 = _write_tokens(documents, folder, eos, dtype)
        if not lengths:
            raise RecipeError("there is no text to train on: every document is empty or was filtered out")
        offsets = np.concatenate([[1], 1 + np.cumsum(np.asarray(lengths, dtype=np.int64) + 1)])
        np.save(folder / OFFSETS, offsets, allow_pickle=False)
        groups = {
            "sources": _write_names(
                folder / SOURCES, len(lengths), ["all"] * len(lengths) if sources is None else sources
            )
        }
        if languages is not None:
            groups["languages"] = _write_names(folder / LANGUAGES, len(lengths), languages)
        written = [name for name in (TOKENS, OFFSETS, SOURCES, LANGUAGES, COUNTED) if (folder / name).is_file()]
        content = {
            "schema_version": 1,
            "dtype": dtype.name,
            "tokens": int(offsets[-1]),
            "documents": len(lengths),
            "bytes": utf8,
            "vocab_size": size,
            "eos": eos,
            "tokenizer_hash": tokenizer_hash(tokenizer_path),
            **groups,
            "checksums": {name: files.checksum(folder / name) for name in written},
        }
        content["identity"] = digest("pack", content)
        files.write_whole(folder / PACK, json.dumps(content, indent=2).encode())
    return TokenShards(fresh, content)


def _same_content(old: TokenShards, new: TokenShards) -> TokenShards:
    import shutil

    shutil.rmtree(new.folder)
    if old.identity != new.identity:
        raise StateError(
            f"{old.folder}: holds another packed corpus ({old.pack['documents']} documents, not {new.pack['documents']})",
            hint="remove it, or choose another folder",
        )
    return old


def encoded(texts: Iterable[str], tokenizer: Any) -> Iterator[Encoded]:
    """Texts as token ids, a few hundred at a time."""
    for batch in _batched(texts, ENCODED_AT_ONCE):
        for text, encoding in zip(batch, tokenizer.encode_batch_fast(batch, add_special_tokens=False), strict=True):
            yield Encoded(encoding.ids, len(text.encode("utf-8")))


def _write_tokens(documents: Iterable[Encoded], folder: Path, eos: int, dtype: np.dtype) -> tuple[list[int], int]:
    """Lengths of the documents, and all of their bytes; `counted.bin` too where a document says what counts."""
    lengths: list[int] = []
    utf8, choosy = 0, False
    with (folder / TOKENS).open("wb") as tokens, (folder / COUNTED).open("wb") as counted:
        tokens.write(np.asarray([eos], dtype=dtype).tobytes())
        counted.write(b"\0")
        for item in documents:
            tokens.write(np.asarray([*item.ids, eos], dtype=dtype).tobytes())
            counted.write(bytes(item.counted) if item.counted else b"\1" * (len(item.ids) + 1))
            choosy = choosy or item.counted is not None
            lengths.append(len(item.ids))
            utf8 += item.bytes
    if not choosy:
        (folder / COUNTED).unlink()
    return (lengths, utf8) if utf8 else ([], 0)


def _write_names(path: Path, documents: int, given: Iterable[str]) -> list[str]:
    labels = list(given)
    if len(labels) != documents:
        raise RecipeError(f"{len(labels)} names of {path.stem} for {documents} documents")
    names = list(dict.fromkeys(labels))
    index = {name: number for number, name in enumerate(names)}
    np.save(path, np.asarray([index[label] for label in labels], dtype=np.uint16), allow_pickle=False)
    return names


def _batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
