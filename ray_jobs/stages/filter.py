"""filter: decides over the scores, finds duplicates across all sources, and keeps a reason for everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.facts import Fact, curves, histogram_of, samples, table
from corpus.ids import digest
from corpus.label_join import NOT_KEPT, TEXT_CHANGED, LabelJoin
from corpus.manifest import Balance, Manifest, dataset_hash_of, tables_of
from corpus.resumable import begin, clear, recorded
from corpus.shards import Partition, read_partition, write_partition
from corpus.soft_labels import KIND
from corpus.store import Store
from filters.chain import at_top
from filters.config import DuplicatesConfig, FilterConfig
from filters.decontaminate import benchmark_hash
from filters.dedup import begin_work, find_duplicates, s_curve
from filters.overlap import COLUMNS
from filters.sensitive import policies
from ray_jobs.code import code_hash
from ray_jobs.found import Found, from_record
from ray_jobs.judging import Job, Rest, Shard, Stored, Survivors, finish, judge, survivors_of
from ray_jobs.line import Line
from ray_jobs.stage import Made, Stage

SHARD_ROWS = 5000  # documents that a worker judges at a time
SHARD_PARTS = 16  # partitions of few long documents


def stage(line: Line, inputs: Mapping[str, Manifest]) -> Stage:
    """The stage of this recipe."""
    config = {"filters": line.recipe.filters.model_dump(mode="json"), "seed": line.recipe.seed}
    benchmarks = benchmark_hash(line.recipe.filters.decontaminate)
    return Stage("filter", config, dict(inputs), lambda store: _work(line, inputs, store), benchmarks, version="2")


def _work(line: Line, inputs: Mapping[str, Manifest], store: Store) -> Made:
    filters, shards = _at_top(line, inputs), list(_shards(line, inputs))
    job = Job(filters, line.recipe.seed, store.url, *_beside(line, inputs))
    work = store.child("work")
    begin(work, _plan(job, inputs, shards, code_hash()))
    found = Found()
    for part in recorded(work, "judged", partial(judge, job=job), shards, line.passes.map):
        found.add(from_record(part))
    waiting = [Survivors(Stored(survivors_of(store).url, item)) for item in found.survivors]
    copies = _copies(line, waiting, store.child("dedup"))
    who = write_partition(store, "duplicates", 0, copies)
    rest = [Rest(number, part, Stored(store.url, who)) for number, part in enumerate(waiting)]
    counter = line.teacher.counter()
    kind = f"finished-{digest(who.checksum, counter.name)[:8]}"
    for part in recorded(work, kind, partial(finish, job=job, counter=counter), rest, line.passes.map):
        found.add(from_record(part))
    for spent in (work, store.child("dedup"), survivors_of(store)):  # records first: they say that the rest is there
        clear(spent)
    partitions = [*found.partitions, who]
    return Made(
        partitions=tuple(sorted(partitions, key=lambda item: item.name)),
        balance=Balance(taken=found.taken.total(), kept=found.kept.total(), rejected=found.reasons.total()),
        reasons=_summed(found.reasons),
        licences=found.licences,
        facts=_facts(filters, found, copies) | _labels_fact(line, inputs, store, partitions),
        totals={name: found.totals[name] for name in ("documents", "tokens", "characters", "synthetic")},
        dataset_hash=dataset_hash_of(found.hashes),
    )


def _plan(job: Job, inputs: Mapping[str, Manifest], shards: Sequence[Shard], code: str) -> dict[str, Any]:
    """All that the records of shards depend on: those of another plan are not gone on from."""
    cut = [[part.partition.checksum for part in (*shard.documents, *shard.scores)] for shard in shards]
    told = [job.config.model_dump(mode="json"), job.seed, benchmark_hash(job.config.decontaminate)]
    return {"told": told, "inputs": {name: item.fingerprint for name, item in inputs.items()}, "cut": cut, "code": code}


def _beside(line: Line, inputs: Mapping[str, Manifest]) -> tuple[str, tuple[Stored, ...]]:
    """The store with the classifier, and the texts that were written from, where they are needed."""
    model = line.folder.child("score").url if "score" in inputs else ""
    texts = line.recipe.texts
    if not line.recipe.filters.facts.asked or texts not in inputs:
        return model, ()
    url = line.folder.child(texts).url
    return model, tuple(Stored(url, item) for item in inputs[texts].of("documents"))


def _at_top(line: Line, inputs: Mapping[str, Manifest]) -> FilterConfig:
    """The recipe's filters, with the threshold that a top share of all web texts stands for."""
    texts = line.recipe.texts
    if line.recipe.filters.quality_top is None or texts not in inputs:
        return line.recipe.filters
    read, scored = line.folder.child(texts), line.folder.child("score")
    documents = tables_of(read, inputs[texts], "documents", ["source", "domain", "language"])
    scores = tables_of(scored, inputs["score"], "scores", ["quality.teaches"])
    return at_top(zip(documents, scores, strict=True), line.recipe.filters)


