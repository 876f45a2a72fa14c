"""blend: what each arm of students reads, at equal tokens, and what none of them ever sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import DOCUMENTS
from corpus.facts import Fact, table
from corpus.manifest import Balance, Manifest, dataset_hash, table_of
from corpus.shards import Partition, write_partition
from corpus.store import Store
from filters.blend import Blend, Share, blend, held_out
from filters.config import BlendConfig
from filters.curriculum import Curriculum
from filters.presets import preset_weights
from ray_jobs.line import Line
from ray_jobs.stage import Made, Stage
from ray_jobs.stages.read import with_tokens

SYNTHETIC = "synthetic"
RAW, FILTERED, MIXED = "raw", "filtered", "filtered + synthetic"
PANELS = ("curated-like", "raw-like", "neutral")


@dataclass(frozen=True)
class Pools:
    """Training text by arm and source, and the held-out panels, all without held-out ids."""

    arms: dict[str, dict[str, pa.Table]]
    panels: dict[str, pa.Table]
    kept: pa.Table


def stage(line: Line, inputs: Mapping[str, Manifest]) -> Stage:
    """The stage of this recipe."""
    recipe = line.recipe
    config = {
        "blend": recipe.blend.model_dump(mode="json"),
        "seed": recipe.seed,
        "student_tokens": recipe.student.tokens if recipe.student else 0,
    }
    return Stage("blend", config, dict(inputs), lambda store: _work(line, inputs, store))


def _work(line: Line, inputs: Mapping[str, Manifest], store: Store) -> Made:
    pools = _pools(line, inputs)
    budget = _budget(line, pools)
    main, blends = _blends(line, pools, budget)
    partitions = _written(store, pools, blends)
    chosen = blends[main]
    held = pools.kept.num_rows - sum(part.num_rows for part in pools.arms[main].values())
    rows = len(chosen.rows)
    return Made(
        partitions=tuple(partitions),
        balance=Balance(taken=pools.kept.num_rows, repeated=chosen.repeated, kept=rows, unused=chosen.unused + held),
        facts={"blend": _shares_fact(chosen), "arms.blend": _arms_fact(blends)},
        totals={"documents": rows, "tokens": sum(share.taken for share in chosen.shares), "held_out": held},
        dataset_hash=dataset_hash([pools.kept]),
    )


def _pools(line: Line, inputs: Mapping[str, Manifest]) -> Pools:
    seed, share = line.recipe.seed, line.recipe.blend.held_out
    kept = table_of(line.folder.child("filter"), inputs["filter"], "documents")
    is_written = pc.equal(kept["source"], SYNTHETIC)
    written, web = kept.filter(is_written), _read_by_arms(line, kept.filter(pc.invert(is_written)))
    # What the teacher wrote is no panel: a student that read more of it would win there for free.
    train_web, curated = _parted(web, share, seed)
    group = partial(_grouped, by=line.recipe.blend.by, bands=_bands(line, inputs["filter"]))
    arms: dict[str, dict[str, pa.Table]] = {}
    panels = {PANELS[0]: curated}
    if "read" in inputs:
        raw = table_of(line.folder.child("read"), inputs["read"], "documents").cast(DOCUMENTS)
        read = _read_by_arms(line, raw)
        train_raw, panels[PANELS[1]] = _parted(with_tokens(read, line.teacher.counter()), share, seed)
        if line.recipe.blend.neutral:
            panels[PANELS[2]] = raw.filter(_neutral(line, raw))
        arms[RAW] = group(train_raw)
        arms[FILTERED] = group(train_web)
    if written.num_rows:
        arms[MIXED] = group(pa.concat_tables([train_web, written]))
    return Pools(arms, panels, kept)


def _read_by_arms(line: Line, documents: pa.Table) -> pa.Table:
    """Without the neutral sources."""
    return documents.filter(pc.invert(_neutral(line, documents))) if line.recipe.blend.neutral else documents


def _neutral(line: Line, documents: pa.Table) -> pa.Array:
    return pc.is_in(documents["source"], pa.array(line.recipe.blend.neutral, pa.string()))


def _parted(documents: pa.Table, share: float, seed: int) -> tuple[pa.Table, pa.Table]:
    """(for training, held out): decided by the id alone, so raw and filtered hold out the same documents."""
    mask = pa.array([held_out(row, share, seed) for row in documents["id"].to_pylist()], pa.bool_())
    return documents.filter(pc.invert(mask)), documents.filter(mask)


def _grouped(documents: pa.Table, by: str, bands: Mapping[str, str]) -> dict[str, pa.Table]:
    """Documents by source, domain, language or band of their quality."""
    if by == "band":
        written = [source == SYNTHETIC for source in documents["source"].to_pylist()]
        names = [
            SYNTHETIC if own else bands.get(row, "unscored")
            for row, own in zip(documents["id"].to_pylist(), written, strict=True)
        ]
        column = pa.array(names, pa.string())
    else:
        column = documents[by]
    return {name: documents.filter(pc.equal(column, name)) for name in sorted(set(column.to_pylist()))}


def _bands(line: Line, filtered: Manifest) -> dict[str, str]:
    """The fifth of the quality score that a document is in, by id; none where nothing asks for it."""
    if line.recipe.blend.by != "band":
        return {}
    scores = table_of(line.folder.child("filter"), filtered, "scores", ["id", "quality.teaches"])
    fifths = [min(4, int(5 * value)) for value in scores["quality.teaches"].to_pylist()]
    return {
        row: f"{fifth / 5:.1f}-{(fifth + 1) / 5:.1f}"
        for row, fifth in zip(scores["id"].to_pylist(), fifths, strict=True)
    }


def _budget(line: Line, pools: Pools) -> int:
    """The recipe's, else as many tokens as the scarcest arm has: equal tokens for all arms."""
    if line.recipe.blend.tokens:
        return line.recipe.blend.tokens
    return min(sum(sum(part["tokens"].to_pylist()) for part in arm.values()) for arm in pools.arms.values())


