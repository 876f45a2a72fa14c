"""What the Chinese profile keeps, and where its limits lie among texts: `python -m bench.chinese_rules FILE…`.

For each file the share that is kept and the reasons of the rest; then for each statistic that the profile limits its
percentiles and the limits, which were chosen so that about one textbook page in a hundred falls to each.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus.document import Document, documents_table
from corpus.readers import read_files
from filters.chain import decide, score_table
from filters.config import FilterConfig
from filters.rules import PROFILES, SCORERS

PERCENTILES = (0, 1, 5, 50, 95, 99, 100)


def main() -> None:
    """Print both tables of each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    for file in parser.parse_args().files:
        documents = documents_table([row for row in read_files([file], language="zh") if isinstance(row, Document)])
        scores = score_table(documents, scorers=tuple(SCORERS))
        rejected = decide(documents, scores, FilterConfig(languages=("zh",), quality=0))
        reasons = Counter(rejected["reason"].to_pylist()).most_common(6)
        kept = 1 - rejected.num_rows / max(1, documents.num_rows)
        print(
            f"{Path(file).name}: {documents.num_rows:,} texts, {kept:.1%} kept; {', '.join(f'{name} {count:,}' for name, count in reasons)}"
        )
        _distributions(scores)


def _distributions(scores: pa.Table) -> None:
    print(f"  {'percentile':<34}" + "".join(f"{place:>9}" for place in PERCENTILES) + "   limits")
    for name, rule in PROFILES["chinese"].limits.items():
        values = np.percentile(scores[name].to_numpy().astype(float), PERCENTILES)
        limits = " to ".join("" if side is None else f"{side:g}" for side in (rule.at_least, rule.at_most))
        print(f"  {name:<34}" + "".join(f"{value:>9.3g}" for value in values) + f"   {limits}")


if __name__ == "__main__":
    main()
