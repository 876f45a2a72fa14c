"""Bits per byte on held-out documents, paired comparisons with an interval, and samples of text.

Bits per byte do not depend on the tokenizer: the nats of all tokens of a document, its first one included (predicted
from the start token), over ln 2 times its UTF-8 bytes. The end token is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.model import load_model
from trainer.tokenizer import load_tokenizer, start_token

AT_ONCE = 16  # windows in a forward pass
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
    torch.set_num_threads(threads)
    model, tokenizer, start = _load(model_folder)
    context = model.config.max_position_embeddings
    ids = [item.ids for item in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
    windows = [(row, part) for row, tokens in enumerate(ids) for part in _parts(tokens, context - 1)]
    nats = np.zeros(len(texts))
    for group in _by_length(windows):
        for (row, _), value in zip(group, _nats(model, [part for _, part in group], start), strict=True):
            nats[row] += value
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
    model, tokenizer, start = _load(model_folder)
    torch.manual_seed(seed)
    texts = []
    for prompt in prompts:
        ids = [start, *tokenizer.encode(prompt, add_special_tokens=False).ids]
        room = min(tokens, model.config.max_position_embeddings - len(ids))
        with torch.inference_mode():
            output = model.generate(torch.tensor([ids]), max_new_tokens=room, do_sample=True, temperature=temperature,
                                    top_k=50, eos_token_id=start, pad_token_id=start)  # fmt: skip
        texts.append(tokenizer.decode(output[0, 1:].tolist(), skip_special_tokens=True))
    return texts


def _load(folder: Path) -> tuple[Any, Any, int]:
    tokenizer = load_tokenizer(folder)
    return load_model(folder).eval(), tokenizer, start_token(tokenizer, folder)


def _parts(tokens: list[int], size: int) -> list[list[int]]:
    return [tokens[place : place + size] for place in range(0, len(tokens), size)]


def _by_length(windows: list[tuple[int, list[int]]]) -> list[list[tuple[int, list[int]]]]:
    """Windows of like length together, so that little is padding."""
    ordered = sorted(windows, key=lambda item: len(item[1]))
    return [ordered[place : place + AT_ONCE] for place in range(0, len(ordered), AT_ONCE)]


def _nats(model: Any, parts: list[list[int]], start: int) -> list[float]:
    longest = max(map(len, parts))
    inputs = torch.tensor([[start, *part[:-1], *([start] * (longest - len(part)))] for part in parts])
    targets = torch.tensor([[*part, *([-100] * (longest - len(part)))] for part in parts])
    with torch.inference_mode():
        logits = model(input_ids=inputs).logits.float()
    loss = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="none"
    )
    return loss.view(targets.shape).double().sum(1).tolist()
