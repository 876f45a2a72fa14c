"""Bits per byte on held-out documents, paired comparisons with an interval, and samples of text.

Bits per byte do not depend on the tokenizer: the nats of all tokens of a document, its first one included (predicted
from the start token), over ln 2 times its UTF-8 bytes. The end token is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trainer.evaluation.likelihood import token_nats
from trainer.evaluation.student import Student, open_student

RESAMPLES = 2000


@dataclass(frozen=True)
class BpbResult:
    """`mean` is over all bytes; `nats` and `bytes` hold one number a document."""

    mean: float
    nats: np.ndarray
    bytes: np.ndarray


def bits_per_byte(model_folder: Path, texts: Sequence[str], *, threads: int = 1) -> BpbResult:
    """Score texts. A document longer than the context is cut into windows; each begins with the start token, so the
    first tokens of later windows see less context than they might, the same for every student of this context."""
    return bits_of(open_student(model_folder, threads=threads), texts)


def bits_of(student: Student, texts: Sequence[str]) -> BpbResult:
    """The same for a student that is open already."""
    nats = np.array([values.sum() for values in token_nats(student, student.encode(texts))])
    sizes = np.array([len(text.encode()) for text in texts], dtype=np.int64)
    return BpbResult(float(nats.sum() / math.log(2) / max(1, sizes.sum())), nats, sizes)


def paired_difference(a: BpbResult, b: BpbResult, seed: int) -> tuple[float, float, float]:
    """(a − b, low, high) in bits per byte: 95 % percentile interval of a bootstrap over documents."""
    size, random = len(a.bytes), np.random.default_rng(seed)
    picks = random.integers(0, size, (RESAMPLES, size))
    differences = (a.nats - b.nats)[picks].sum(1) / a.bytes[picks].sum(1) / math.log(2)
    low, high = np.quantile(differences, [0.025, 0.975])
    return a.mean - b.mean, float(low), float(high)


def sample(
    model_folder: Path, prompts: Sequence[str], tokens: int, *, seed: int, temperature: float = 0.7
) -> list[str]:
    """Continuations of prompts, drawn with a seed of their own."""
    return sample_of(open_student(model_folder), prompts, tokens, seed=seed, temperature=temperature)


def sample_of(
    student: Student, prompts: Sequence[str], tokens: int, *, seed: int, temperature: float = 0.7
) -> list[str]:
    """The same of a student that is open already."""
    torch.manual_seed(seed)
    return [
        prompt + text
        for prompt in prompts
        for text in completions(student, prompt, 1, tokens, temperature=temperature, top_k=50)
    ]


def completions(
    student: Student, prompt: str, count: int, tokens: int, *, temperature: float, top_k: int = 0
) -> list[str]:
    """`count` continuations of one prompt by at most `tokens` tokens; the likeliest ones when the temperature is 0.

    A prompt that leaves no room for them is cut at its left end. Draws come from torch's own generator: seed it first.
    """
    tokens = min(tokens, student.context - 2)
    ids = [student.start, *student.encode([prompt])[0][-(student.context - tokens - 1) :]]
    draw = {"do_sample": True, "temperature": temperature, "top_k": top_k} if temperature > 0 else {"do_sample": False}
    with torch.inference_mode():
        given = torch.tensor([ids] * count, device=student.device)
        output = student.model.generate(
            given, attention_mask=torch.ones_like(given), max_new_tokens=tokens, eos_token_id=student.start,
            pad_token_id=student.start, **draw,
        )  # fmt: skip
    return [student.tokenizer.decode(row[len(ids) :].tolist(), skip_special_tokens=True) for row in output]
