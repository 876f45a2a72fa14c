"""How much can go? The pruning loop, the committee and the search for copies, where the answer is known.

    python -m bench.redundancy [--seeds 3] [--first 201] [--size 6000] [--texts BOOKS.jsonl.gz]

Numbers: pools in the shape of a materials database (`filters/redundancy/planted.py`), fresh for every seed. Errors after
pruning stand beside three random parts of the same size, by the family that chose and by one that did not, on an even test,
on a test of the pool's own proportions and on families of materials that are not in the pool; and a control pool in which
every family is there once and tells of no other. Text: planted shares of noisy copies beside the share that is found; with
`--texts`, what a model of bytes makes of everything, of the part without copies and of random parts of that size.
Lines go to `bench/out/redundancy.jsonl`; the last lines are means with 95 % intervals
over all seeds in that file, so seeds can be run one by one.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import string
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from corpus.document import Document, documents_table
from corpus.readers import read_files
from filters.config import DuplicatesConfig
from filters.redundancy.curve import Setting, measure
from filters.redundancy.families import extra, forest, rmse
from filters.redundancy.grow import grow_rounds
from filters.redundancy.ngram_model import fit_ngrams
from filters.redundancy.planted import even, lone, redundant, share_planted, world
from filters.redundancy.prune import Pool, prune_rounds, random_rows
from filters.redundancy.score import likeness

OUT = Path(__file__).parent / "out" / "redundancy.jsonl"
SHARES = (0.7, 0.47, 0.27, 0.17)
FAMILIES = 400
CHUNKS, SHARES_OF_COPIES, COPIED = 300, (0.0, 0.3, 0.5, 0.8), 30
NOISE = 0.02  # of the characters of a copy
STUDENT = {
    2: 12.706,
    3: 4.303,
    4: 3.182,
    5: 2.776,
    6: 2.571,
    7: 2.447,
    8: 2.365,
    10: 2.262,
}  # 95 %, by the number of seeds
Row = dict[str, float]


def main() -> None:
    """All seeds, then means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=201)
    parser.add_argument("--size", type=int, default=6000)
    parser.add_argument("--texts")
    asked = parser.parse_args()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with OUT.open("a") as file:
        for seed in range(asked.first, asked.first + asked.seeds):
            for name, found in _lines(seed, asked.size, asked.texts):
                print(f"seed {seed}  {name:<15} {_told(found)}", flush=True)
                file.write(json.dumps({"size": asked.size, "seed": seed, "what": name, "found": found}) + "\n")
    _print_means(asked.size)


def _print_means(size: int) -> None:
    """Over all seeds of this size that were ever run, each once."""
    rows: dict[str, dict[int, Row]] = {}
    for line in OUT.read_text().splitlines():
        row = json.loads(line)
        if row["size"] == size:
            rows.setdefault(row["what"], {})[row["seed"]] = row["found"]
    for name, by_seed in rows.items():
        print(f"{len(by_seed)} seeds   {name:<15} {_means(list(by_seed.values()))}")


def _told(row: Row) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in row.items())


