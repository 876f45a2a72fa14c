"""Tells a prompt that no endpoint can take before it is sent: a refusal costs a round trip, at some providers money."""

from __future__ import annotations

from corpus.tokens import TokenCounter
from generator.request import Request


class Context:
    """The tokens that an endpoint has for prompt and reply together, counted with the recipe's tokenizer."""

    def __init__(self, tokens: int, counter: TokenCounter) -> None:
        self._tokens, self._counter = tokens, counter

    def overlong(self, request: Request) -> str:
        """What is too long about a request, empty when it may fit: the chat template's own tokens are not counted."""
        texts = [message["content"] for message in request.messages]
        room = self._tokens - request.demands.max_tokens
        if sum(map(len, texts)) * 4 <= room:  # a token is a byte at least, and a character four bytes at most
            return ""
        count = int(self._counter.count(texts).sum())
        if count <= room:
            return ""
        return f"{count:,} tokens and {request.demands.max_tokens:,} of the reply are more than {self._tokens:,}"
