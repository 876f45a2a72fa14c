"""What a model costs to run: bytes, memory, time to the first token, tokens a second. One process a model, so that the
memory is its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from corpus.errors import SetupError
from trainer.compression.routes import stored_bytes
from trainer.model import load_model

ROUNDS = 3


@dataclass(frozen=True)
class Footprint:
    """`bytes` of the weights' files, `memory` at its highest in bytes above an empty process, `first_token` in seconds of
    a prompt of `prompt` tokens, `tokens_per_second` written one after the other. Times are CPU seconds, the best of three."""

    parameters: int
    bytes: int
    memory: int
    prompt: int
    first_token: float
    tokens_per_second: float


def footprint(model: Path, *, prompt: int = 64, tokens: int = 32) -> Footprint:
    """Measure a model's folder in a process of its own, one thread, float32."""
    code = "import sys; from trainer.footprint import measured; measured(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(model), str(prompt), str(tokens)]
    root = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    if done.returncode:
        raise SetupError(f"{model}: cannot be measured: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return Footprint(**json.loads(done.stdout.strip().splitlines()[-1]))


def measured(model: str, prompt: str, tokens: str) -> None:
    """Run in the process of its own: prints the footprint as JSON."""
    torch.set_num_threads(1)
    load_libraries()
    before = _begin()
    net = load_model(Path(model)).eval()
    ids = torch.randint(0, net.config.vocab_size, (1, int(prompt)), generator=torch.Generator().manual_seed(0))
    first, pace = [], []
    with torch.inference_mode():
        for _ in range(ROUNDS):
            begun = time.process_time()
            made = net(input_ids=ids, use_cache=True)
            first.append(time.process_time() - begun)
            begun = time.process_time()
            for _ in range(int(tokens)):
                made = net(
                    input_ids=made.logits[:, -1:].argmax(-1), past_key_values=made.past_key_values, use_cache=True
                )
            pace.append(time.process_time() - begun)
    count = sum(item.numel() for item in net.parameters())
    found = Footprint(count, stored_bytes(Path(model)), _highest() - before, int(prompt), round(min(first), 5),
                      round(int(tokens) / min(pace), 1))  # fmt: skip
    print(json.dumps(asdict(found)))


def load_libraries() -> None:
    """What every model needs in memory, so that it counts for none."""
    from trainer.model import quiet

    quiet()
    import transformers

    _ = transformers.AutoModelForCausalLM, transformers.LlamaForCausalLM  # imported at their first mention
    torch.randn(64, 64) @ torch.randn(64, 64)


def _begin() -> int:
    """Resident memory now. The peak, which importing raised above it, counts from here on, and what was freed is given
    back, or a small model would fit in there and cost nothing (Linux; elsewhere the peak so far)."""
    if sys.platform != "linux":
        return _highest()
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _highest()


def _highest() -> int:
    """Peak resident memory of this process in bytes."""
    if sys.platform == "linux":
        return 1024 * int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