def _lines(seed: int, size: int, texts: str | None) -> Iterator[tuple[str, Row]]:
    of = world(seed, FAMILIES)
    pool, test = redundant(of, size, seed + 1), even(of, 2000, seed + 2)
    planted = share_planted(of, size, seed + 1)
    yield from _curve("pool", pool, test, even(world(seed, FAMILIES, kinds=1), 1000, seed + 3), seed, planted)
    yield "own test", _own_test(pool, redundant(of, 2000, seed + 4), test, seed)
    yield "committee", _committee(pool, test, seed)
    control, asked = lone(size // 3, 1000, seed)
    yield from _curve("control", control, asked, asked, seed, 0.0)
    for planted in SHARES_OF_COPIES:
        yield f"copies {planted}", _copies(planted, seed)
    if texts:
        yield "bytes", _bytes_read(_passages(texts, seed), seed, 0.8)
        yield "bytes control", _bytes_read(_passages(texts, seed), seed, 0.0)


def _curve(name: str, pool: Pool, test: Pool, outside: Pool, seed: int, planted: float) -> Iterator[tuple[str, Row]]:
    found = measure(pool, Setting(extra, forest, test, outside, seed), SHARES)
    whole = found.points[0]
    for share in SHARES:
        point = min(found.points, key=lambda one: abs(one.share - share))
        yield f"{name} {share}", {
            "kept": point.share, "chosen": point.guide / whole.guide, "random": point.random / whole.random,
            "other family": point.transfer / whole.transfer, "its random": point.random_transfer / whole.random_transfer,
            "left out": point.unused / whole.guide, "outside": point.outside / whole.outside,
        }  # fmt: skip
    yield (
        f"{name} verdict",
        {"planted": planted, "found": found.redundant, "error": whole.guide / float(np.std(test.labels))},
    )


def _own_test(pool: Pool, own: Pool, test: Pool, seed: int) -> Row:
    """The same at about 27 %, on a test of the pool's own proportions."""
    rows = min(prune_rounds(pool, test, extra, until=len(pool) // 4, seed=seed), key=lambda one: abs(len(one) - 0.27 * len(pool)))  # fmt: skip
    whole, chosen = (_error(pool, part, own, seed) for part in (np.arange(len(pool)), rows))
    drawn = [_error(pool, random_rows(len(pool), len(rows), seed + draw), own, seed) for draw in range(3)]
    return {"kept": len(rows) / len(pool), "chosen": chosen / whole, "random": float(np.mean(drawn)) / whole}


def _committee(pool: Pool, test: Pool, seed: int) -> Row:
    *_, rows = grow_rounds(pool, "committee", (forest, extra), until=0.5, step=0.05, seed=seed)
    parts = (np.arange(len(pool)), rows, random_rows(len(pool), len(rows), seed))
    whole, grown, drawn = (_error(pool, part, test, seed) for part in parts)
    return {"share": len(rows) / len(pool), "grown": grown / whole, "random": drawn / whole}


def _error(pool: Pool, part: np.ndarray, test: Pool, seed: int) -> float:
    model = extra(seed)
    model.fit(pool.features[part], pool.labels[part])
    return rmse(model, test.features, test.labels)


def _copies(planted: float, seed: int) -> Row:
    """Planted and found share of noisy copies of a few among random texts."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(string.ascii_lowercase, k=draw.randint(2, 9))) for _ in range(3000)]
    chunks = [" ".join(draw.choices(words, k=170)) for _ in range(CHUNKS)]
    texts = _with_copies(chunks, planted, draw)
    return {"planted": 1 - CHUNKS / len(texts), "found": float((_likeness(texts) > 0).mean())}


def _with_copies(chunks: Sequence[str], planted: float, draw: random.Random) -> list[str]:
    count = round(len(chunks) * planted / (1 - planted))
    return [*chunks, *(_noisy(chunks[number % COPIED], draw) for number in range(count))]


def _noisy(text: str, draw: random.Random) -> str:
    return "".join(
        draw.choice(string.ascii_lowercase) if char != " " and draw.random() < NOISE else char for char in text
    )


def _likeness(texts: Sequence[str]) -> np.ndarray:
    table = documents_table([Document(f"d{number:05d}", text, "web", "MIT", "x") for number, text in enumerate(texts)])
    return likeness(table, DuplicatesConfig(threshold=0.5, shingle=2, bands=40, rows=4))


def _passages(texts: str, seed: int) -> list[str]:
    rows = [row.text[:1000] for row in read_files([texts]) if isinstance(row, Document) and len(row.text) >= 1000]
    return random.Random(seed).sample(rows, 2 * CHUNKS)


def _bytes_read(passages: Sequence[str], seed: int, planted: float) -> Row:
    """Bits per byte of unseen passages after reading everything, a random part, and the part without copies."""
    known, unseen = passages[:CHUNKS], passages[CHUNKS:]
    draw = random.Random(seed)
    texts = _with_copies(known, planted, draw)
    stays = [text for text, like in zip(texts, _likeness(texts), strict=True) if like == 0]
    if not planted:  # nothing to find: a third of the corpus, the middle of its losses, beside a random third
        losses = fit_ngrams(unseen).bits(texts)
        order = np.argsort(losses)
        stays = [texts[row] for row in order[len(order) // 3 : 2 * len(order) // 3]]
    drawn = [draw.sample(texts, len(stays)) for _ in range(5)]
    bits = [float(np.mean(fit_ngrams(part).bits(unseen))) for part in (texts, stays, *drawn)]
    return {"planted": planted, "kept": len(stays) / len(texts), "everything": bits[0], "chosen": bits[1],
            "random": float(np.mean(bits[2:])), "random low": min(bits[2:]), "random high": max(bits[2:])}  # fmt: skip


def _means(rows: Sequence[Row]) -> str:
    """Mean and half of the 95 % interval of each figure."""
    found = []
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        half = STUDENT.get(len(values), 2.4) * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan  # fmt: skip
        found.append(f"{name} {values.mean():.3f} ± {half:.3f}")
    return "  ".join(found)


if __name__ == "__main__":
    main()
