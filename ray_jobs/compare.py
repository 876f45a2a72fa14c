"""Two runs side by side: what was told differently, and which documents came and went."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import StateError
from corpus.manifest import Manifest, load_manifest, table_of
from ray_jobs.line import run_folder
from ray_jobs.recipe import Recipe
from ray_jobs.stage import differences

STAGE = "filter"


def compare(before: Recipe, after: Recipe) -> dict[str, Any]:
    """Config differences by stage, and documents kept only before, only after, or in both with another text."""
    found: dict[str, Any] = {"before": run_folder(before).url, "after": run_folder(after).url, "config": {}}
    for name in ("read", "clean", "score", "generate", STAGE, "blend", "train"):
        pair = [load_manifest(run_folder(recipe).child(name)) for recipe in (before, after)]
        if pair[0] and pair[1] and (told := list(differences(pair[0].config, pair[1].config))):
            found["config"][name] = told
    left, right = _kept(before), _kept(after)
    gone, come = _without(left, right), _without(right, left)
    found["documents"] = {"before": left.num_rows, "after": right.num_rows, "only before": _by_source(gone),
                          "only after": _by_source(come), "another text": _changed(left, right)}  # fmt: skip
    found["reasons"] = _reasons(_manifest(before), _manifest(after))
    found["same"] = _manifest(before).dataset_hash == _manifest(after).dataset_hash
    return found


def _manifest(recipe: Recipe) -> Manifest:
    manifest = load_manifest(run_folder(recipe).child(STAGE))
    if manifest is None:
        raise StateError(f"{run_folder(recipe).url}: has no filtered dataset yet", hint="hornbook run")
    return manifest


def _kept(recipe: Recipe) -> pa.Table:
    return table_of(run_folder(recipe).child(STAGE), _manifest(recipe), "documents", ["id", "source", "text"])


def _without(table: pa.Table, other: pa.Table) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table["id"], value_set=other["id"].combine_chunks())))


def _by_source(table: pa.Table) -> dict[str, int]:
    return dict(Counter(table["source"].to_pylist()).most_common())


def _changed(left: pa.Table, right: pa.Table) -> int:
    joined = left.join(right, "id", join_type="inner", right_suffix="_after")
    return int(pc.sum(pc.not_equal(joined["text"], joined["text_after"])).as_py() or 0)


def _reasons(before: Manifest, after: Manifest) -> dict[str, tuple[int, int]]:
    names = sorted(before.reasons.keys() | after.reasons.keys())
    pairs = {name: (before.reasons.get(name, 0), after.reasons.get(name, 0)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
