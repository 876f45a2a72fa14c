"""Talks with a student in this process, word by word: in turns where it was taught to, else as one text that goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from trainer.instructions import asking
from trainer.model import load_model
from trainer.tokenizer import TOKENIZER_CONFIG, load_tokenizer, start_token


class Chat:
    """One conversation."""

    def __init__(
        self, model: Path, *, temperature: float = 0.7, top_k: int = 50, seed: int = 0, system: str = ""
    ) -> None:
        self._model: Any = load_model(model).eval()
        self._model.config.use_cache = True
        self._tokenizer = load_tokenizer(model)
        self._start = start_token(self._tokenizer, model)
        settings = model / TOKENIZER_CONFIG
        self.in_turns = settings.is_file() and "chat_template" in json.loads(settings.read_text("utf-8"))
        self._temperature, self._top_k = temperature, top_k
        self._random = torch.Generator().manual_seed(seed)
        self._messages: list[dict[str, str]] = [{"role": "system", "content": system}] if system else []

    def reply(self, said: str, most: int = 200) -> Iterator[str]:
        """The student's answer, or how it goes on, in pieces of whole characters."""
        self._messages.append({"role": "user", "content": said})
        prompt = asking(self._messages) if self.in_turns else said
        whole = ""
        for piece in self._continued(prompt, most):
            whole += piece
            yield piece
        self._messages.append({"role": "assistant", "content": whole.strip()})

    def forget(self) -> None:
        """Begin anew."""
        self._messages = [item for item in self._messages if item["role"] == "system"]

    def _continued(self, prompt: str, most: int) -> Iterator[str]:
        context = self._model.config.max_position_embeddings
        ids = self._tokenizer.encode(prompt, add_special_tokens=False).ids[-(context - min(most, context // 2)) + 1 :]
        given, cache, new, shown = torch.tensor([[self._start, *ids]]), None, list[int](), ""
        with torch.inference_mode():
            for _ in range(min(most, context - given.shape[1])):
                made = self._model(input_ids=given, past_key_values=cache, use_cache=True)
                cache, token = made.past_key_values, self._drawn(made.logits[0, -1])
                if token == self._start:
                    return
                new.append(token)
                text = self._tokenizer.decode(new)
                if not text.endswith("\ufffd"):  # else a character is not complete yet
                    yield text[len(shown) :]
                    shown = text
                given = torch.tensor([[token]])

    def _drawn(self, logits: torch.Tensor) -> int:
        if self._temperature <= 0:
            return int(logits.argmax())
        values, places = logits.float().topk(min(self._top_k, len(logits)))
        pick = torch.multinomial(torch.softmax(values / self._temperature, 0), 1, generator=self._random)
        return int(places[pick])
