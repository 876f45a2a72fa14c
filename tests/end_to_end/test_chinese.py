"""Chinese from plan to report: nothing assumes spaces between words, and what is not Chinese is said to be so."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pytest

from corpus.document import Document, documents_table
from corpus.ids import digest
from corpus.manifest import Manifest, load_manifest, table_of
from corpus.report import render_report
from filters.batch import make_batch
from filters.c4 import score as c4
from filters.chain import decide, score_table
from filters.config import DuplicatesConfig, FilterConfig
from filters.dedup import find_duplicates
from generator.length import in_characters
from generator.teacher_config import TeacherConfig
from ray_jobs.drive import run
from ray_jobs.explain import explain
from ray_jobs.line import run_folder
from ray_jobs.planning import plan_for
from ray_jobs.publishing import publish_run
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.page import Page
from tests.fakes.real_teacher import RealTeacher
from tests.fakes.teacher_text import _chinese, _recorded

CHINESE = (
    "generate.languages=[zh]",
    "sources={}",
    "blend.weights={}",
    "filters.languages=[]",
    "filters.language_confidence=0.3",
)


def resolved(recipe: Path, *settings: str) -> Recipe:
    return resolve(str(recipe), [*CHINESE, *settings], {}).recipe


def manifest_of(recipe: Recipe, stage: str) -> Manifest:
    found = load_manifest(run_folder(recipe).child(stage))
    assert found is not None
    return found


def test_a_chinese_dataset_is_planned_written_filtered_reported_published_and_replayed(
    recipe: Path, tmp_path: Path
) -> None:
    found = resolved(recipe)
    manifests = run(found, talk=Talk(quiet=True)).manifests
    folder = run_folder(found)
    plan = plan_for(found, folder)
    assert {slot.cell.language for slot in plan.slots} == {"zh"}
    assert len({slot.id for slot in plan.slots}) >= 24, "a slot of a saturated cell is moved to another"
    rows = table_of(folder.child("filter"), manifests["filter"], "documents").to_pylist()
    assert len(rows) >= 12
    assert all(row["language"] == "zh" and " " not in row["text"].split("```")[0].replace("\n", "") for row in rows)
    assert manifests["generate"].reasons["duplicate.near"] >= 1, "recorded replies come more than once"
    assert not {"too_short", "loop", "language", "gopher.words"} & set(manifests["filter"].reasons)
    shown = explain(found, rows[0]["id"])
    assert str(shown).count(rows[0]["text"][:12]) >= 1
    page = render_report("zh@1", manifests)
    assert Page(page).faults == []
    assert rows[0]["topic"] in page or rows[0]["text"][:8] in page
    publish_run(
        found.model_copy(update={"publish": found.publish.model_copy(update={"allow_unknown_licence": True})}),
        None,
        tmp_path / "out",
    )
    card = next((tmp_path / "out").rglob("README.md")).read_text("utf-8")
    assert "zh" in card
    assert [made.same for made in replay(found)] == [True, True]


def test_lengths_that_a_prompt_asks_for_are_characters(recipe: Path) -> None:
    found = resolved(recipe, "generate.words=[300, 500]")
    plan = plan_for(found, run_folder(found))
    low, high = in_characters((300, 500))
    prompts = [
        message["content"] for slot in plan.slots for request in plan._first(slot) for message in request.messages
    ]
    assert any(str(low) in prompt and str(high) in prompt for prompt in prompts)
    assert not any("words" in prompt for prompt in prompts)


def test_near_copies_without_spaces_are_found_and_different_texts_are_not() -> None:
    draw = random.Random(3)
    texts = [_chinese(draw, 400) for _ in range(30)]
    copies = [text[:200] + "其实" + text[200:] for text in texts[:10]]
    table = documents_table(
        [Document(f"d{n:02}", text, "a", "MIT", "x", language="zh") for n, text in enumerate([*texts, *copies])]
    )
    found = find_duplicates([table], DuplicatesConfig())
    assert sorted(found["id"].to_pylist()) == [f"d{n}" for n in range(30, 40)]


def test_what_was_written_and_stands_on_the_web_already_goes(recipe: Path, tmp_path: Path) -> None:
    """The teacher's recorded replies, with a few words put in, are pages of a source: near copies across sources."""
    pages = [text[:90] + "顺便说一下" + text[90:] for text in _recorded()]
    (tmp_path / "zh.jsonl").write_text(
        "\n".join(json.dumps({"text": text, "licence": "MIT"}) for text in pages), "utf-8"
    )
    source = f'sources={{pages: {{kind: files, paths: ["{tmp_path}/zh.jsonl"], language: zh}}}}'
    found = resolved(recipe, source)
    manifests = run(found, talk=Talk(quiet=True)).manifests
    folder = run_folder(found)
    both = [table_of(folder.child(stage), manifests[stage], "documents") for stage in ("read", "generate")]
    home = {
        row: source
        for part in both
        for row, source in zip(part["id"].to_pylist(), part["source"].to_pylist(), strict=True)
    }
    copies = table_of(folder.child("filter"), manifests["filter"], "duplicates").to_pylist()
    across = [row for row in copies if {home[row["id"]], home[row["kept_id"]]} == {"pages", "synthetic"}]
    assert across
    assert all(row["kind"] == "near" and 0.8 <= row["jaccard"] < 1 for row in across)
    assert folder.child("filter").names("dedup/") == [], "the spill is gone"


