"""datatrove's pipeline from JSONL to JSONL: language, four rule sets, classifier, n-grams of benchmarks, MinHash in its
four stages, and the formatter: `… FILE COUNT TASK`.

Its steps are run one after the other in this process, each as `LocalPipelineExecutor` would call it. What a step rejects
no later one sees. The classifier scores and drops nothing, since no threshold is at hand that means anything here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FastTextClassifierFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
)
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig, create_hash_func
from datatrove.utils.lid import FT176LID
from datatrove.utils.text import ngrams, simplify_text
from datatrove.utils.word_tokenizers import load_word_tokenizer
from measured import run_file

GIVEN = Path(os.environ["HORNBOOK_CHAIN"])
HASHES = HashConfig(hash_fc="xxhash", precision=64)
BUCKETS = 14


def index() -> Path:
    """The n-grams of the benchmark items, as its indexer would write them (that one wants lighteval's own tasks)."""
    folder, config = GIVEN / "datatrove-index", NGramsDecontConfig(find_query_ngrams=True, hash_config=HASHES)
    if not folder.exists():
        folder.mkdir()
        tokenizer, hashed = load_word_tokenizer("en"), create_hash_func(HASHES)
        found = set()
        for line in (GIVEN / "items.jsonl").read_text("utf-8").splitlines():
            words = tokenizer.word_tokenize(simplify_text(" ".join(json.loads(line).values()), config.norm_config))
            found |= {hashed(" ".join(gram)) for gram in ngrams(words, config.n_grams)}
        np.array(sorted(found), dtype=HASHES.np_descr).tofile(folder / "items.index.hashes")
    return folder


def piped(steps: Iterable[Any]) -> int:
    """Documents that come out of the last step."""
    data: Any = None
    for step in steps:
        data = step.run(data, 0, 1)
    return sum(1 for _ in data)


def chain(path: Path, out: Path) -> Any:
    """From the file to what is kept."""
    FT176LID.MODEL_URL = str(GIVEN / "lid.176.ftz")
    config = MinhashConfig(hash_config=HASHES, n_grams=5, num_buckets=BUCKETS, hashes_per_bucket=8)
    decontamination = NGramsDecontConfig(find_query_ngrams=True, hash_config=HASHES)
    filtered = piped([
        JsonlReader(str(path.parent), glob_pattern=path.name), LanguageFilter(["en"]), GopherRepetitionFilter(), GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False), FineWebQualityFilter(),
        FastTextClassifierFilter(str(GIVEN / "quality.fasttext.bin"), keep_labels=[("teaches", 0.0)]),
        NGramsDecontFilter(str(index()), config=decontamination), JsonlWriter(str(out / "filtered"), compression=None),
    ])  # fmt: skip
    reader = JsonlReader(str(out / "filtered"))
    MinhashDedupSignature(str(out / "signatures"), config=config).run(reader.run(None, 0, 1), 0, 1)
    for bucket in range(BUCKETS):
        MinhashDedupBuckets(str(out / "signatures"), str(out / "buckets"), config=config).run(None, bucket, BUCKETS)
    MinhashDedupCluster(str(out / "buckets"), str(out / "remove"), config=config).run(None, 0, 1)
    kept = piped([JsonlReader(str(out / "filtered")), MinhashDedupFilter(str(out / "remove")), PIIFormatter(),
                  JsonlWriter(str(out / "kept"), compression=None)])  # fmt: skip
    return {"filtered": filtered, "kept": kept}


if __name__ == "__main__":
    run_file(chain)
