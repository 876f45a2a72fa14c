"""datatrove's n-gram decontamination: `… FILE COUNT ITEMS SIZE`. The index is made of the items by its own splitter and hash,
and kept in memory, since its indexer only reads tasks of another package; each document then goes through its own filter."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter
from datatrove.utils.text import ngrams, simplify_text
from measured import run


def made(path: str, size: int) -> NGramsDecontFilter:
    """The filter with all n-grams of the items."""
    step = NGramsDecontFilter("/tmp/unused-datatrove", NGramsDecontConfig(n_grams=size))
    with open(path, encoding="utf-8") as file:
        items = [json.loads(line)["text"] for line in file]
    step._index_hashes = {
        step.hash_func(" ".join(gram)): "items"
        for item in items
        for gram in ngrams(step.tokenizer.word_tokenize(simplify_text(item, step.config.norm_config)), size)
    }
    return step


STEP = made(sys.argv[3], int(sys.argv[4]))


def decontaminate(texts: Sequence[str]) -> Any:
    """Documents that hold any n-gram of an item."""
    return {"flagged": sum(STEP.filter(Document(text=text, id=str(n))) is not True for n, text in enumerate(texts))}


if __name__ == "__main__":
    run(decontaminate)