def test_good_chinese_passes_every_profile_and_a_long_paragraph_is_no_long_word() -> None:
    texts = [text for text in _recorded() if "```" not in text]
    rows = [Document(digest(text), text, "zh", "MIT", "x", language="zh") for text in texts]
    table = documents_table(rows)
    for profile in ("prose", "synthetic"):
        config = FilterConfig(languages=(), quality=0, profiles={"zh": profile})
        assert decide(table, score_table(table), config).num_rows == 0
    long = _chinese(random.Random(1), 1500)
    assert c4(make_batch(pl.Series([long])))["c4.usable_lines"].tolist() == [1.0]
    assert c4(make_batch(pl.Series(["a b c " + "x" * 1500])))["c4.usable_lines"].tolist() == [0.0]


def test_slots_in_a_language_that_the_teacher_does_not_write_are_not_asked_and_named(recipe: Path) -> None:
    found = resolved(recipe, "teacher.languages=[en]", "generate.languages=[en, zh]", "limits.required_yield=0")
    run(found, until="generate", talk=Talk(quiet=True))
    made = manifest_of(found, "generate")
    rejected = table_of(run_folder(found).child("generate"), made, "rejected")
    chinese = [row for row in rejected.to_pylist() if "teacher.languages" in row["detail"]]
    slots = [slot for slot in plan_for(found, run_folder(found)).planned if slot.cell.language == "zh"]
    assert len({row["id"] for row in chinese}) == len(chinese) >= len(slots) == 12
    assert made.facts["yield.short"]["values"] == {"language": 12}
    assert made.totals["requests"] == 12


@pytest.mark.parametrize(
    ("model", "languages", "written"),
    [("embedded", [], False), ("embedded", ["en", "zh"], True), ("Qwen/Qwen3-32B", [], True), ("x", ["en"], False)],
)
def test_what_a_teacher_writes_is_what_is_named_and_of_the_embedded_one_english(
    model: str, languages: list[str], written: bool
) -> None:
    assert TeacherConfig(model=model, languages=tuple(languages)).writes("zh") is written


@pytest.mark.soak
@pytest.mark.teacher
@pytest.mark.timeout(900)
def test_of_what_the_embedded_teacher_writes_when_asked_for_chinese_a_good_part_is_named_language(
    recipe: Path, real_teacher: RealTeacher, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = (f"teacher.endpoints=[{real_teacher.url}]", f"teacher.model={real_teacher.model}", f"teacher.tokenizer={real_teacher.folder}",
                "teacher.temperature=0.9", "teacher.top_p=1", "generate.documents=40", "generate.attempts=1",
                "generate.max_tokens=160", "teacher.timeout_s=240")  # fmt: skip
    found = resolved(recipe, *settings)
    run(found, until="generate", talk=Talk(quiet=True))
    made = manifest_of(found, "generate")
    short = made.facts["yield.short"]["values"]
    with capsys.disabled():
        print(f"\n{made.totals['documents']} of 40 kept, the others short by {dict(short)}")
    # Measured 16 of 40 here and 54 of 64 with the demo's prompts; the rest strings real words together without sense.
    assert short["language"] >= 10
