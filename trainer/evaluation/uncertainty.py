"""How sure a student is of its predictions: their mean entropy, in bits per byte of the text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from trainer.evaluation.student import Student


def entropy(student: Student, texts: Sequence[str]) -> float:
    """Entropy of the next-token predictions over the first window of each text, summed, over the bytes it covers."""
    total, size = 0.0, 0
    for text, ids in zip(texts, student.encode(texts), strict=True):
        row = [student.start, *ids][: student.context]
        with torch.inference_mode():
            logs = student.model(input_ids=torch.tensor([row], device=student.device)).logits.float().log_softmax(-1)
        seen = len(row) - 1
        total += float(-(logs.exp() * logs).sum(-1)[0, :seen].double().sum())
        size += len(text.encode()) if seen == len(ids) else len(student.tokenizer.decode(ids[:seen]).encode())
    return total / math.log(2) / max(1, size)
