"""NeMo Curator's 22 heuristic filters, each scored and decided on every document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from measured import run
from nemo_curator.stages.text.filters import heuristic_filter as heuristics
from nemo_curator.stages.text.filters.doc_filter import DocumentFilter

NAMES = (
    "NonAlphaNumericFilter", "SymbolsToWordsFilter", "NumbersFilter", "UrlsFilter", "BulletsFilter", "WhiteSpaceFilter", "ParenthesesFilter",
    "LongWordFilter", "WordCountFilter", "BoilerPlateStringFilter", "MeanWordLengthFilter", "RepeatedLinesFilter", "RepeatedParagraphsFilter",
    "RepeatedLinesByCharFilter", "RepeatedParagraphsByCharFilter", "RepeatingTopNGramsFilter", "RepeatingDuplicateNGramsFilter", "PunctuationFilter",
    "EllipsisFilter", "CommonEnglishWordsFilter", "WordsWithoutAlphabetsFilter", "PornographicUrlsFilter",
)  # fmt: skip


def rules(texts: Sequence[str]) -> Any:
    """Score and verdict of every filter on every document."""
    chosen: list[DocumentFilter] = [getattr(heuristics, name)() for name in NAMES if hasattr(heuristics, name)]
    rejected = 0
    for text in texts:
        rejected += not all([one.keep_document(one.score_document(text)) for one in chosen])
    return {"filters": len(chosen), "rejected": rejected}


if __name__ == "__main__":
    run(rules)
