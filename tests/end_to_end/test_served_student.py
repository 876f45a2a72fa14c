"""A student served by the real vLLM says what it says in transformers."""

from __future__ import annotations

import importlib.util
import json
import shutil
import statistics
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import torch

from generator.server import VllmServer
from generator.teacher_config import ServerConfig
from tests.end_to_end.conftest import page
from trainer.compression.routes import compress
from trainer.config import StudentConfig
from trainer.model import load_model
from trainer.packing import pack
from trainer.tokenizer import train_tokenizer
from trainer.train import train

pytestmark = [pytest.mark.teacher, pytest.mark.timeout(900)]
PROMPTS, TOKENS, TIE = 20, 64, 1e-3


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported folder of a student of the demo's shape, trained for forty steps."""
    folder = tmp_path_factory.mktemp("student")
    texts = [page(index) for index in range(80)]
    tokenizer = train_tokenizer(texts, 512, folder / "tokenizer")
    shards = pack(texts, tokenizer, folder / "packed")
    config = StudentConfig(vocab_size=512, tokens=40 * 1024, batch_tokens=1024)
    return train(config, shards.folder, tokenizer, folder / "out").model


def test_an_exported_student_says_the_same_in_vllm_and_transformers(student: Path, tmp_path: Path) -> None:
    """Greedy, float32: equal on at least 19 of 20 prompts, and different only where the two best are a tie."""
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("hornbook[local] is not installed")
    prompts = prompts_of(student)
    expected, gaps = greedy(student, prompts)
    served = in_vllm(student, prompts, tmp_path / "vllm.log")
    different = [index for index in range(PROMPTS) if expected[index] != served[index]]
    print(f"{PROMPTS - len(different)} of {PROMPTS} prompts equal over {TOKENS} tokens")
    assert len({tuple(row) for row in expected}) > PROMPTS // 2, "a student that always says the same shows nothing"
    assert len(different) <= 1
    for index in different:
        pairs = zip(expected[index], served[index], strict=True)
        assert gaps[index][next(n for n, (here, there) in enumerate(pairs) if here != there)] < TIE


@pytest.mark.soak
@pytest.mark.parametrize(
    "route, dtype, tie",
    [
        ("int8", "float32", 0.01),
        ("int4", "bfloat16", 0.05),
        ("int4 as plain weights", "float32", TIE),
        ("prune-ff", "float32", TIE),
        ("low-rank", "float32", TIE),
        ("share-layers", "float32", TIE),
    ],
)
def test_a_compressed_student_is_served_as_it_is(
    student: Path, tmp_path: Path, route: str, dtype: str, tie: float
) -> None:
    """Different from what is opened here only where the two best are a tie to the number format of the server.

    `int8` rounds each activation, so a difference in the last bit can move one by a whole step; the server's `int4` kernel
    knows no float32, so what is stored in 4 bits is served as plain weights too.
    """
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("hornbook[local] is not installed")
    small = tmp_path / "small"
    route, _, plain = route.partition(" as ")
    compress(student, route, small, texts=[page(index) for index in range(40)])
    if plain:
        load_model(small).save_pretrained(tmp_path / "plain")
        small = shutil.copytree(
            small, tmp_path / "plain", ignore=lambda *_: ["config.json", "model.safetensors"], dirs_exist_ok=True
        )
    prompts = prompts_of(student)
    expected, gaps = greedy(small, prompts)
    served = in_vllm(small, prompts, tmp_path / "vllm.log", dtype)
    apart = [next((n for n, pair in enumerate(zip(*rows, strict=True)) if pair[0] != pair[1]), None)
             for rows in zip(expected, served, strict=True)]  # fmt: skip
    ties = [row[place] for row, place in zip(gaps, apart, strict=True) if place is not None]
    print(f"{route}: {apart.count(None)} of {PROMPTS} prompts equal over {TOKENS} tokens; gaps {sorted(ties)}")
    assert statistics.median(gap for row in gaps for gap in row) > 2 * tie, "ties everywhere would show nothing"
    assert all(gap < tie for gap in ties)


def prompts_of(model: Path) -> list[list[int]]:
    """Token ids of openings that the student has not been trained on."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    return [tokenizer(page(1000 + index))["input_ids"][: 4 + index] for index in range(PROMPTS)]


def greedy(model: Path, prompts: list[list[int]]) -> tuple[list[list[int]], list[list[float]]]:
    """The tokens that the model adds to each prompt here, and the gap between the two best at each."""
    net = load_model(model).eval()
    rows = [continuation(net, prompt) for prompt in prompts]
    return [[token for token, _ in row] for row in rows], [[gap for _, gap in row] for row in rows]


def continuation(net: Any, prompt: list[int]) -> list[tuple[int, float]]:
    tokens, row = torch.tensor([prompt]), []
    with torch.inference_mode():
        for _ in range(TOKENS):
            best = net(input_ids=tokens).logits[0, -1].topk(2)
            row.append((int(best.indices[0]), float(best.values[0] - best.values[1])))
            tokens = torch.cat([tokens, best.indices[:1][None]], dim=1)
    return row


def in_vllm(model: Path, prompts: list[list[int]], log: Path, dtype: str = "float32") -> list[list[int]]:
    """The tokens that a server of ours adds, all prompts in one batch."""
    config = ServerConfig(dtype=dtype, max_model_len=256, max_num_seqs=PROMPTS)
    body = {"model": "student", "prompt": prompts, "max_tokens": TOKENS, "temperature": 0, "ignore_eos": True,
            "return_token_ids": True}  # fmt: skip
    with VllmServer(str(model), "student", config, log) as server:
        url = server.start().wait_ready()
        request = urllib.request.Request(
            f"{url}/completions", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            choices = json.load(answer)["choices"]
    return [choice["token_ids"] for choice in sorted(choices, key=lambda item: item["index"])]
