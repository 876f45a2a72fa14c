"""The same input gives the same output, however it is cut into shards and whoever works on them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.manifest import Manifest, dataset_hash, load_manifest, table_of
from ray_jobs.drive import run
from ray_jobs.line import run_folder
from ray_jobs.resolve import resolve
from ray_jobs.stages import filter as filter_stage
from ray_jobs.stages import read as read_stage
from ray_jobs.talk import Talk
from tests.end_to_end.conftest import page

PAGES = 60
Output = dict[str, str]


@pytest.fixture
def web(tmp_path: Path, tokenizer: Path) -> Path:
    """Two sources with near copies across and within them, texts that hold a benchmark item, and noise."""
    draw = random.Random(5)
    texts = [page(number) for number in range(PAGES)]
    copies = [text.replace(".", "!", 1) + " once more" for text in draw.sample(texts, 12)]
    leaks = [text + "\n" + page(900 + number)[:200] for number, text in enumerate(texts[:5])]
    rest = [*copies, *leaks, "too short", page(0), "# # # #\n" * 30]
    draw.shuffle(rest)
    for name, rows in (("a1", texts[:25]), ("a2", texts[25:]), ("b", rest)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in rows) + "\n", "utf-8")
    items = [json.dumps({"question": page(900 + number)[:200], "answer": "42"}) for number in range(5)]
    (tmp_path / "exam.jsonl").write_text("\n".join(items) + "\n", "utf-8")
    recipe = tmp_path / "shards.yaml"
    recipe.write_text(
        f"""\
name: shards
store: {tmp_path}/runs
teacher: {{tokenizer: {tokenizer}}}
sources:
  a: {{kind: files, paths: ["{tmp_path}/a?.jsonl"], licence: MIT}}
  b: {{kind: files, paths: ["{tmp_path}/b.jsonl"], licence: MIT}}
filters: {{quality: 0, languages: [], language_confidence: 0, decontaminate: {{against: ["{tmp_path}/exam.jsonl"]}}}}
blend: {{tokens: 4000, weights: {{a: 2, b: 1}}, held_out: 0.1}}
run: {{workers: 0}}
""",
        "utf-8",
    )
    return recipe


def output(recipe: Path, version: str, *settings: str) -> tuple[Output, Manifest]:
    """Hashes of what is kept, rejected and blended, and how many partitions that took."""
    found = resolve(str(recipe), [f"version={version}", *settings], {}).recipe
    folder = run_folder(found)
    run(found, talk=Talk(quiet=True), until="blend")
    filtered, blended = (load_manifest(folder.child(name)) for name in ("filter", "blend"))
    assert filtered is not None
    assert blended is not None
    store = folder.child("filter")
    rejected = table_of(store, filtered, "rejected")
    kept = table_of(store, filtered, "documents")
    mix = table_of(folder.child("blend"), blended, "mix")
    place = pa.array([str(number) for number in range(mix.num_rows)])
    return {
        "kept": filtered.dataset_hash,
        "kept, all columns": dataset_hash([kept], tuple(kept.column_names)),
        "scores": _scores_hash(table_of(store, filtered, "scores")),
        "rejected": dataset_hash([rejected], tuple(rejected.column_names)),
        "blend": dataset_hash([mix.append_column("place", place)], ("place", "id", "text", "arm")),
        "facts": json.dumps(filtered.facts, sort_keys=True, default=str),
        "balance": filtered.balance.model_dump_json(),
    }, filtered


def _scores_hash(scores: pa.Table) -> str:
    text = pa.table({name: [str(value) for value in scores[name].to_pylist()] for name in scores.column_names})
    return dataset_hash([text], tuple(text.column_names))


def test_any_sharding_gives_the_same_kept_rejected_and_blended_rows(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, manifest = output(web, "1")
    assert {"too_short", "contaminated.ngram", "duplicate.exact", "duplicate.near"} <= set(manifest.reasons)
    assert len(manifest.of("documents")) == 1
    for version, (read_rows, judged_rows) in enumerate([(1, 1), (7, 20)], start=2):
        monkeypatch.setattr(read_stage, "SHARD_ROWS", read_rows)
        monkeypatch.setattr(filter_stage, "SHARD_ROWS", judged_rows)
        monkeypatch.setattr("corpus.readers.PART_BYTES", 1)
        found, cut = output(web, str(version))
        assert len(cut.of("documents")) > 3
        assert found == whole


@pytest.mark.ray
def test_two_workers_give_the_same_as_one_process(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, _ = output(web, "1")
    monkeypatch.setattr(filter_stage, "SHARD_ROWS", 9)
    found, cut = output(web, "2", "run.workers=2")
    assert len(cut.of("documents")) >= 2
    assert found == alone
