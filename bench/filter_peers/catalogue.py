"""Who is compared at which task, and in which environment."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.peers.catalogue import HERE, QUIET, Environment

ADAPTERS = Path(__file__).parent / "adapters"
# Its extra `multilingual` brings TensorFlow and Stanza; English and Chinese need what is named here.
DATATROVE = Environment(
    "datatrove-filters", ("datatrove[io,processing]==0.10.1", "spacy==3.8.18", "jieba==0.42.1", "setuptools<81")
)
GAOYA = Environment("gaoya", ("gaoya==0.2.2",))
DATA_JUICER = Environment("data-juicer", ("py-data-juicer==1.4.6", "aiohttp", "pyarrow<21"))
TEXT_DEDUP = Environment("text-dedup", ("text-dedup==0.4.0", "setuptools<81"))
# Its extra `text-cpu` asks for a fastText that does not build with NumPy 2; the filters import what is named here.
NEMO = Environment(
    "nemo-curator", ("nemo-curator==1.1.0", "fasttext-numpy2-wheel", "sentencepiece", "peft", "ftfy", "beautifulsoup4")
)
SUFFIXES = Environment("pydivsufsort", ("pydivsufsort==0.0.20", "numpy==2.3.5"))
ENVIRONMENTS = (DATATROVE, GAOYA, DATA_JUICER, TEXT_DEDUP, NEMO, SUFFIXES)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
              "NUMBA_NUM_THREADS": "1"}  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One tool at one task; slow ones are given a part of the documents."""

    name: str
    task: str
    environment: Environment
    script: str
    shown: tuple[str, ...]
    most: int = 1_000_000
    more: tuple[str, ...] = ()

    def command(self, corpus: Path, count: int) -> list[str]:
        """The command line."""
        python = str(self.environment.python) if self.environment.pins else sys.executable
        return [python, str(ADAPTERS / self.script), str(corpus), str(min(count, self.most)), self.task, *self.more]

    def variables(self) -> dict[str, str]:
        """One thread, no calls home."""
        return {**QUIET, **ONE_THREAD}


OURS = ("polars", "numpy", "rensa")
TASKS = ("rules", "minhash", "sensitive", "chain", "passages")
THEIRS, SHARES = ("datatrove", "spacy"), {"rules": 1_000_000, "minhash": 1000, "sensitive": 20_000}
ARMS = (
    *(Arm("hornbook", task, HERE, "hornbook.py", OURS) for task in TASKS),
    *(Arm("datatrove", task, DATATROVE, "datatrove_filters.py", THEIRS, most) for task, most in SHARES.items()),
    Arm("datatrove", "chain", DATATROVE, "datatrove_chain.py", THEIRS),
    Arm("nemo-curator", "rules", NEMO, "nemo_rules.py", ("nemo-curator",)),
    Arm("gaoya", "minhash", GAOYA, "gaoya_index.py", ("gaoya",)),
    Arm("gaoya, asked", "minhash", GAOYA, "gaoya_index.py", ("gaoya",), more=("lookup",)),
    Arm("data-juicer", "minhash", DATA_JUICER, "datajuicer_minhash.py", ("py-data-juicer",), 5000),
    Arm("text-dedup", "minhash", TEXT_DEDUP, "textdedup_minhash.py", ("text-dedup",), 5000),
    Arm("pydivsufsort", "passages", SUFFIXES, "divsufsort_passages.py", ("pydivsufsort",)),
)
