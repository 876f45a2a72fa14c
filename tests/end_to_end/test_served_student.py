"""A student served by the real vLLM says what it says in transformers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = [pytest.mark.soak, pytest.mark.teacher, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]


def test_an_exported_student_says_the_same_in_vllm_and_transformers(tmp_path: Path) -> None:
    """Greedy, float32, 64 tokens: equal on at least 19 of 20 prompts, each difference where the two best are a tie."""
    from tests.end_to_end.conftest import page
    from trainer.config import ModelConfig, StudentConfig
    from trainer.packing import pack
    from trainer.tokenizer import train_tokenizer
    from trainer.train import train

    texts = [page(index) for index in range(80)]
    tokenizer = train_tokenizer(texts, 512, tmp_path / "tokenizer")
    shards = pack(texts, tokenizer, tmp_path / "packed")
    shape = ModelConfig(layers=2, d_model=128, heads=4, ff=256, context=128)
    config = StudentConfig(vocab_size=512, model=shape, tokens=40 * 1024, batch_tokens=1024)
    model = train(config, shards.folder, tokenizer, tmp_path / "student").model
    prompts = [text.split(".")[0] for text in texts[:20]]
    ids, gaps = greedy(model, prompts)
    served = in_vllm(model, prompts, tmp_path / "vllm.json")
    different = [index for index in range(20) if ids[index] != served[index]]
    assert len(different) <= 1
    for index in different:
        place = next(n for n, pair in enumerate(zip(ids[index], served[index], strict=True)) if pair[0] != pair[1])
        assert gaps[index][place] < 1e-3


def greedy(model: Path, prompts: list[str]) -> tuple[list[list[int]], list[list[float]]]:
    """64 greedy tokens of each prompt in transformers, and the gap between the two best at each."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    net, tokenizer = (
        AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        AutoTokenizer.from_pretrained(model),
    )
    ids, gaps = [], []
    for prompt in prompts:
        tokens = tokenizer(prompt, return_tensors="pt")["input_ids"]
        start, row = tokens.shape[1], []
        with torch.inference_mode():
            for _ in range(64):
                best = net(input_ids=tokens).logits[0, -1, : len(tokenizer)].topk(2)
                row.append(float(best.values[0] - best.values[1]))
                tokens = torch.cat([tokens, best.indices[:1][None]], dim=1)
        ids.append(tokens[0, start:].tolist())
        gaps.append(row)
    return ids, gaps


def in_vllm(model: Path, prompts: list[str], out: Path) -> list[list[int]]:
    """The same in vLLM, in a process of its own."""
    code = """
import json, sys
import importlib.metadata as metadata
import generator.vllm_main as main
metadata.version = main._answer
if __name__ == "__main__":
    from vllm import LLM, SamplingParams
    llm = LLM(sys.argv[1], dtype="float32", enforce_eager=True, max_model_len=128, enable_chunked_prefill=False, max_num_batched_tokens=2048)
    sampling = SamplingParams(temperature=0, max_tokens=64, ignore_eos=True, detokenize=False)
    replies = llm.generate(json.loads(sys.argv[2]), sampling)
    json.dump([list(reply.outputs[0].token_ids) for reply in replies], open(sys.argv[3], "w"))
"""
    script = out.with_suffix(".py")
    script.write_text(code, "utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_HOST_IP": "127.0.0.1",
    }
    command = [sys.executable, str(script), str(model), json.dumps(prompts), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(out.read_text("utf-8"))
