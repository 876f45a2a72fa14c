"""How much can go? The pruning loop, the committee and the search for copies on pools whose redundancy is known.

`python -m bench.redundancy [--seeds 3] [--size 6000]` prints, for fresh seeds: errors after pruning beside random parts of the
same size, by the family that chose and by the one that did not; a control pool where nothing is said twice; how soon a
committee reaches the error of the whole; and how much of a text corpus is found to be copies. Lines go to
`bench/out/redundancy.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import random
import string
from pathlib import Path

import numpy as np

from corpus.document import Document, documents_table
from filters.config import DuplicatesConfig
from filters.dedup import find_duplicates
from filters.redundancy.curve import Setting, measure
from filters.redundancy.families import extra, forest, rmse
from filters.redundancy.grow import grow_rounds
from filters.redundancy.prune import Pool, random_rows
from tests.filters.redundancy.pools import even_test, outside_pool, plain_pool, zipf_pool

OUT = Path(__file__).parent / "out" / "redundancy.jsonl"
SHARES = (0.47, 0.27, 0.17)
CHUNKS, COPIED, COPIES = 300, 30, 40  # RECIPES: 300 chunks, 30 of them 40 times
NOISE = 0.02  # of the characters of a copy


def main() -> None:
    """All seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=101)
    parser.add_argument("--size", type=int, default=6000)
    options = parser.parse_args()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with OUT.open("a") as file:
        for seed in range(options.first, options.first + options.seeds):
            for name, found in _lines(seed, options.size):
                print(f"seed {seed}  {name:<10} {found}", flush=True)
                file.write(json.dumps({"seed": seed, "what": name, **found}) + "\n")


def _lines(seed: int, size: int):  # type: ignore[no-untyped-def]
    pool, test = zipf_pool(size, seed), even_test(2000, seed + 1000)
    setting = Setting(forest, extra, test, outside_pool(1000, seed + 2000), seed)
    for point in (found := measure(pool, setting, SHARES)).points[1:]:
        whole = found.points[0]
        yield "pruned", {"kept": round(point.share, 3), "chosen": round(point.guide / whole.guide, 3), "random": round(point.random / whole.random, 3),
                         "other family": round(point.transfer / whole.transfer, 3), "outside": round(point.outside / whole.outside, 3)}  # fmt: skip
    yield "verdict", {"redundant": round(found.redundant, 3), "said": found.sentence}
    control = measure(
        plain_pool(1500, seed),
        Setting(forest, extra, plain_pool(1000, seed + 1), outside_pool(400, seed + 2), seed),
        (0.5, 0.27),
    )
    yield "control", {"redundant": control.redundant, "chosen": [round(p.guide / control.points[0].guide, 3) for p in control.points[1:]],
                      "random": [round(p.random / control.points[0].random, 3) for p in control.points[1:]]}  # fmt: skip
    yield "committee", _committee(pool, test, seed)
    yield "copies", _copies(seed)


def _committee(pool: Pool, test: Pool, seed: int) -> dict[str, float]:
    *_, rows = grow_rounds(pool, "committee", (forest, extra), until=0.5, step=0.05, seed=seed)
    drawn = random_rows(len(pool), len(rows), seed)
    errors = []
    for part in (np.arange(len(pool)), rows, drawn):
        model = forest(seed)
        model.fit(pool.features[part], pool.labels[part])
        errors.append(rmse(model, test.features, test.labels))
    return {
        "share": round(len(rows) / len(pool), 3),
        "grown": round(errors[1] / errors[0], 3),
        "random": round(errors[2] / errors[0], 3),
    }


def _copies(seed: int) -> dict[str, float]:
    """Planted and found share of noisy copies."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(string.ascii_lowercase, k=draw.randint(2, 9))) for _ in range(3000)]
    chunks = [" ".join(draw.choices(words, k=170)) for _ in range(CHUNKS)]
    texts = [*chunks, *(_noisy(chunks[index], draw) for index in range(COPIED) for _ in range(COPIES))]
    table = documents_table([Document(f"d{number:05d}", text, "web", "MIT", "x") for number, text in enumerate(texts)])
    found = find_duplicates([table], DuplicatesConfig(threshold=0.5, shingle=2, bands=40, rows=4))
    return {"planted": round(COPIED * COPIES / len(texts), 4), "found": round(found.num_rows / len(texts), 4)}


def _noisy(text: str, draw: random.Random) -> str:
    return "".join(
        draw.choice(string.ascii_lowercase) if char != " " and draw.random() < NOISE else char for char in text
    )


if __name__ == "__main__":
    main()
