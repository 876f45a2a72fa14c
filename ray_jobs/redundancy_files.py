"""Redundancy of plain files: texts, a number for each that a model has to predict, and what follows from how well it can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus.document import Document, Rejection, documents_table
from corpus.errors import RecipeError, SetupError
from corpus.readers import read_files
from filters.config import DuplicatesConfig
from filters.redundancy.curve import Point, Setting, Verdict, measure
from filters.redundancy.families import family
from filters.redundancy.grow import Doubt, grow_rounds
from filters.redundancy.prune import Pool, prune_rounds
from filters.redundancy.score import By, likeness, losses, prototypes
from filters.redundancy.select import Band, band_rows, k_centre_rows
from filters.vectors import Embed, word_vectors
from ray_jobs.plain_files import unread
from ray_jobs.sink import read_columns, write_out

TEST = 0.1  # of the documents, as in the paper
SHARES = (0.7, 0.5, 0.35, 0.27, 0.2, 0.1)


@dataclass(frozen=True)
class Labelled:
    """Documents by id with their vectors and the number that is predicted."""

    ids: list[str]
    pool: Pool
    unread: list[str]

    def split(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """(rows of the pool, rows of the test)."""
        order = np.random.default_rng(seed).permutation(len(self.ids))
        cut = int(TEST * len(order))
        return np.sort(order[cut:]), np.sort(order[:cut])


def load(files: Sequence[str], scores: str | Path, column: str, field: str, dimensions: int) -> Labelled:
    """Texts of `files` joined by id with a numeric column of a Parquet file, such as `hornbook filter score` writes."""
    numbers = _numbers(scores, column)
    rejected: list[Rejection] = []
    ids, texts = [], []
    for row in _read(files, field, rejected):
        if row.id in numbers:
            ids.append(row.id)
            texts.append(row.text)
    if len(ids) < 500:
        raise RecipeError(f"{len(ids):,} documents have a number in {scores}; 500 are the least that says anything")
    labels = np.array([numbers[name] for name in ids], float)
    return Labelled(ids, Pool(word_vectors(texts, dimensions), labels), unread(rejected))


def score_files(
    files: Sequence[str], out: str | Path, by: By, embedding: str, reference: Path | None, seed: int, field: str
) -> list[str]:
    """Write `id` and `score`: bits per byte by a reference that has not seen the text, likeness to the text that stays in its
    place, or distance from the centre of its cluster."""
    rejected: list[Rejection] = []
    rows = [row for row in _read(files, field, rejected) if row.text.strip()]
    if len(rows) < 10:
        raise RecipeError(
            f"{len(rows)} readable documents: ten are the least", hint="; ".join(r.detail for r in rejected[:3])
        )
    texts = [row.text for row in rows]
    if by == "loss" and reference:
        scores = _bits_by(reference, texts)
        told = f"{float(np.mean(scores)):.3f} bits per byte in the mean by {reference}, which must not have learned from these files"
    elif by == "loss":
        scores = losses(texts, seed=seed)
        told = f"{float(np.nanmean(scores)):.3f} bits per byte in the mean, each half by a model of the other"
    elif by == "copies":
        scores = likeness(documents_table(rows), DuplicatesConfig())
        told = f"{float((scores > 0).mean()):.1%} of the documents are copies of others"
    else:
        scores = prototypes(texts, _embed_by(embedding), seed=seed)
        told = f"distance from the centre of its cluster: {float(np.mean(scores)):.3f} in the mean"
    table = pa.table({"id": [row.id for row in rows], "score": pa.array(scores, pa.float32())})
    write_out(out, table)
    return [told, *unread(rejected), f"wrote {out}"]


def _bits_by(folder: Path, texts: Sequence[str]) -> np.ndarray:
    """Bits per byte of each text by a trained student."""
    from trainer.evaluate import bits_per_byte

    found = bits_per_byte(folder, texts)
    return found.nats / np.log(2) / np.maximum(found.bytes, 1)


def _embed_by(embedding: str) -> Embed:
    """Hashed words brought to a few dimensions, or the encoder of a folder."""
    if not embedding:
        return word_vectors
    from generator.local_embed import load_encoder

    return load_encoder(embedding)


def _read(files: Sequence[str], field: str, rejected: list[Rejection]) -> Iterator[Document]:
    for row in read_files(files, text_field=field):
        if isinstance(row, Document):
            yield row
        else:
            rejected.append(row)


def measure_files(data: Labelled, guide: str, transfer: str, outside: Labelled | None, seed: int) -> list[str]:
    """The curve, and what it says."""
    rows, test = data.split(seed)
    nothing = Pool(np.zeros((0, data.pool.features.shape[1])), np.zeros(0))
    setting = Setting(family(guide), family(transfer), data.pool.take(test), outside.pool if outside else nothing, seed)
    found = measure(data.pool.take(rows), setting, SHARES)
    return [*_curve(found), found.sentence, *data.unread]


def prune_files(data: Labelled, out: str | Path, keep: float, by: str, seed: int) -> list[str]:
    """Write the ids that stay: by the loop (`predicted`), by a band of the number, or by spread over the vectors."""
    kept = int(keep * len(data.ids))
    if by == "predicted":
        rows, test = data.split(seed)
        rounds = prune_rounds(
            data.pool.take(rows), data.pool.take(test), family("extra"), until=max(50, kept - len(test)), seed=seed
        )
        *_, last = rounds
        chosen = np.union1d(rows[last], test)
    elif by in ("low", "middle", "high"):
        band: Band = next(one for one in ("low", "middle", "high") if one == by)
        chosen = band_rows(data.pool.labels, kept, band)
    elif by == "spread":
        chosen = k_centre_rows(data.pool.features, kept)
    else:
        raise RecipeError(
            f"there is no way to choose called `{by}`", hint="known: predicted, low, middle, high, spread"
        )
    write_out(out, pa.table({"id": pa.array([data.ids[row] for row in chosen], pa.string())}))
    return [f"{len(chosen):,} of {len(data.ids):,} documents stay", *data.unread, f"wrote {out}"]


def grow_files(data: Labelled, out: str | Path, until: float, doubt: Doubt, seed: int) -> list[str]:
    """Write ids in the order in which they are worth adding, a column `round` beside them."""
    seen: set[int] = set()
    names, rounds = [], []
    for number, rows in enumerate(
        grow_rounds(data.pool, doubt, (family("forest"), family("boosted")), until=until, seed=seed)
    ):
        fresh = [row for row in rows.tolist() if row not in seen]
        seen |= set(fresh)
        names += [data.ids[row] for row in fresh]
        rounds += [number] * len(fresh)
    write_out(out, pa.table({"id": names, "round": rounds}))
    return [f"{len(names):,} of {len(data.ids):,} documents in {rounds[-1] + 1} rounds", *data.unread, f"wrote {out}"]


def _numbers(scores: str | Path, column: str) -> dict[str, float]:
    try:
        table = read_columns(scores, ["id", column])
    except FileNotFoundError:
        raise SetupError(
            f"{scores}: there is no such file; `hornbook filter redundancy score` or `judge` writes one"
        ) from None
    except (OSError, KeyError, pa.ArrowException) as error:
        raise SetupError(f"{scores}: no column `{column}` to read: {str(error).splitlines()[0]}") from None
    pairs = zip(table["id"].to_pylist(), table[column].cast(pa.float64()).to_pylist(), strict=True)
    return {name: value for name, value in pairs if value is not None and value == value}


def _curve(found: Verdict) -> Iterator[str]:
    yield f"{'kept':>8} {'share':>6} {'chosen':>8} {'random':>8} {'(95 %)':>17} {'other family':>13} {'left out':>9} {'outside':>8}"
    yield from (_line(point) for point in found.points)


def _line(point: Point) -> str:
    interval = f"{point.random_low:.4f}-{point.random_high:.4f}"
    return (f"{point.kept:>8,} {point.share:>6.0%} {point.guide:>8.4f} {point.random:>8.4f} {interval:>17} "
            f"{point.transfer:>6.4f}/{point.random_transfer:.4f} {point.unused:>9.4f} {point.outside:>8.4f}")  # fmt: skip
