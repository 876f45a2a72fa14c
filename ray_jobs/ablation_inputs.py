"""What `lab ablate` compares: the texts of a recipe's run, or of plain files, split by id into pools and panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import DOCUMENTS, Document, documents_table
from corpus.errors import RecipeError
from corpus.manifest import table_of
from corpus.readers import read_files
from filters.blend import held_out
from ray_jobs.drive import Drive, run
from ray_jobs.recipe import Recipe
from trainer.lab.arms import Pools

if TYPE_CHECKING:
    from trainer.evaluation.panels import Panel

CURATED, RAW_WEB, NEUTRAL = "curated-like", "raw-web", "neutral"
KEPT = ("sensitive", "contaminated")  # filters that no arm goes without
SYNTHETIC, HELD_OUT, PANEL_BYTES = "synthetic", 0.1, 300_000


@dataclass(frozen=True)
class Inputs:
    """Pools for the arms, panels that none of them has read, and what would be kept without each filter."""

    pools: Pools
    panels: Mapping[str, Panel]
    without: Mapping[str, Sequence[str]]


def inputs_of_recipe(recipe: Recipe, neutral: Sequence[str], *, leave_one_out: bool) -> Inputs:
    """Of a run, which is completed up to its filter first."""
    drive = run(recipe, until="filter")
    kept = table_of(drive.folder.child("filter"), drive.manifests["filter"], "documents")
    if recipe.texts not in drive.manifests:
        raise RecipeError("an ablation compares with raw text: the recipe names no sources")
    raw = table_of(drive.folder.child("read"), drive.manifests["read"], "documents").cast(DOCUMENTS)
    written = pc.equal(kept["source"], SYNTHETIC)
    without = _without(recipe, drive) if leave_one_out else {}
    return _inputs(raw, kept.filter(pc.invert(written)), kept.filter(written), neutral, recipe.seed, without)


def inputs_of_files(
    raw: Sequence[str], filtered: Sequence[str], synthetic: Sequence[str], neutral: Sequence[str], seed: int
) -> Inputs:
    """Of files. Documents that raw and filtered files share must have the same id, or the same text."""
    if not raw:
        raise RecipeError("an ablation needs --raw FILES or a recipe", hint="hornbook lab ablate --help")
    return _inputs(_table(raw), _table(filtered), _table(synthetic), neutral, seed, {})


def _inputs(
    raw: pa.Table, filtered: pa.Table, synthetic: pa.Table, neutral: Sequence[str], seed: int,
    without: Mapping[str, pa.Table],
) -> Inputs:  # fmt: skip
    raw_train, raw_held = _parted(raw, seed)
    kept_train, kept_held = _parted(filtered, seed)
    panels = {RAW_WEB: panel(raw_held, seed)}
    if filtered.num_rows:
        panels = {CURATED: panel(kept_held, seed), **panels}
    if neutral:
        panels[NEUTRAL] = panel(_table(neutral), seed)
    back = {
        f"filtered without {name}": _texts(pa.concat_tables([kept_train, _parted(more, seed)[0]]))
        for name, more in without.items()
        if more.num_rows
    }
    return Inputs(Pools(_texts(raw_train), _texts(kept_train), _texts(synthetic)), panels, back)


def _without(recipe: Recipe, drive: Drive) -> dict[str, pa.Table]:
    from filters.chain import rejected_only_by

    home, made = drive.folder, drive.manifests
    documents = table_of(home.child(recipe.texts), made[recipe.texts], "documents").cast(DOCUMENTS).sort_by("id")
    scores = table_of(home.child("filter"), made["filter"], "scores")
    scores = scores.filter(pc.is_in(scores["id"], documents["id"].combine_chunks())).sort_by("id")
    found = rejected_only_by(documents, scores, recipe.filters)
    return {name: documents.filter(pa.array(mask)) for name, mask in found.items() if name not in KEPT}


def _parted(documents: pa.Table, seed: int) -> tuple[pa.Table, pa.Table]:
    """(for training, held out) by the text alone: the same text is on the same side in every pool."""
    mask = pa.array([held_out(text, HELD_OUT, seed) for text in documents["text"].to_pylist()], pa.bool_())
    return documents.filter(pc.invert(mask)), documents.filter(mask)


def panel(documents: pa.Table, seed: int, size: int = PANEL_BYTES) -> Panel:
    """So many bytes of documents, drawn by the seed. Raises `RecipeError` where nothing is held out."""
    import numpy as np

    from trainer.evaluation.panels import AXES, Panel
    from trainer.lab.arms import take

    if not documents.num_rows:
        raise RecipeError("a panel would be empty: no document is held out", hint="give more text")
    rows = documents.to_pylist()
    place = {row["text"]: row for row in rows}
    chosen = [place[text] for text in take(list(place), size, np.random.default_rng([seed, 1]))]
    return Panel([row["text"] for row in chosen], {axis: [row[axis] or "" for row in chosen] for axis in AXES})


def _texts(documents: pa.Table) -> list[str]:
    texts: list[str] = documents["text"].to_pylist()
    return texts


def _table(files: Sequence[str]) -> pa.Table:
    rows = [row for row in read_files(files) if isinstance(row, Document)] if files else []
    if files and not rows:
        raise RecipeError(f"no readable document in {', '.join(files)}")
    return documents_table(rows)
