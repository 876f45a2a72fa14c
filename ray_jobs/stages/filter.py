"""filter: decides over the scores, finds duplicates across all sources, and keeps a reason for everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import DOCUMENTS, REJECTIONS, Rejection, rejections_table
from corpus.facts import Fact, curves, histogram, samples, table
from corpus.ids import digest
from corpus.label_join import NOT_KEPT, TEXT_CHANGED, LabelJoin
from corpus.manifest import Balance, Manifest, dataset_hash, table_of, tables_of
from corpus.resumable import clear
from corpus.shards import write_partition
from corpus.soft_labels import KIND
from corpus.store import Store
from filters.chain import at_top, decide, score_table
from filters.config import DuplicatesConfig, FilterConfig
from filters.decontaminate import benchmark_hash, contamination
from filters.dedup import begin_work, find_duplicates, s_curve
from filters.sensitive import policies, redact
from ray_jobs.grounding import with_facts
from ray_jobs.line import Line
from ray_jobs.stage import Made, Stage
from ray_jobs.stages.read import with_tokens
from ray_jobs.stages.score import classifier, toxicity

SHARD_ROWS = 20_000
SHOWN = 30  # samples of each kind in the report
NEVER_SHOWN = ("sensitive", "toxic", "contaminated")


def stage(line: Line, inputs: Mapping[str, Manifest]) -> Stage:
    """The stage of this recipe."""
    config = {"filters": line.recipe.filters.model_dump(mode="json"), "seed": line.recipe.seed}
    benchmarks = benchmark_hash(line.recipe.filters.decontaminate)
    return Stage("filter", config, dict(inputs), lambda store: _work(line, inputs, store), benchmarks)


def _work(line: Line, inputs: Mapping[str, Manifest], store: Store) -> Made:
    documents, scores = _gather(line, inputs)
    scores = with_facts(line, inputs, documents, _with_contamination(line, documents, scores))
    config = at_top(documents, scores, line.recipe.filters)
    rejected = decide(documents, scores, config)
    survivors = _without(documents, rejected["id"])
    copies = _copies(line, survivors, scores, store.child("dedup"))
    rejected = pa.concat_tables([rejected, _duplicates(copies, survivors)])
    kept = _without(survivors, copies["id"])
    kept = with_tokens(kept, line.teacher.counter()).sort_by("id")
    partitions = [
        write_partition(store, "documents", 0, kept),
        write_partition(store, "rejected", 0, rejected.sort_by("id")),
        write_partition(store, "scores", 0, scores.sort_by("id")),
        write_partition(store, "duplicates", 0, copies),
    ]
    return Made(
        partitions=tuple(partitions),
        balance=Balance(taken=documents.num_rows, kept=kept.num_rows, rejected=rejected.num_rows),
        reasons=Counter(rejected["reason"].to_pylist()),
        licences=Counter(kept["licence"].to_pylist()),
        facts=_facts(line, config, documents, kept, rejected, copies, scores) | _labels_fact(line, inputs, kept),
        totals=_totals(kept),
        dataset_hash=dataset_hash([kept]),
    )


def _gather(line: Line, inputs: Mapping[str, Manifest]) -> tuple[pa.Table, pa.Table]:
    """All documents and their scores, in the same order; what was written is scored here, what was read before."""
    documents, scores = [], []
    if (texts := line.recipe.texts) in inputs:
        documents.append(table_of(line.folder.child(texts), inputs[texts], "documents"))
        scores.append(table_of(line.folder.child("score"), inputs["score"], "scores"))
    if "generate" in inputs and inputs["generate"].of("documents"):
        written = table_of(line.folder.child("generate"), inputs["generate"], "documents")
        model = classifier(line.folder.child("score"), line.recipe.filters.classifier) if "score" in inputs else None
        documents.append(written)
        toxic = toxicity(line.recipe.filters.toxic.classifier)
        scores.append(score_table(written, quality=model, toxicity=toxic))
    if scores:
        scores = [scores[0], *(part.cast(scores[0].schema) for part in scores[1:])]
    return pa.concat_tables([part.cast(DOCUMENTS) for part in documents]), pa.concat_tables(scores)


def _with_contamination(line: Line, documents: pa.Table, scores: pa.Table) -> pa.Table:
    """The scores, and how much of a benchmark stands in each text, where the recipe names benchmarks."""
    config = line.recipe.filters.decontaminate
    if not config.against:
        return scores
    shards = [documents.slice(start, SHARD_ROWS) for start in range(0, documents.num_rows, SHARD_ROWS)]
    found = pa.concat_tables(list(line.passes.map(partial(contamination, config=config), shards)))
    for name in found.column_names[1:]:
        scores = scores.append_column(name, found[name])
    return scores


def _without(documents: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    return documents.filter(pc.invert(pc.is_in(documents["id"], value_set=ids.combine_chunks())))


def _copies(line: Line, survivors: pa.Table, scores: pa.Table, work: Store) -> pa.Table:
    """Of two copies the one with the better quality score stays."""
    quality = dict(zip(scores["id"].to_pylist(), scores["quality.teaches"].to_pylist(), strict=True))
    ids = survivors["id"].to_pylist()
    priority = [quality[row] for row in ids]
    table = survivors.select(["id", "text"]).append_column("priority", pa.array(priority, pa.float64()))
    config = line.recipe.filters.duplicates
    begin_work(work, config, digest(ids, [str(value) for value in priority]))
    copies = find_duplicates(
        [table.slice(start, SHARD_ROWS) for start in range(0, table.num_rows, SHARD_ROWS)],
        config,
        line.passes.map,
        work,
    )
    clear(work)
    return copies


def _duplicates(copies: pa.Table, documents: pa.Table) -> pa.Table:
    source = dict(zip(documents["id"].to_pylist(), documents["source"].to_pylist(), strict=True))
    rows = [
        Rejection(
            row["id"],
            "filter",
            f"duplicate.{row['kind']}",
            f"of {row['kept_id']} at {row['jaccard']:.2f}",
            source[row["id"]],
        )
        for row in copies.to_pylist()
    ]
    return rejections_table(rows) if rows else REJECTIONS.empty_table()


def _labels_fact(line: Line, inputs: Mapping[str, Manifest], kept: pa.Table) -> dict[str, Fact]:
    """How many soft labels still hold: those of edited texts are dropped, and counted."""
    written = inputs.get("generate")
    if written is None or not written.of(KIND):
        return {}
    join = LabelJoin([kept])
    for _ in join.join(tables_of(line.folder.child("generate"), written, KIND, ["id", "text_hash", "start", "end"])):
        pass
    row = [join.labelled, join.tokens, join.dropped[TEXT_CHANGED], join.dropped[NOT_KEPT]]
    columns = ["documents", "tokens", "dropped: text changed", "dropped: document not kept"]
    return {"soft_labels.kept": table("Soft labels of the kept documents", columns, [row])}


def _totals(kept: pa.Table) -> dict[str, int]:
    return {
        "documents": kept.num_rows,
        "tokens": int(sum(kept["tokens"].to_pylist())),
        "characters": int(pc.sum(pc.utf8_length(kept["text"])).as_py() or 0),
        "synthetic": int(sum(source == "synthetic" for source in kept["source"].to_pylist())),
    }


def _facts(
    line: Line,
    config: FilterConfig,
    documents: pa.Table,
    kept: pa.Table,
    rejected: pa.Table,
    copies: pa.Table,
    scores: pa.Table,
) -> dict[str, Fact]:
    sources = sorted(set(documents["source"].to_pylist()))
    before, after = Counter(documents["source"].to_pylist()), Counter(kept["source"].to_pylist())
    reasons = Counter(zip(rejected["reason"].to_pylist(), rejected["source"].to_pylist(), strict=True))
    names = sorted({name for name, _ in reasons}, key=lambda name: -sum(reasons[name, source] for source in sources))
    rows = [["in", *(before[source] for source in sources)]]
    rows += [[name, *(reasons[name, source] for source in sources)] for name in names]
    rows += [["kept", *(after[source] for source in sources)]]
    source_of = dict(zip(documents["id"].to_pylist(), documents["source"].to_pylist(), strict=True))
    groups = [source_of[row] for row in scores["id"].to_pylist()]
    return {
        "yield": table("What was kept, and why the rest was not", ["", *sources], rows),
        "lengths": histogram("Length of what was kept", "tokens", kept["tokens"].to_pylist(), groups=kept["source"].to_pylist()),
        "scores.quality": histogram(
            "Quality score", "probability", scores["quality.teaches"].to_pylist(), groups=groups
        )
        | {"thresholds": {"kept from": config.quality}},
        **_sensitive_fact(line, scores),
        "duplicates": table("Duplicates by kind", ["kind", "documents"], [list(row) for row in Counter(copies["kind"].to_pylist()).items()]),
        "duplicates.curve": curves("What the index finds", "Jaccard similarity", "probability",
                                   {_index_name(line.recipe.filters.duplicates): s_curve(line.recipe.filters.duplicates)}),
        "samples.kept": samples("Kept", _samples(line, kept)),
        "samples.rejected": samples("Rejected", _rejected_samples(line, documents, rejected)),
    }  # fmt: skip


def _sensitive_fact(line: Line, scores: pa.Table) -> dict[str, Fact]:
    """What was found of each kind, and what the recipe says of it."""
    rows = []
    for kind, policy in policies(line.recipe.filters).items():
        found = scores[f"sensitive.{kind}"].to_numpy()
        if found.any():
            rows.append([kind, int((found > 0).sum()), int(found.sum()), policy])
    columns = ["kind", "documents", "findings", "policy"]
    return {"sensitive": table("Sensitive text found", columns, rows)} if rows else {}


def _index_name(config: DuplicatesConfig) -> str:
    return f"{config.bands} × {config.rows}"


def _samples(line: Line, kept: pa.Table) -> list[dict[str, str]]:
    chosen = sorted(kept["id"].to_pylist(), key=lambda row: digest("sample", line.recipe.seed, row))[:SHOWN]
    rows = (
        kept.filter(pc.is_in(kept["id"], pa.array(chosen, pa.string())))
        .select(["id", "text", "source", "domain", "form"])
        .to_pylist()
    )
    return [{**row, "text": redact(row["text"])[0], "verdict": "kept"} for row in rows]


def _rejected_samples(line: Line, documents: pa.Table, rejected: pa.Table) -> list[dict[str, str]]:
    rows = sorted(rejected.to_pylist(), key=lambda row: digest("sample", line.recipe.seed, row["id"]))
    chosen = {row["id"]: row for row in rows[:SHOWN]}
    texts = documents.filter(pc.is_in(documents["id"], pa.array(list(chosen), pa.string())))
    return [
        {
            "id": row["id"], "source": row["source"], "domain": row["domain"], "verdict": "rejected",
            "reason": chosen[row["id"]]["reason"], "detail": redact(chosen[row["id"]]["detail"])[0],
            "text": "(withheld)" if chosen[row["id"]]["reason"].split(".")[0] in NEVER_SHOWN else redact(row["text"])[0],
        }
        for row in texts.select(["id", "text", "source", "domain"]).to_pylist()
    ]  # fmt: skip
