"""A conversation in the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from trainer.chat import Chat


def talk(model: Path, temperature: float, tokens: int, system: str, seed: int, given: TextIO, out: TextIO) -> None:
    """Read lines, write answers as they come; an empty line begins anew, the end of input ends."""
    chat = Chat(model, temperature=temperature, seed=seed, system=system)
    kind = "It answers." if chat.in_turns else "It was never taught to answer: it goes on where you stop."
    print(f"{kind} An empty line begins anew, Ctrl-D ends.", file=sys.stderr)
    while said := _line(given):
        if not said.strip():
            chat.forget()
            continue
        for piece in chat.reply(said.rstrip("\n"), tokens):
            out.write(piece)
            out.flush()
        out.write("\n")


def _line(given: TextIO) -> str:
    if given.isatty():
        sys.stderr.write("> ")
        sys.stderr.flush()
    return given.readline()
