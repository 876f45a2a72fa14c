"""Every way to make a student smaller, by name: what it stores, what is served, and what a text says it lost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from corpus.errors import RecipeError
from trainer import files
from trainer.compression.constrained import FACTS, LOW_RANK, SHARED, STORED
from trainer.compression.factorise import low_rank, share_layers
from trainer.compression.prune import prune
from trainer.compression.quantise import quantise
from trainer.evaluate import bits_per_byte
from trainer.export import export
from trainer.gguf_file import FILE, write_gguf
from trainer.model import load_model
from trainer.tokenizer import load_tokenizer, start_token

AS_IS, COPIES, LLAMA_CPP = "as it is", "the model with copies or products, of the full size", "no; llama.cpp does"
FROM_IT = "what `compress --how int8` or `bf16` makes of it"
CALIBRATION = 64  # windows of text that pruning looks at


@dataclass(frozen=True)
class Compressed:
    """`bytes` of the weights as stored; `served`: what vLLM takes of this folder."""

    folder: str
    route: str
    amount: float
    bytes: int
    served: str


Maker = Callable[[Any, Path, Path, float, torch.Tensor], str]


def compress(source: Path, route: str, out: Path, *, amount: float = 0.5, texts: Sequence[str] = ()) -> Compressed:
    """Write the compressed student into the folder `out`.

    `amount`: the share that pruning and factorising keep, or how many layers share one. `texts`: pruning needs some.
    Raises `RecipeError` for an unknown route, or pruning without text.
    """
    if route not in ROUTES:
        raise RecipeError(f"no route {route!r}", hint=f"known: {', '.join(ROUTES)}")
    if route.startswith("prune") and not texts:
        raise RecipeError(f"{route} looks at text to see what matters", hint="--text FILE")
    model = load_model(source)
    served = ROUTES[route](model, source, out, amount, _windows(source, texts, model.config.max_position_embeddings))
    found = Compressed(str(out), route, amount, stored_bytes(out), served)
    files.write_whole(out / FACTS, json.dumps(asdict(found), indent=2).encode())
    return found


def measure(folder: Path, texts: Sequence[str]) -> dict[str, float]:
    """Bits per byte on texts, and tokens scored in a CPU second by this process."""
    tokenizer = load_tokenizer(folder)
    tokens = sum(len(item.ids) for item in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False))
    begun = time.process_time()
    score = bits_per_byte(folder, texts).mean
    return {"bits_per_byte": round(score, 4), "tokens_per_cpu_second": round(tokens / (time.process_time() - begun))}


def stored_bytes(folder: Path) -> int:
    """Bytes of the weights at their smallest: what has to be kept or sent."""
    for name in (STORED, FILE):
        if (folder / name).is_file():
            return (folder / name).stat().st_size
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def _plain(model: Any, source: Path, out: Path, amount: float, _: torch.Tensor) -> str:
    model = model.to(torch.bfloat16)
    model.config.dtype = "bfloat16"
    export(model, source, out)
    return AS_IS


def _bits(bits: int, *, embeddings: bool = False) -> Maker:
    def make(model: Any, source: Path, out: Path, amount: float, _: torch.Tensor) -> str:
        quantise(model, source, out, bits, embeddings=embeddings)
        return FROM_IT if embeddings else AS_IS

    return make


def _gguf(kind: str) -> Maker:
    def make(model: Any, source: Path, out: Path, amount: float, _: torch.Tensor) -> str:
        write_gguf(model, source, out, kind)
        return LLAMA_CPP

    return make


def _pruned(part: str) -> Maker:
    def make(model: Any, source: Path, out: Path, amount: float, windows: torch.Tensor) -> str:
        smaller = prune(model, windows, **{part: amount})
        return _plain(smaller, source, out, amount, windows)

    return make


def _small(change: Callable[[Any, float], tuple[Any, dict[str, torch.Tensor]]]) -> Maker:
    def make(model: Any, source: Path, out: Path, amount: float, windows: torch.Tensor) -> str:
        model, stored = change(model, amount)
        _plain(model, source, out, amount, windows)
        save_file(stored, out / STORED)
        return COPIES

    return make


ROUTES: dict[str, Maker] = {
    "bf16": _plain,
    "int8": _bits(8),
    "int8-all": _bits(8, embeddings=True),
    "int4": _bits(4),
    "gguf-q8": _gguf("Q8_0"),
    "gguf-q4": _gguf("Q4_0"),
    "prune-layers": _pruned("layers"),
    "prune-ff": _pruned("ff"),
    "prune-heads": _pruned("heads"),
    LOW_RANK: _small(low_rank),
    SHARED: _small(lambda model, amount: share_layers(model, max(2, round(amount)))),
}


def _windows(source: Path, texts: Sequence[str], context: int) -> torch.Tensor:
    """The first windows of the texts, int64 [n, context]."""
    tokenizer = load_tokenizer(source)
    start, ids = start_token(tokenizer, source), list[int]()
    for text in texts:
        ids += [start, *tokenizer.encode(text, add_special_tokens=False).ids]
        if len(ids) >= CALIBRATION * context:
            break
    count = min(CALIBRATION, len(ids) // context)
    if texts and not count:
        raise RecipeError(f"less text than one window of {context} tokens", hint="give more")
    return torch.tensor(ids[: count * context], dtype=torch.int64).reshape(count, context)