def _blends(line: Line, pools: Pools, budget: int) -> tuple[str, dict[str, Blend]]:
    config = line.recipe.blend
    blends = {}
    for arm, tables in pools.arms.items():
        weights = _weights(config, tables) if arm == MIXED else {}
        order = Curriculum(config.order, config.sequence, config.replay) if arm == MIXED else Curriculum()
        blends[arm] = blend(tables, weights, budget, config.max_epochs, line.recipe.seed, order)
    return next(name for name in (MIXED, FILTERED) if name in blends), blends


def _weights(config: BlendConfig, tables: Mapping[str, pa.Table]) -> Mapping[str, float]:
    if config.preset is None:
        return config.weights
    tokens = {name: sum(table["tokens"].to_pylist()) for name, table in tables.items()}
    return preset_weights(config.preset, config.roles, tokens)


def _written(store: Store, pools: Pools, blends: Mapping[str, Blend]) -> list[Partition]:
    partitions = []
    for index, (arm, chosen) in enumerate(blends.items()):
        rows = {key: found for part in pools.arms[arm].values() for key, *found in zip(*_columns(part), strict=True)}
        source = {key: name for name, part in pools.arms[arm].items() for key in part["id"].to_pylist()}
        texts, languages = zip(*(rows[key] for key in chosen.rows), strict=True) if chosen.rows else ((), ())
        mix = pa.table({"id": chosen.rows, "text": list(texts), "source": [source[key] for key in chosen.rows],
                        "language": list(languages), "arm": [arm] * len(chosen.rows)})  # fmt: skip
        partitions.append(write_partition(store, "mix", index, mix))
    for index, (panel, held) in enumerate(pools.panels.items()):
        rows_held = held.select(["id", "text", "source"]).append_column(
            "panel", pa.array([panel] * held.num_rows, pa.string())
        )
        partitions.append(write_partition(store, "held_out", index, rows_held))
    return partitions


def _columns(part: pa.Table) -> tuple[list[str], ...]:
    return tuple(part[name].to_pylist() for name in ("id", "text", "language"))


def _shares_fact(chosen: Blend) -> Fact:
    def row(share: Share) -> list[object]:
        return [share.source, share.documents, share.tokens, share.taken, share.asked, share.epochs]

    return table(
        "The blend", ["part", "documents", "tokens there", "tokens read", "tokens asked", "epochs"],
        [row(share) for share in chosen.shares],
    )  # fmt: skip


def _arms_fact(blends: Mapping[str, Blend]) -> Fact:
    rows = [[arm, len(chosen.rows), sum(share.taken for share in chosen.shares)] for arm, chosen in blends.items()]
    return table("What each arm may read", ["arm", "documents", "tokens"], rows,
                 caption="Every arm trains on the same number of its own tokens.")  # fmt: skip
