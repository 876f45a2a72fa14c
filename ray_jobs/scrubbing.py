"""Takes forgotten text out of facts: sample rows by id, and any string that repeats six words of a forgotten text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from generator.length import units

WORDS = 6  # in a row: less is no text of anybody's
GONE = "(forgotten)"


class Scrubber:
    """Knows the runs of six words in `texts`, by hash."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._known = {part for text in texts for part in _parts(text)}

    def clean(self, facts: Mapping[str, dict[str, Any]], ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """The facts without rows of these ids and without a string that holds a known run of words."""
        return {name: self._plain(_without_rows(fact, ids)) for name, fact in facts.items()}

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            return GONE if any(part in self._known for part in _parts(value)) else value
        if isinstance(value, Mapping):
            return {key: self._plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._plain(item) for item in value]
        return value


def _without_rows(fact: dict[str, Any], ids: Collection[str]) -> dict[str, Any]:
    if fact.get("kind") != "samples":
        return fact
    return {**fact, "rows": [row for row in fact["rows"] if row.get("id") not in ids]}


def _parts(text: str) -> Iterator[int]:
    words = [re.sub(r"\W+", "", word).lower() for word in units(text)]
    words = [word for word in words if word]
    return (hash(tuple(words[at : at + WORDS])) for at in range(len(words) - WORDS + 1))
