"""The text that proofs are made on: a folder of labelled JSONL files (`DATA`), or what lies on every machine.

A row of `DATA` says what it is in `label`: web and web-raw, edu, wiki, docs, code, synthetic-story. Chinese text lies in a
folder `zh`. The same text is always on the same side: held out or for training, by a hash of its id.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from corpus.config import SourceConfig
from corpus.document import Document
from corpus.readers import read_source
from filters.blend import held_out
from trainer.evaluation.panels import Panel

HELD_OUT, SEED = 0.12, 17
MACHINE = ("python-docs", "docstrings", "package-readme", "changelog", "licence-text")
LEAST, MOST = 200, 20_000  # characters of a text that counts, and of the part of it that is read


@dataclass(frozen=True, slots=True)
class Text:
    """`kind` is its label, with `-zh` for Chinese; `group` its subject or source; `title` is empty where it has none."""

    id: str
    text: str
    kind: str
    group: str
    title: str = ""


class Material:
    """All texts, by kind."""

    def __init__(self, data: Path | None) -> None:
        self.data = data

    @cached_property
    def texts(self) -> list[Text]:
        """Everything, in the order of the ids."""
        found = _of_folder(self.data) if self.data else _of_this_machine()
        return sorted({text.id: text for text in found}.values(), key=lambda text: text.id)

    def has(self, *kinds: str) -> bool:
        """Whether there is text of each of these kinds."""
        return set(kinds) <= {text.kind for text in self.texts}

    def train(self, *kinds: str) -> list[Text]:
        """What students may read."""
        return [text for text in self.texts if text.kind in kinds and not held_out(text.id, HELD_OUT, SEED)]

    def held(self, *kinds: str) -> list[Text]:
        """What no student reads."""
        return [text for text in self.texts if text.kind in kinds and held_out(text.id, HELD_OUT, SEED)]


def panel(texts: Sequence[Text], size: int) -> Panel:
    """So many bytes of texts, drawn with a fixed seed. Raises `ValueError` without any."""
    if not texts:
        raise ValueError("a panel without text")
    drawn, chosen = random.Random(SEED).sample(list(texts), len(texts)), []
    for text in drawn:
        if size <= 0:
            break
        chosen.append(text)
        size -= len(text.text.encode())
    return Panel([text.text for text in chosen], {"group": [text.group for text in chosen]})


def _of_folder(folder: Path) -> Iterator[Text]:
    for path in sorted(folder.rglob("*.jsonl*")):
        inside = path.relative_to(folder).parts
        if inside[0] in ("benchmarks", "safety"):
            continue
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in data.splitlines():
            yield from _text(orjson.loads(line), chinese=inside[0] == "zh")


def _text(row: dict[str, Any], *, chinese: bool) -> Iterator[Text]:
    kind, language = str(row.get("label", "")), row.get("lang")
    if not isinstance(row.get("text"), str) or len(row["text"]) < LEAST or kind in ("", "0", "1"):
        return
    if kind == "web" and row["text"].islower():
        return  # a corpus that was lower-cased by those who made it: no web page, and too easy to tell
    if language not in (None, "en"):
        kind = f"{kind}-other"
    yield Text(
        str(row["id"]),
        row["text"][:MOST],
        f"{kind}-zh" if chinese else kind,
        str(row.get("subject") or row.get("source")),
        str(row.get("title") or ""),
    )


def _of_this_machine() -> Iterator[Text]:
    for kind in MACHINE:
        config = SourceConfig(kind="machine", paths=(kind,), licence="unknown", documents=1500)
        for row in read_source(kind, config, seed=SEED):
            if isinstance(row, Document) and len(row.text) >= LEAST:
                yield Text(row.id, row.text[:MOST], kind, kind)
