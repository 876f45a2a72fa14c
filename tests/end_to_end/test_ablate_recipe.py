"""An ablation of a recipe: its own filter's choice, what its teacher wrote, and an arm without each filter."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from ray_jobs.ablation_inputs import CURATED, NEUTRAL, RAW_WEB, inputs_of_recipe
from ray_jobs.lab_verbs import AblationWanted, ablate_lines
from ray_jobs.resolve import resolve
from tests.end_to_end.conftest import page

STUDENT = "student={tokens: 2048, vocab_size: 512, model: {context: 64, layers: 1, d_model: 32, heads: 1, ff: 64}, batch_tokens: 512}"


def test_the_arms_of_a_recipe_come_from_its_own_stages(recipe: Path, tmp_path: Path) -> None:
    filler = [{"text": page(700 + index) + " Lorem ipsum dolor sit amet.", "licence": "MIT"} for index in range(8)]
    rows = [{"text": page(index), "licence": "MIT"} for index in range(40)] + filler
    (tmp_path / "web.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    neutral = tmp_path / "neutral.jsonl"
    neutral.write_text("\n".join(json.dumps({"text": page(900 + index)}) for index in range(4)), "utf-8")
    found = resolve(str(recipe), [STUDENT, "generate.documents=8"], {}).recipe
    inputs = inputs_of_recipe(found, [str(neutral)], leave_one_out=True)
    pools, panels = inputs.pools, inputs.panels
    assert set(panels) == {CURATED, RAW_WEB, NEUTRAL}
    held = {text for panel in panels.values() for text in panel.texts}
    assert not held & {*pools.raw, *pools.filtered}
    assert set(pools.filtered) < set(pools.raw)
    assert len(pools.synthetic) > 0
    texts = {row["text"] for row in filler} & set(pools.raw)
    assert texts
    assert set(inputs.without["filtered without c4"]) == set(pools.filtered) | texts
    assert not {"filtered without sensitive", "filtered without contaminated"} & set(inputs.without)


def test_the_command_prints_tables_and_words_and_costs_nothing_again(tmp_path: Path) -> None:
    for name, rows in (("raw", range(40)), ("kept", range(0, 40, 2))):
        text = "\n".join(json.dumps({"text": page(index)}) for index in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, "utf-8")
    raw, kept = str(tmp_path / "raw.jsonl"), str(tmp_path / "kept.jsonl")
    small = tuple(f"{key}={value}" for key, value in yaml.safe_load(STUDENT.removeprefix("student=")).items())
    wanted = AblationWanted(
        None, (raw,), (kept,), (), (), (), ("raw", "filtered"), 1, 0, False, "tiny", tmp_path / "lab", 0, small
    )
    said: list[str] = []
    lines = ablate_lines(wanted, said.append)
    assert any("1 seed cannot tell filtered from raw" in line for line in lines)
    assert len(said) == 2
    assert ablate_lines(wanted, said.append) == lines
    assert len(said) == 2
