"""Documents that a prompt is grounded in, fenced so that nothing in them can pass for an instruction.

A seed is text from strangers. It enters a template as a value, so template syntax in it is never evaluated. Chat tokens
are made harmless, invisible and steering characters go, and the fence carries a hash of the text: to close its own
fence a text would have to hold its own hash.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from corpus.ids import digest

LIMIT = 6000  # characters of one seed; WRAP rewrites passages of at most 300 tokens, tutorials need more
MARK = 12  # hex digits of the fence's mark
BAR = "[|\uff5c\u2502\u01c0]"  # bars that models read in chat tokens (DeepSeek's is full-width)
NAMED = (  # control tokens written as tags: Llama, Gemma, Qwen, T5, and StarCoder's, which SmolLM2 inherits
    "s|bos|eos|pad|unk|mask|system|user|assistant|(?:start|end)_of_(?:turn|image)|tool_(?:call|response)|think|im_start|im_end"
    r"|unused\d+|extra_id_\d+|fim_(?:prefix|middle|suffix|pad)|repo_?name|file_?(?:sep|name)|gh_stars|empty_output"
    "|issue_(?:start|comment|closed)|jupyter_(?:start|text|code|output|script)"
)
BRACKETED = (
    "INST|IMG|PREFIX|MIDDLE|SUFFIX|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT"  # Mistral
)
CHAT_TOKEN = re.compile(rf"<{BAR}[^<>\n]{{0,64}}{BAR}>|</?(?:{NAMED})>|\[/?(?:{BRACKETED})\]|<</?SYS>>", re.I)
SAFE = str.maketrans({"<": "‹", ">": "›", "[": "⟦", "]": "⟧", "|": "¦", "\uff5c": "¦"})
SENTENCE_END = re.compile(r"[。！？]|[.!?](?=\s)|\n")


@dataclass(frozen=True, slots=True)
class Seed:
    """A document to ground a prompt in. `title` names it in tables; `domain` is the label of its source."""

    id: str
    text: str
    language: str = "en"
    title: str = ""
    domain: str = "web"
    licence: str = ""


def harmless(text: str) -> str:
    """The text without chat tokens, control characters, and characters that are invisible or turn the direction."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub("[\u2028\u2029\x85]", "\n", text)
    # Cc: control, Cf: format (zero width, bidi, tags), Cs: lone surrogates, Co: private use
    text = "".join(
        letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co")
    )
    while CHAT_TOKEN.search(text):
        text = CHAT_TOKEN.sub(lambda found: found.group().translate(SAFE), text)
    return text.strip()


def excerpt(text: str, limit: int = LIMIT) -> str:
    """The beginning of a text up to the last sentence or line end within `limit` characters."""
    if len(text) <= limit:
        return text
    ends = [found.end() for found in SENTENCE_END.finditer(text, 0, limit)]
    return text[: ends[-1] if ends else limit].rstrip()


def fenced(seed: Seed, limit: int = LIMIT) -> str:
    """The seed between two lines that it cannot contain: `<<<SOURCE mark` and `mark SOURCE>>>`."""
    text = excerpt(harmless(seed.text[: 4 * limit]), limit)
    mark = digest("fence", text)[:MARK]
    while mark in text:
        mark = digest("fence", text, mark)[:MARK]
    return f"<<<SOURCE {mark}\n{text}\n{mark} SOURCE>>>"
