"""Held-out text that is measured while a student trains: what it gains in its field, and what it loses elsewhere.

Bits per byte of a few documents of each panel, before the first step and at evenly spread steps, the last one after the
last step. Measuring draws nothing and changes no weight: a student that is watched is bit for bit one that is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from corpus.document import Document
from corpus.errors import RecipeError
from corpus.readers import read_files
from trainer.config import StudentConfig
from trainer.evaluation.likelihood import token_nats
from trainer.evaluation.student import Student
from trainer.tokenizer import load_tokenizer, start_token

Points = dict[str, list[list[float]]]


class Watch:
    """`points` holds (training tokens, bits per byte) by panel."""

    def __init__(self, config: StudentConfig, tokenizer: Path, device: torch.device, kept: Points | None) -> None:
        """Reads the first `held_out_documents` of each panel of `config.watch`. Raises `RecipeError` where there is none."""
        self._config, self._device, self._fresh = config, device, False
        self.points = kept or {name: list[list[float]]() for name in config.watch}
        self._tokenizer = load_tokenizer(tokenizer)
        self._start = start_token(self._tokenizer, tokenizer)
        self._panels = {name: self._encoded(name, files) for name, files in config.watch.items()}

    def due(self, step: int) -> bool:
        """Whether the panels are measured after `step` steps, and have not been."""
        steps, looks = self._config.steps, self._config.evaluations
        wanted = {0, *(round(look * steps / looks) for look in range(1, looks + 1))}
        seen = {point[0] for points in self.points.values() for point in points}
        return bool(self._panels) and step in wanted and step * self._config.batch_tokens not in seen

    def measure(self, model: Any, step: int) -> dict[str, float]:
        """Bits per byte by panel, in float32, kept as points."""
        student = Student(model, self._tokenizer, self._start, self._config.model.context, self._device)
        model.eval()
        found = {name: _bits(student, rows, size) for name, (rows, size) in self._panels.items()}
        model.train()
        self._fresh = True
        for name, bits in found.items():
            self.points[name].append([float(step * self._config.batch_tokens), bits])
        return found

    def news(self) -> Mapping[str, tuple[float, float]]:
        """What was measured since the last call, by panel: (bits per byte, share above those of the first look; negative
        where better)."""
        fresh, self._fresh = self._fresh, False
        return {name: (at[-1][1], at[-1][1] / at[0][1] - 1) for name, at in self.points.items()} if fresh else {}

    def _encoded(self, name: str, files: Sequence[str]) -> tuple[list[list[int]], int]:
        rows = (row.text for row in read_files(list(files)) if isinstance(row, Document))
        texts = list(islice(rows, self._config.held_out_documents))
        if not texts:
            raise RecipeError(f"student.watch.{name}: no readable document in {', '.join(files) or 'no file'}")
        ids = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [item.ids for item in ids], sum(len(text.encode()) for text in texts)


def _bits(student: Student, rows: list[list[int]], size: int) -> float:
    return float(sum(nats.sum() for nats in token_nats(student, rows)) / math.log(2) / size)
