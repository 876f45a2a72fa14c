"""Two workers compute what one computes, write one student, and each can go on from the other's checkpoint."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

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


def pair(config: StudentConfig, shards: Path, tokenizer: Path, out: Path, stop_at: int = 0) -> list[int]:
    """Train with two processes over gloo; their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [config.model_dump_json(), str(shards), str(tokenizer), str(out), str(stop_at)]
    members = [
        subprocess.Popen([sys.executable, "-c", MEMBER, *arguments], cwd=ROOT, stderr=subprocess.DEVNULL, env={
            **os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)})
        for rank in range(2)
    ]  # fmt: skip
    return [member.wait(timeout=240) for member in members]


def test_two_workers_follow_the_curve_of_one_and_one_goes_on_from_theirs(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    """float32, 50 steps within 1e-4 of each loss; one member asks to stop, and both do."""
    longer = config.model_copy(update={"tokens": 55 * 128, "dtype": "float32", "workers": 2})
    alone = train(longer, shards.folder, tokenizer, tmp_path / "one")
    assert pair(longer, shards.folder, tokenizer, tmp_path / "two", stop_at=50) == [1, 1]
    together = train(longer, shards.folder, tokenizer, tmp_path / "two")
    assert len(alone.curve) == len(together.curve) == 55
    worst = max(abs(b / a - 1) for (_, a), (_, b) in zip(alone.curve, together.curve, strict=True))
    print(f"largest relative difference of a step's loss: {worst:.1e}")
    assert 0 < worst < 1e-4, "no difference at all would mean that one worker did everything"


def test_a_step_that_cannot_be_shared_alike_is_refused(config: StudentConfig) -> None:
    with pytest.raises(ValueError, match="4 windows cannot be shared by 3 workers"):
        StudentConfig.model_validate({**config.model_dump(), "workers": 3})
