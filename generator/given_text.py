"""Soft labels of text that is there already: what a teacher would have said next at each of its tokens.

A text is read in windows of what the teacher reads at once. A window begins with the tokenizer's start token and, after
the first, with the end of the window before; of those only the sight counts, not the labels. So every token of the text
is labelled once, each with at least a quarter of a window before it where the text has that much.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tokenizers import Tokenizer

from corpus.errors import RecipeError, SetupError
from corpus.soft_labels import TokenLabels, joined

SIGHT = 4  # a window shows 1 / SIGHT of itself again to the next one
ROWS = 2048  # tokens whose whole distributions are in memory at once: 400 MB at 49,152 entries of four bytes
IN_FLIGHT = 8  # requests; each answer is 1.4 KB of JSON a token at k = 20


@dataclass(frozen=True, slots=True)
class Window:
    """`ids` go to the teacher, the first one or more only to be seen: labels are taken of `ids[seen:]`."""

    ids: list[int]
    seen: int


class Scorer(Protocol):
    """Gives the labels of windows; `window` tokens fit at once, `name` goes into the rows."""

    name: str
    window: int

    def label(self, windows: Sequence[Window], k: int) -> list[TokenLabels]:
        """One result a window, of its tokens from `seen` on."""
        ...


def windows_of(ids: Sequence[int], start: int, most: int) -> Iterator[Window]:
    """Windows of at most `most` tokens over `ids`, each after the token `start`. Raises `RecipeError` below 8 tokens."""
    if most < 8:
        raise RecipeError(f"a window of {most} tokens is too short to read with")
    sight, place = most // SIGHT, 0
    while place < len(ids):
        shown = list(ids[max(0, place - sight) : place])
        end = min(len(ids), place + most - 1 - len(shown))
        yield Window([start, *shown, *ids[place:end]], 1 + len(shown))
        place = end


def label_text(text: str, tokenizer: Tokenizer, start: int, scorer: Scorer, k: int) -> TokenLabels | None:
    """Labels of every token of `text`, whose tokens decode to it; None for a text without one."""
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    windows = list(windows_of(ids, start, scorer.window))
    return joined(scorer.label(windows, k)) if windows else None


def load_tokenizer(folder: Path) -> tuple[Tokenizer, int, str]:
    """The tokenizer of a model's folder, its start token (where it has none, its end token), and its name.

    Raises `SetupError` when the folder has no tokenizer or names neither token.
    """
    from corpus.tokens import load_counter

    name = load_counter(str(folder / "tokenizer.json")).name
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    for token in _edge_tokens(folder):
        if (found := tokenizer.token_to_id(token)) is not None:
            return tokenizer, found, name
    raise SetupError(f"{folder}: tokenizer_config.json names no bos_token or eos_token that is in the vocabulary")


def _edge_tokens(folder: Path) -> Iterator[str]:
    import orjson

    path = folder / "tokenizer_config.json"
    config: dict[str, Any] = orjson.loads(path.read_bytes()) if path.is_file() else {}
    for name in ("bos_token", "eos_token"):
        value = config.get(name)
        if token := value.get("content") if isinstance(value, Mapping) else value:
            yield str(token)


class LocalScorer:
    """A model whose weights are in a folder, in this process; several times as fast as its own API (no JSON)."""

    def __init__(self, folder: Path, name: str) -> None:
        from generator.text_only import leave_out_torchvision

        leave_out_torchvision()
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = "bfloat16" if device == "cuda" else "float32"
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval().to(device)
        self.name = name
        self.window = min(int(self._model.config.max_position_embeddings), ROWS)

    def label(self, windows: Sequence[Window], k: int) -> list[TokenLabels]:
        """See `Scorer`. Raises `RecipeError` for more entries than the vocabulary has."""
        if k > self._model.config.vocab_size:
            raise RecipeError(f"k = {k:,} of a vocabulary of {self._model.config.vocab_size:,}")
        return [self._one(window, k) for window in windows]

    def _one(self, window: Window, k: int) -> TokenLabels:
        import torch

        with torch.inference_mode():
            ids = torch.tensor([window.ids], device=self._model.device)
            logits = self._model(input_ids=ids, use_cache=False).logits[0, window.seen - 1 : -1].float()
            total, drawn = logits.logsumexp(-1, keepdim=True), ids[0, window.seen :, None]
            values, places = logits.topk(k, dim=-1)
            own = logits.gather(-1, drawn) - total
        return TokenLabels(
            drawn[:, 0].cpu().numpy().astype(np.int32), own[:, 0].cpu().numpy().astype(np.float16),
            places.cpu().numpy().astype(np.int32), (values - total).cpu().numpy().astype(np.float16),
        )  # fmt: skip


class EndpointScorer:
    """A teacher behind vLLM's completions API, with `prompt_logprobs`."""

    def __init__(self, url: str, model: str, window: int, api_key: str = "") -> None:
        self._url, self._key, self.name, self.window = url, api_key or "none", model, window

    def label(self, windows: Sequence[Window], k: int) -> list[TokenLabels]:
        """See `Scorer`. Raises `SetupError` for an endpoint that gives no labels of prompts."""
        return asyncio.run(self._all(windows, k))

    async def _all(self, windows: Sequence[Window], k: int) -> list[TokenLabels]:
        import openai

        turn = asyncio.Semaphore(IN_FLIGHT)
        async with openai.AsyncOpenAI(base_url=self._url, api_key=self._key, max_retries=5) as client:

            async def one(window: Window) -> TokenLabels:
                async with turn:
                    try:
                        reply = await client.completions.create(
                            model=self.name, prompt=window.ids, max_tokens=1, temperature=0, extra_body={"prompt_logprobs": k}
                        )  # fmt: skip
                    except openai.OpenAIError as error:
                        raise SetupError(f"{self._url}: {error}", hint="labels of a text need vLLM, and k within its "
                                         "--max-logprobs") from error  # fmt: skip
                return labels_in_prompt(reply.choices[0].model_dump().get("prompt_logprobs"), window, k)

            return list(await asyncio.gather(*(one(window) for window in windows)))


def labels_in_prompt(told: Any, window: Window, k: int) -> TokenLabels:
    """vLLM's answer: for each token of the prompt its k likeliest and, where it is none of them, the token itself.

    Raises `SetupError` for anything that is not that.
    """
    if not isinstance(told, list) or len(told) != len(window.ids):
        raise SetupError("the endpoint gave no log-probabilities of the prompt", hint="labels of a text need vLLM")
    own, ids, values = [], [], []
    for token, entries in zip(window.ids[window.seen :], told[window.seen :], strict=True):
        ranked = sorted(entries.items(), key=lambda item: int(item[1]["rank"]))[:k]
        if len(ranked) < k or str(token) not in entries:
            raise SetupError(f"the endpoint gave {len(ranked)} of {k} log-probabilities", hint="ask for fewer")
        own.append(entries[str(token)]["logprob"])
        ids.append([int(name) for name, _ in ranked])
        values.append([entry["logprob"] for _, entry in ranked])
    drawn = np.array(window.ids[window.seen :], np.int32)
    return TokenLabels(drawn, np.array(own, np.float16), np.array(ids, np.int32).reshape(-1, k),
                       np.array(values, np.float16).reshape(-1, k))  # fmt: skip
