"""A blend of plain files: a mix to a token budget, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import Rejection, documents_table
from corpus.errors import RecipeError
from filters.blend import blend
from filters.config import BlendConfig
from filters.curriculum import Curriculum
from filters.presets import PRESETS, preset_weights
from ray_jobs.plain_files import batches, unread
from ray_jobs.sink import write_out


def blend_files(
    files: Sequence[str], out: str | Path, config: BlendConfig, weights: str, roles: str, seed: int, field: str
) -> list[str]:
    """Write a mix of `config.tokens`; a token is counted as four UTF-8 bytes, since no tokenizer is named here.

    `weights` and `roles` are comma-separated, one a file. Raises `RecipeError` where their number is another.
    """
    rejected: list[Rejection] = []
    read = {name: table_of_file(name, field, rejected) for name in files}
    tables = {name: table for name, table in read.items() if table.num_rows}
    if not tables:
        raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    shares = {name: float(value) for name, value in _each(files, weights, "--weights").items()}
    if config.preset:
        tokens = {name: sum(table["tokens"].to_pylist()) for name, table in tables.items()}
        shares = preset_weights(config.preset, _each(files, roles, "--roles"), tokens)
    order = Curriculum(config.order, tuple(name for name in files if name in tables), config.replay)
    mix = blend(tables, shares, config.tokens or 0, config.max_epochs, seed, order)
    whole = pa.concat_tables(list(tables.values()))
    place = {key: index for index, key in enumerate(whole["id"].to_pylist())}
    write_out(out, whole.take(pa.array([place[key] for key in mix.rows], pa.int64())))
    told = [f"{s.source}: {s.taken:,} of {s.asked:,} tokens asked, {s.epochs} epochs" for s in mix.shares]
    if len(mix.blocks) > 1:
        told.append(f"{config.order}: blocks of {', '.join(f'{size:,}' for size in mix.blocks)} texts")
    if config.preset:
        told.append(f"weights of {config.preset}: {PRESETS[config.preset].source}")
    return [*told, *unread(rejected), f"wrote {out}"]


def table_of_file(name: str, field: str, rejected: list[Rejection]) -> pa.Table:
    """All documents of a file with `tokens` estimated; rows that cannot be read are added to `rejected`."""
    parts = list(batches([name], field, rejected))
    return _with_estimate(pa.concat_tables(parts) if parts else documents_table([]))


def _each(files: Sequence[str], given: str, option: str) -> dict[str, str]:
    """One value a file; none where nothing is given."""
    values = [value.strip() for value in given.split(",")] if given else []
    if values and len(values) != len(files):
        raise RecipeError(f"{option} has {len(values)} values for {len(files)} files")
    if option == "--weights" and any(not _is_number(value) for value in values):
        raise RecipeError(f"{option} {given}: these are no numbers", hint="such as 2,1")
    return dict(zip(files, values, strict=True)) if values else {}


def _is_number(value: str) -> bool:
    try:
        return float(value) >= 0
    except ValueError:
        return False


def _with_estimate(table: pa.Table) -> pa.Table:
    sizes = pc.cast(pc.add(pc.divide(pc.binary_length(table["text"]), 4), 1), pa.int32())
    return table.set_column(table.schema.get_field_index("tokens"), "tokens", sizes)
