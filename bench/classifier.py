"""How fast each kind of classifier scores whole texts, beside fastText as it comes: CPU time, interleaved, best of several.

    python -m bench.classifier --teaches BOOKS.jsonl.gz --other WEB.jsonl.gz [--repeats 3] [--most 4000]

`default fastText` is trained as DCLM's was (dim 100, 2,000,000 buckets, uni- and bigrams; 1 epoch here, which changes no
speed) and predicts the label of each text with its line feeds taken out: the least that one would write by hand. How good
they are is another question: `hornbook filter classifier evaluate`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from filters.fasttext_classifier import fit_fasttext, one_line
from filters.folds import Examples
from filters.word_bag import fit_bag
from ray_jobs.classifier_files import contrast


def main() -> None:
    """Print documents and megabytes a CPU second, the ratio to default fastText, and the size of each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teaches", nargs="+", required=True)
    parser.add_argument("--other", nargs="+", required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--most", type=int, default=4000)
    asked = parser.parse_args()
    examples, _ = contrast(asked.teaches, asked.other, "text", None)
    rows = np.random.default_rng(7).permutation(len(examples.texts))[: asked.most]
    texts = [examples.texts[row] for row in rows]
    bytes_ = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts):,} texts, {bytes_:.1f} MB, mean {1e6 * bytes_ / len(texts):,.0f} bytes")
    with tempfile.TemporaryDirectory() as folder:
        arms, sizes = _arms(examples, Path(folder))
        best = _timed(arms, texts, asked.repeats)
    for name, seconds in best.items():
        print(f"{name:<20} {len(texts) / seconds:>9,.0f} texts/s {bytes_ / seconds:>7.1f} MB/s "
              f"{best['default fastText'] / seconds:>6.2f}x {sizes[name]:>8.1f} MB")  # fmt: skip


def _arms(examples: Examples, folder: Path) -> tuple[dict[str, Callable[[Sequence[str]], object]], dict[str, float]]:
    """Scorers by name, and the size of each one's file in MB."""
    import fasttext

    lines = one_line(pl.Series(examples.texts, dtype=pl.String)).to_list()
    train = folder / "train.txt"
    train.write_text(
        "".join(f"__label__{int(label)} {line}\n" for label, line in zip(examples.labels, lines, strict=True)), "utf-8"
    )
    default = fasttext.train_supervised(str(train), dim=100, wordNgrams=2, epoch=1, thread=1, verbose=0)
    default.save_model(str(folder / "default.bin"))
    bag = fit_bag(examples.texts, examples.labels, examples.sources.tolist())
    bag.save(folder / "bag")
    small = fit_fasttext(examples.texts, examples.labels, sources=examples.sources.tolist(), seed=17)
    small.save(folder / "small.bin")
    arms: dict[str, Callable[[Sequence[str]], object]] = {
        "default fastText": lambda texts: default.predict([text.replace("\n", " ") for text in texts]),
        "kind words": bag.score,
        "kind fasttext": small.score,
    }
    files = dict(zip(arms, ("default.bin", "bag", "small.bin"), strict=True))
    return arms, {name: (folder / file).stat().st_size / 1e6 for name, file in files.items()}


def _timed(arms: dict[str, Callable[[Sequence[str]], object]], texts: Sequence[str], repeats: int) -> dict[str, float]:
    """The least CPU seconds of each arm over interleaved rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(repeats):
        for name, arm in arms.items():
            begun = time.process_time()
            arm(texts)
            seconds[name].append(time.process_time() - begun)
    return {name: min(values) for name, values in seconds.items()}


if __name__ == "__main__":
    main()
