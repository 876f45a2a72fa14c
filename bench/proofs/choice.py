"""A filter's choice from web pages: the shipped rules, and a classifier of what teaches, trained apart from the pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.proofs.material import Material, Text
from corpus.document import Document, documents_table
from filters.blend import held_out
from filters.chain import score_table, verdict_table
from filters.classifier import train
from filters.config import FilterConfig

EXAMPLES, SEED = 0.2, 5  # share of the web texts that teach the classifier and are in no pool and no panel
WEB, TEXTBOOK = ("web", "web-raw"), ("edu",)
MACHINE_WEB, MACHINE_TEXTBOOK = (
    ("package-readme", "changelog", "licence-text", "python-docs", "docstrings"),
    ("python-docs",),
)


@dataclass(frozen=True)
class Choice:
    """Texts for training and held out, each raw and as the filter keeps them."""

    raw: list[Text]
    kept: list[Text]
    raw_held: list[Text]
    kept_held: list[Text]
    told: str


def choose(material: Material, share: float) -> Choice:
    """Keep the best `share` (of the bytes) of what passes the rules. The limit is set on training text alone."""
    on_data = material.data is not None
    web, books = (WEB, TEXTBOOK) if on_data else (MACHINE_WEB, MACHINE_TEXTBOOK)
    pool = [text for text in material.train(*web) if not _example(text)]
    held = [text for text in material.held(*web) if not _example(text)]
    good = [text for text in material.train(*books) if on_data or _example(text)]
    bad = [text for text in material.train(*web) if _example(text) and (on_data or text.kind not in books)]
    model = train(
        "words", [text.text for text in good + bad], np.array([True] * len(good) + [False] * len(bad)), seed=SEED
    )
    passing, passing_held = _passing(pool), _passing(held)
    scores = model.score([text.text for text in passing])
    order = np.argsort(-scores, kind="stable")
    sizes = np.cumsum([len(passing[at].text.encode()) for at in order])
    budget = share * sum(len(text.text.encode()) for text in pool)
    count = int(np.searchsorted(sizes, budget)) + 1
    limit = float(scores[order[min(count, len(order)) - 1]])
    kept_held = [
        text
        for text, score in zip(passing_held, model.score([text.text for text in passing_held]), strict=True)
        if score >= limit
    ]
    kept = [passing[at] for at in sorted(order[:count])]
    told = (f"{len(pool):,} raw texts, {len(passing):,} pass the rules, {len(kept):,} kept; the classifier learned from {len(good):,} textbook "
            f"texts and {len(bad):,} raw texts that are in no pool")  # fmt: skip
    return Choice(pool, kept, held, kept_held, told)


def _example(text: Text) -> bool:
    return held_out(text.id, EXAMPLES, SEED)


def _passing(texts: Sequence[Text]) -> list[Text]:
    documents = documents_table(
        [Document(text.id, text.text, text.kind, "unknown", text.id, domain="prose") for text in texts]
    )
    verdicts = verdict_table(documents, score_table(documents), FilterConfig(quality=0.0))["verdict"].to_pylist()
    return [text for text, verdict in zip(texts, verdicts, strict=True) if verdict == "kept"]
