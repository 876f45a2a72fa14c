"""Two workers compute what one computes, write one student, and each can go on from the other's checkpoint."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from corpus.errors import IncompleteError
from trainer.config import StudentConfig
from trainer.packing import TokenShards
from trainer.train import train

ROOT = Path(__file__).parents[2]
MEMBER = """
import sys
from pathlib import Path
import torch.distributed as dist
from trainer.config import StudentConfig
from trainer.train import train
dist.init_process_group("gloo")
seen = []
try:
    train(StudentConfig.model_validate_json(sys.argv[1]), *map(Path, sys.argv[2:5]),
          progress=lambda p: seen.append(p.step), should_stop=lambda: bool(seen) and seen[-1] == int(sys.argv[5]))
finally:
    dist.destroy_process_group()
"""


HALVES = """
from trainer.train import _Training, train
saved = _Training._finish
def finish(self):
    local = lambda value: value.to_local() if hasattr(value, "to_local") else value
    rank = dist.get_rank()
    held = sum(local(item).numel() for item in self.model.parameters())
    kept = sum(local(v).numel() for o in self._optimizers for s in o.state.values() for v in s.values())
    Path(sys.argv[4] + f"-{rank}").write_text(f"{held} {kept}")
    return saved(self)
_Training._finish = finish
"""


def pair(
    config: StudentConfig, shards: Path, tokenizer: Path, out: Path, stop_at: int = 0, code: str = MEMBER
) -> list[int]:
    """Train with two processes over gloo; their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [config.model_dump_json(), str(shards), str(tokenizer), str(out), str(stop_at)]
    members = [
        subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, stderr=subprocess.DEVNULL, env={
            **os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)})
        for rank in range(2)
    ]  # fmt: skip
    return [member.wait(timeout=240) for member in members]


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_workers_follow_the_curve_of_one_and_one_goes_on_from_theirs(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, parallel: str
) -> None:
    """float32, 50 steps within 1e-4 of each loss; one member asks to stop, and both do."""
    longer = config.model_copy(
        update={"tokens": 55 * 128, "dtype": "float32", "workers": 2, "parallel": parallel, "micro_batch_tokens": 32}
    )
    alone = train(longer, shards.folder, tokenizer, tmp_path / "one")
    assert pair(longer, shards.folder, tokenizer, tmp_path / "two", stop_at=50) == [1, 1]
    together = train(longer, shards.folder, tokenizer, tmp_path / "two")
    assert len(alone.curve) == len(together.curve) == 55
    worst = max(abs(b / a - 1) for (_, a), (_, b) in zip(alone.curve, together.curve, strict=True))
    print(f"largest relative difference of a step's loss: {worst:.1e}")
    assert 0 < worst < 1e-4, "no difference at all would mean that one worker did everything"


def test_two_workers_with_parts_go_on_from_one_and_from_two_with_copies(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    """Whoever trained the first steps, the weights in the end are those of one alone, and as many numbers."""
    base = config.model_copy(
        update={"dtype": "float32", "workers": 2, "optimizer": config.optimizer.model_copy(update={"kind": "adamw"})}
    )
    alone = train(base, shards.folder, tokenizer, tmp_path / "one")
    parts = base.model_copy(update={"parallel": "fsdp"})
    seen: list[int] = []
    for name in ("from-one", "from-copies"):
        if name == "from-one":
            with pytest.raises(IncompleteError):
                train(
                    base,
                    shards.folder,
                    tokenizer,
                    tmp_path / name,
                    progress=lambda p: seen.append(p.step),
                    should_stop=lambda: seen[-1:] == [5],
                )
        else:
            assert pair(base, shards.folder, tokenizer, tmp_path / name, stop_at=5) == [1, 1]
        assert pair(parts, shards.folder, tokenizer, tmp_path / name) == [0, 0]
        found = train(parts, shards.folder, tokenizer, tmp_path / name)
        assert found.parameters == alone.parameters
        here, there = (load_file(item.model / "model.safetensors") for item in (alone, found))
        assert here.keys() == there.keys()
        assert all(torch.allclose(here[key], there[key], atol=2e-4) for key in here)


def test_a_member_holds_half_of_weights_and_of_what_the_optimizers_keep(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    code = MEMBER.replace("from trainer.train import train", HALVES)
    whole = train(config, shards.folder, tokenizer, tmp_path / "one")
    parts = config.model_copy(update={"workers": 2, "parallel": "fsdp"})
    assert pair(parts, shards.folder, tokenizer, tmp_path / "two", code=code) == [0, 0]
    for rank in range(2):
        held, kept = map(int, (tmp_path / f"two-{rank}").read_text().split())
        assert held < 0.55 * whole.parameters
        assert kept < 0.55 * 2 * whole.parameters


def test_a_student_in_parts_is_not_asked_to_write(config: StudentConfig) -> None:
    distil = {"targets": "full", "teacher": "t", "on_policy": 0.5}
    with pytest.raises(ValueError, match="cannot write text"):
        StudentConfig.model_validate({**config.model_dump(), "parallel": "fsdp", "distil": distil})


def test_a_step_that_cannot_be_shared_alike_is_refused(config: StudentConfig) -> None:
    with pytest.raises(ValueError, match="4 windows cannot be shared by 3 workers"):
        StudentConfig.model_validate({**config.model_dump(), "workers": 3})
