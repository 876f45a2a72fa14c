"""The order in which a wave is sent: prompts that begin alike follow each other, so that a server computes it once.

Sorted by their text, prompts come in the order of a walk through the tree of their beginnings, which is the order that
a prefix cache likes best. A wave is sorted piece by piece, so that a run that is stopped early has still written all
forms and domains; the pieces are laid out in strands, so that several endpoints work on different beginnings at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from generator.request import Request

PIECE = 2048  # turns that are rendered and sorted together: a few megabytes
STRANDS = 4  # beginnings at work at once; more endpoints than that share one

Item = TypeVar("Item")


def send_order(items: Sequence[Item], request: Callable[[Item], Request]) -> list[Item]:
    """`items` in the order of sending, a pure function of their requests and their order."""
    ranked = sorted(items, key=lambda item: prompt_text(request(item)))
    length = -(-len(ranked) // STRANDS) or 1
    strands = [ranked[start : start + length] for start in range(0, len(ranked), length)]
    return [strand[place] for place in range(length) for strand in strands if place < len(strand)]


def prompt_text(request: Request) -> str:
    """Model and messages as one text, in the order in which a server reads them."""
    return "\0".join([request.model, *(f"{message['role']}\0{message['content']}" for message in request.messages)])