def _shards(line: Line, inputs: Mapping[str, Manifest]) -> Iterator[Shard]:
    """The documents that were read, with their scores, and those that were written, which are scored on the way."""
    number = 0
    if (texts := line.recipe.texts) in inputs:
        read, scored = (line.folder.child(name).url for name in (texts, "score"))
        pairs = list(zip(inputs[texts].of("documents"), inputs["score"].of("scores"), strict=True))
        for group in _grouped([documents for documents, _ in pairs]):
            stored = tuple(Stored(read, pairs[place][0]) for place in group)
            yield Shard(number, stored, tuple(Stored(scored, pairs[place][1]) for place in group))
            number += 1
    if "generate" in inputs:
        written = inputs["generate"].of("documents")
        for group in _grouped(written):
            parts = tuple(Stored(line.folder.child("generate").url, written[place]) for place in group)
            yield Shard(number, parts)
            number += 1


def _grouped(parts: Sequence[Partition]) -> Iterator[list[int]]:
    """Neighbouring partitions together, as long as they are small."""
    group: list[int] = []
    rows = 0
    for place, part in enumerate(parts):
        if group and (rows + part.rows > SHARD_ROWS or len(group) == SHARD_PARTS):
            yield group
            group, rows = [], 0
        group.append(place)
        rows += part.rows
    if group:
        yield group


def _copies(line: Line, waiting: Sequence[Survivors], work: Store) -> pa.Table:
    """Of two copies the one with the better quality score stays."""
    config = line.recipe.filters.duplicates
    begin_work(work, config, [part.stored.partition.checksum for part in waiting])
    return find_duplicates(waiting, config, line.passes.map, work)


def _labels_fact(
    line: Line, inputs: Mapping[str, Manifest], store: Store, partitions: Sequence[Partition]
) -> dict[str, Fact]:
    """How many soft labels still hold: those of edited texts are dropped, and counted."""
    written = inputs.get("generate")
    if written is None or not written.of(KIND):
        return {}
    kept = (item for item in partitions if item.kind == "documents")
    join = LabelJoin(read_partition(store, item, ["id", "text"]) for item in kept)
    for _ in join.join(tables_of(line.folder.child("generate"), written, KIND, ["id", "text_hash", "start", "end"])):
        pass
    row = [join.labelled, join.tokens, join.dropped[TEXT_CHANGED], join.dropped[NOT_KEPT]]
    columns = ["documents", "tokens", "dropped: text changed", "dropped: document not kept"]
    return {"soft_labels.kept": table("Soft labels of the kept documents", columns, [row])}


def _facts(filters: FilterConfig, found: Found, copies: pa.Table) -> dict[str, Fact]:
    kinds = [list(row) for row in sorted(Counter(copies["kind"].to_pylist()).items())]
    return {
        "yield": _yield_fact(found),
        "overlap": _overlap_fact(found, copies.num_rows),
        "lengths": _histogram("Length of what was kept", "tokens", found.lengths),
        "scores.quality": _histogram("Quality score", "probability", found.quality)
        | {"thresholds": {"kept from": filters.quality}},
        **_sensitive_fact(filters, found),
        "duplicates": table("Duplicates by kind", ["kind", "documents"], kinds),
        "duplicates.curve": curves("What the index finds", "Jaccard similarity", "probability",
                                   {_index_name(filters.duplicates): s_curve(filters.duplicates)}),
        "samples.kept": samples("Kept", [row for _, row in found.samples.get("kept", [])]),
        "samples.rejected": samples("Rejected", [row for _, row in found.samples.get("rejected", [])]),
    }  # fmt: skip


def _yield_fact(found: Found) -> Fact:
    sources = sorted(found.taken)
    totals = _summed(found.reasons)
    rows: list[list[Any]] = [["in", *(found.taken[source] for source in sources)]]
    for name in sorted(totals, key=lambda name: (-totals[name], name)):
        rows.append([name, *(found.reasons[name, source] for source in sources)])
    rows.append(["kept", *(found.kept[source] for source in sources)])
    return table("What was kept, and why the rest was not", ["", *sources], rows)


def _overlap_fact(found: Found, copies: int) -> Fact:
    """Copies are looked for among what all others leave, so nothing else removes them."""
    rows = found.overlap.rows()
    if copies:
        rows.append(
            ["duplicate (of the rest)", copies, round(copies / max(1, found.taken.total()), 4), copies, copies, ""]
        )
    return table(
        "What each filter alone would remove", list(COLUMNS), rows,
        caption="A verdict names one reason, the gravest; here every document counts for each filter that it fails. "
        "Copies are looked for among what the others leave.",
    )  # fmt: skip


def _summed(reasons: Counter[tuple[str, str]]) -> dict[str, int]:
    total = Counter[str]()
    for (name, _), count in reasons.items():
        total[name] += count
    return dict(total)


def _histogram(title: str, unit: str, values: Mapping[str, Sequence[np.ndarray]]) -> Fact:
    return histogram_of(title, unit, {source: values[source] for source in sorted(values)})


def _sensitive_fact(filters: FilterConfig, found: Found) -> dict[str, Fact]:
    """What was found of each kind, and what the recipe says of it."""
    rows = [
        [kind, found.sensitive[kind, "documents"], found.sensitive[kind, "findings"], policy]
        for kind, policy in policies(filters).items() if found.sensitive[kind, "documents"]
    ]  # fmt: skip
    columns = ["kind", "documents", "findings", "policy"]
    return {"sensitive": table("Sensitive text found", columns, rows)} if rows else {}


def _index_name(config: DuplicatesConfig) -> str:
    return f"{config.bands} × {config.rows}"
