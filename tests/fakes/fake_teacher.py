"""Holds a `teacher_server` process for a test, and speaks to its control paths."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from tests.fakes.teacher_server import CONTEXT, MODEL, Fault

ROOT = Path(__file__).resolve().parents[2]


class FakeTeacher:
    """The fake server in a process of its own: `with FakeTeacher(Fault("hang")) as fake: … fake.url`."""

    model = MODEL

    def __init__(
        self, *faults: Fault, delay_s: float = 0.0, port: int = 0, token_s: float = 0.0, spread: float = 0.0,
        context: int = CONTEXT, tokenizer: Path | None = None,
    ) -> None:  # fmt: skip
        told = orjson.dumps([asdict(item) for item in faults]).decode()
        command = [sys.executable, "-m", "tests.fakes.teacher_server", "--faults", told]
        command += ["--delay", str(delay_s), "--port", str(port), "--token-s", str(token_s), "--spread", str(spread)]
        command += ["--context", str(context), "--tokenizer", str(tokenizer or "")]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the fake teacher did not start"
        self.port = int(line)

    @property
    def url(self) -> str:
        """Base URL for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"

    def counts(self) -> dict[str, Any]:
        """What it saw so far, as `State.counts` says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/control/counts", timeout=10) as answer:
            return orjson.loads(answer.read())

    def set_faults(self, *faults: Fault) -> None:
        """Replace what it does to the next completions."""
        told = orjson.dumps([asdict(item) for item in faults])
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/control/faults", data=told, timeout=10).read()

    def kill(self) -> None:
        """End it at once, with no goodbye to anybody."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> FakeTeacher:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
