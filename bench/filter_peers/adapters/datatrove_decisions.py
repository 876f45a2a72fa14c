"""datatrove's decision and reason for each document, filter by filter: `… FILE OUT given|own`.

With `given` its filters are handed the words and the number of sentences that stand in the file; nothing else about them
is touched. With `own` they split by themselves, and the words that they saw are written out as well.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import regex
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    c4_filters,
    fineweb_quality_filter,
    gopher_quality_filter,
    gopher_repetition_filter,
)

FILTERS = {
    "repetition": GopherRepetitionFilter(),
    "gopher": GopherQualityFilter(),
    "c4": C4QualityFilter(filter_no_terminal_punct=False),
    "fineweb": FineWebQualityFilter(),
}


class GivenLine(str):
    """A line whose words are those of Hornbook's split: an ideograph is one."""

    word = ""

    def strip(self, *_: Any) -> GivenLine:
        """As a string's, of the same kind."""
        return GivenLine(str.strip(self))

    def split(self, *_: Any) -> list[str]:  # type: ignore[override]
        """Its words."""
        return regex.findall(GivenLine.word, self)


class GivenText(str):
    """A text whose lines know their words."""

    def splitlines(self, *_: Any) -> list[GivenLine]:  # type: ignore[override]
        """As a string's, of the other kind."""
        return [GivenLine(line) for line in str.splitlines(self)]


def give(words: list[str], sentences: dict[str, int]) -> None:
    """Put the given words and sentences in the place of its splitters."""
    split: Callable[..., list[str]] = lambda *_: words  # noqa: E731
    for module in (gopher_quality_filter, gopher_repetition_filter, fineweb_quality_filter):
        module.split_into_words = split
    c4_filters.split_into_sentences = lambda line, *_: [line] * sentences[line]


def verdicts(text: str, own: bool) -> dict[str, str]:
    """Each filter's reason, "" for what it keeps."""
    found = {}
    for name, one in FILTERS.items():
        told = one.filter(Document(text=text if own or name != "c4" else GivenText(text), id="0"))
        found[name] = "" if told is True else told[1]
    return found


def main() -> None:
    """One line of JSON a document."""
    own = sys.argv[3] == "own"
    with open(sys.argv[1], encoding="utf-8") as file, open(sys.argv[2], "w", encoding="utf-8") as out:
        GivenLine.word = json.loads(next(file))["line_word"]
        for line in file:
            row = json.loads(line)
            if not own:
                give(row["words"], row["sentences"])
            found: dict[str, Any] = {"verdicts": verdicts(row["text"], own)}
            if own:
                found["words"] = gopher_quality_filter.split_into_words(row["text"], "en")
            out.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
