"""What is found of planted near copies: `python -m bench.near_duplicates [--pairs 1000] [--files FILE… --language zh]`.

Pairs of five classes of similarity are planted in real text (of this machine, or of the files). Prints the recall of
each class with its interval, how many removed texts are below the threshold by a similarity without hashes, and what
the index is expected to find. Lines go to `bench/out/near_duplicates.jsonl`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from bench.peers.run import OUT
from bench.real_sentences import texts
from filters.config import DuplicatesConfig
from filters.minhash import s_curve
from filters.planted_copies import PAIRS, self_test
from ray_jobs.dedup_files import self_test_lines


def main() -> None:
    """One run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--files", nargs="*", default=[])
    options = parser.parse_args()
    config = DuplicatesConfig()
    found = self_test(list(texts(options.files, 20_000)), config, options.pairs, options.seed)
    print("\n".join(self_test_lines(found, config)))
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "near_duplicates.jsonl").open("a") as file:
        row = {"files": options.files, "seed": options.seed, "curve": s_curve(config), **asdict(found)}
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
