"""The real embedded teacher on the real vLLM, once: seeded requests at full width, and a student served."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from corpus.errors import SetupError
from corpus.journal import JournalWriter, read_journal
from corpus.local_store import LocalStore
from generator.ask import ask
from generator.config import GenerateConfig
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.plan import plan_slots
from generator.request import make_request
from generator.server import VllmServer
from generator.teacher_config import ServerConfig, TeacherConfig
from generator.teachers.openai_endpoint import OpenAITeacher
from prompts.library import load_library
from ray_jobs.cluster import cache_folder

pytestmark = [pytest.mark.teacher, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    log = tmp_path_factory.mktemp("teacher") / "log"
    with VllmServer(str(ensure_embedded_teacher(cache_folder())), SERVED_NAME, ServerConfig(), log) as running:
        running.start().wait_ready()
        yield running


def requests(count: int, tokens: int):  # type: ignore[no-untyped-def]
    config, library, teacher = GenerateConfig(documents=count, max_tokens=tokens), load_library(), TeacherConfig()
    return [make_request(slot, 0, library, teacher, config, 5) for slot in plan_slots(config, library, 5)]


def answered(server: VllmServer, folder: Path, count: int, tokens: int):  # type: ignore[no-untyped-def]
    store = LocalStore(folder)

    async def go():  # type: ignore[no-untyped-def]
        teacher = OpenAITeacher(server.url, served_model=SERVED_NAME)
        journal = JournalWriter(store, "w")
        stats = await ask(requests(count, tokens), teacher, journal, window=64, retries=6)
        journal.close()
        await teacher.close()
        return stats

    return asyncio.run(go()), list(read_journal(store))


def test_a_hundred_and_twenty_eight_seeded_requests_at_sixty_four_streams(server: VllmServer, tmp_path: Path) -> None:
    stats, records = answered(server, tmp_path, 128, 24)
    assert stats.answered == 128
    assert not stats.failed
    assert len({record["request_key"] for record in records if record["kind"] == "reply"}) == 128
    assert server.alive()


def test_a_killed_engine_is_noticed_and_the_server_serves_again(server: VllmServer, tmp_path: Path) -> None:
    assert server._process is not None
    before = {process.pid for process in psutil.Process(server._process.pid).children(recursive=True)}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    url = server.url
    assert server.restart() == url
    stats, _ = answered(server, tmp_path, 8, 8)
    assert stats.answered == 8
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in before)


def test_a_port_in_use_is_said_before_anything_starts(server: VllmServer, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=f"port {server.port} .* in use"):
        VllmServer("nowhere", "x", ServerConfig(port=server.port), tmp_path / "log").start()


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
