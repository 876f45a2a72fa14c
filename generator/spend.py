"""What a run spends, and what it may: tokens and money, counted so that a cap is never exceeded.

A request may be sent only if the cap holds even when every reply on its way is as long as it may be. How long a prompt
is, the server says afterwards; until then it counts as many tokens as it has bytes, which no tokenizer exceeds, and
what a chat template may add.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generator.reply import Reply
from generator.request import Request
from generator.teacher_config import PriceConfig

TEMPLATE_TOKENS = 256  # a chat template's own: a system prompt of one paragraph, a date, marks of turns
MILLION, HOUR_S = 1e6, 3600.0
FREE = PriceConfig()


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that a run may spend; None sets no limit."""

    tokens: int | None = None
    money: float | None = None


class Purse:
    """Tokens paid and tokens held back for replies on their way. `seconds` tells how long was asked so far."""

    def __init__(
        self, caps: Caps = Caps(), price: PriceConfig = FREE, seconds: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.caps, self.price, self._seconds = caps, price, seconds
        self.prompt = self.completion = 0
        self._held_prompt = self._held_completion = 0

    @property
    def spent(self) -> int:
        """Tokens of prompts and replies that were paid for."""
        return self.prompt + self.completion

    @property
    def reserved(self) -> int:
        """Tokens that what is on its way may still cost."""
        return self._held_prompt + self._held_completion

    @property
    def money(self) -> float:
        """What was paid so far, in the price's currency."""
        return cost_of(self.price, self.prompt, self.completion, self.seconds)

    @property
    def seconds(self) -> float:
        """How long was asked so far."""
        return self._seconds()

    def affords(self, request: Request) -> bool:
        """Whether the caps hold if `request` is sent and everything on its way is as long as it may be."""
        prompt, completion = bound_of(request)
        if self.caps.tokens is not None and self.spent + self.reserved + prompt + completion > self.caps.tokens:
            return False
        if self.caps.money is None:
            return True
        prompts = self.prompt + self._held_prompt + prompt
        completions = self.completion + self._held_completion + completion
        until = self.seconds + (request.demands.timeout_s if self.price.gpu_hour else 0.0)
        return cost_of(self.price, prompts, completions, until) <= self.caps.money

    def hold(self, request: Request) -> None:
        """Set aside what `request` may cost."""
        self._move(request, +1)

    def release(self, request: Request) -> None:
        """Its outcome has come."""
        self._move(request, -1)

    def pay(self, reply: Reply) -> None:
        """Count what a reply cost."""
        self.prompt += reply.prompt_tokens
        self.completion += reply.completion_tokens

    def _move(self, request: Request, sign: int) -> None:
        prompt, completion = bound_of(request)
        self._held_prompt += sign * prompt
        self._held_completion += sign * completion


def bound_of(request: Request) -> tuple[int, int]:
    """(prompt, completion) tokens that a request costs at most."""
    size = sum(len(message["content"].encode("utf-8", "replace")) for message in request.messages)
    return size + TEMPLATE_TOKENS, request.demands.max_tokens


def cost_of(price: PriceConfig, prompt_tokens: float, completion_tokens: float, seconds: float) -> float:
    """Money for tokens and for time, in the price's currency."""
    tokens = prompt_tokens * price.prompt_per_million + completion_tokens * price.completion_per_million
    return tokens / MILLION + price.gpu_hour * price.gpus * seconds / HOUR_S
