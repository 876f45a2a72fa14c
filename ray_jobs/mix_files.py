"""Weights for a blend of plain files, by models of bytes that are trained in a second each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from corpus.document import Rejection
from corpus.errors import RecipeError
from filters.blend import blend
from filters.mix_search import MixSearch, Trial, search_mix
from filters.redundancy.ngram_model import fit_ngrams
from ray_jobs.blend_files import table_of_file
from ray_jobs.plain_files import unread

EPOCHS = 8.0  # that a proxy may repeat a file, so that small files can be weighed at all
MOST = 400  # target texts that a proxy is judged by


def search_files(
    files: Sequence[str], target: Sequence[str], tokens: int, mixes: int, seed: int, field: str
) -> list[str]:
    """Search weights for `files` by the bits per byte of `target` files after reading `tokens` of a mix.

    Raises `RecipeError` where a file, or the target, holds no readable text.
    """
    rejected: list[Rejection] = []
    tables = {name: table_of_file(name, field, rejected) for name in files}
    wanted = [text for name in target for text in table_of_file(name, field, rejected)["text"].to_pylist()]
    if empty := [name for name, table in tables.items() if not table.num_rows] or ([] if wanted else list(target)):
        raise RecipeError(f"{empty[0]}: no readable document", hint="; ".join(row.detail for row in rejected[:3]))
    judged = np.random.default_rng(seed).permutation(np.array(wanted, object))[:MOST].tolist()
    texts = {key: text for table in tables.values() for key, text in zip(*_columns(table), strict=True)}

    def train(weights: Mapping[str, float]) -> float:
        rows = blend(tables, weights, tokens, EPOCHS, seed).rows
        return float(np.nanmean(fit_ngrams([texts[row] for row in rows]).bits(judged)))

    have = {name: int(sum(table["tokens"].to_pylist())) for name, table in tables.items()}
    found = search_mix(have, train, mixes=mixes, held_out=max(6, mixes // 4), seed=seed)
    return [*_told(found, files), *unread(rejected)]


def _told(found: MixSearch, files: Sequence[str]) -> list[str]:
    def line(name: str, trial: Trial) -> str:
        shares = "  ".join(f"{trial.weights.get(file, 0):>6.1%}" for file in files)
        return f"{name:<24} {trial.loss:>8.4f}   {shares}"

    head = f"{'':<24} {'bits':>8}   {'  '.join(f'{number + 1:>6}' for number in range(len(files)))}"
    verdict = "the proposal is better than every mix that was drawn" if found.better else "no better than the best mix that was drawn: keep that one, or the natural one"  # fmt: skip
    return [
        *(f"{number + 1}: {file}" for number, file in enumerate(files)),
        head,
        line("as much as there is", found.natural),
        line(f"best of {len(found.learned) + len(found.held_out)} drawn", found.best_drawn),
        line("proposed", found.proposed),
        f"rank correlation on {len(found.held_out)} mixes that were not learned from {found.rank:.2f}, after shuffled losses {found.shuffled:.2f}",
        f"{verdict} (predicted {found.predicted:.4f})",
        f"--weights {','.join(str(found.proposed.weights.get(file, 0.0)) for file in files)}",
    ]


def _columns(table: pa.Table) -> tuple[list[str], list[str]]:
    return table["id"].to_pylist(), table["text"].to_pylist()
