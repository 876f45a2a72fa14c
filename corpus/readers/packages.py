"""Text that comes with installed packages: descriptions, READMEs, changelogs, licences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import cast

from corpus.readers.licences import package_licence
from corpus.readers.pieces import pages

FILE_LIMIT = 4 << 20  # bytes; the largest licence collection seen was 0.5 MB
_TEXT_SUFFIXES = ("", ".md", ".rst", ".txt")
_NAMES = (
    ("package-readme", re.compile(r"^readme")),
    ("changelog", re.compile(r"^(change|history|news|release)")),
    ("licence-text", re.compile(r"^(licen[cs]e|copying|notice)")),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of text with its label, its licence and a locator free of machine paths (`package==1.2/FILE`, piece)."""

    label: str
    licence: str
    where: str
    piece: int
    text: str


def package_pages(wanted: frozenset[str]) -> Iterator[Page]:
    """Pages of every installed package in order of name; `wanted` holds labels."""
    for name, package in sorted(_installed().items()):
        licence = package_licence(_message(package))
        where = f"{name}=={package.version}"
        for label, file, text in _texts(package):
            if label in wanted:
                for piece, page in enumerate(pages(text)):
                    yield Page(label, licence, f"{where}/{file}", piece, page)


def _installed() -> dict[str, metadata.Distribution]:
    """First of each name on the path, as an import would find it."""
    found: dict[str, metadata.Distribution] = {}
    for package in metadata.distributions():
        name = package.metadata["Name"]
        if name:
            found.setdefault(name.lower().replace("_", "-"), package)
    return found


def _texts(package: metadata.Distribution) -> Iterator[tuple[str, str, str]]:
    message = _message(package)
    description = message.get("Description") or message.get_payload()
    if isinstance(description, str):
        yield "package-readme", "METADATA", description
    for file in sorted(package.files or [], key=str):
        if label := _label(file):
            text = _read(Path(str(file.locate())))
            if text:
                yield label, str(file).replace("..", "up"), text


def _label(file: metadata.PackagePath) -> str:
    if file.suffix.lower() not in _TEXT_SUFFIXES:
        return ""
    name = file.name.lower()
    return next((label for label, pattern in _NAMES if pattern.match(name)), "")


def _message(package: metadata.Distribution) -> Message:
    """The metadata as the e-mail message that it is, whatever the standard library's types say."""
    return cast(Message, package.metadata)


def _read(path: Path) -> str:
    """The file's text; nothing for one that is gone, not text, or too large to be what its name says."""
    try:
        data = path.read_bytes()
        return data.decode("utf-8") if len(data) <= FILE_LIMIT else ""
    except (OSError, UnicodeDecodeError):
        return ""
