"""What every adapter is told, and what it leaves behind. Imports nothing but the standard library."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """`prompts` and `out` are files of JSON lines: {"id", "prompt"} and {"id", "text"}. `folder` is free for use."""

    url: str
    model: str
    window: int
    max_tokens: int
    temperature: float
    top_p: float
    seed: int
    prompts: str
    out: str
    folder: str

    @classmethod
    def read(cls, path: str | Path) -> Job:
        """The job that a file holds."""
        return cls(**json.loads(Path(path).read_text("utf-8")))

    @property
    def rows(self) -> list[dict[str, str]]:
        """The prompts, in order."""
        return [json.loads(line) for line in Path(self.prompts).read_text("utf-8").splitlines()]

    def body(self, prompt: str) -> dict[str, Any]:
        """The chat completion that each arm asks for."""
        return {
            "model": self.model, "messages": [{"role": "user", "content": prompt}], "temperature": self.temperature,
            "top_p": self.top_p, "seed": self.seed, "max_tokens": self.max_tokens,
        }  # fmt: skip

    def write(self, rows: Iterable[tuple[str, str]]) -> None:
        """All rows at once, for a tool that does not write them itself."""
        with Path(self.out).open("w", encoding="utf-8") as file:
            for name, text in rows:
                file.write(json.dumps({"id": name, "text": text}) + "\n")
