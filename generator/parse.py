"""From a reply to a document or a reason. It never guesses: what it changes is recorded, what it doubts is rejected."""

from __future__ import annotations

import re
from collections import Counter

from corpus.document import Document, Lineage, Rejection
from corpus.ids import digest, document_id
from generator.config import GenerateConfig
from generator.plan import Slot
from generator.reply import Reply
from generator.request import Request

REPLY_LIMIT = 256 << 10  # characters; a longer reply is a runaway, whatever it says
STAGE = "generate"
REFUSAL = re.compile(
    r"\A\W{0,5}(i'?m sorry|i am sorry|sorry, |i can(no|'?)t |i am unable|i'?m unable|as an ai\b|as a language model)",
    re.I,
)
PREAMBLE = re.compile(r"\A(sure|certainly|of course|here(?:'s| is| are))\b[^\n]{0,120}:\s*\n+", re.I)
LEAK = re.compile(r"<\|[a-z_]{2,20}\|>|\[/?INST\]|<</?SYS>>")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SENTENCE_END = re.compile(r"[.!?。！？][\"'”’)\]]?(?=\s|\Z)")
LOOP_SHARE = 0.35  # of all 8-word windows being one that was there before: text that turns in a circle


def parse_reply(slot: Slot, request: Request, reply: Reply, config: GenerateConfig) -> Document | Rejection:
    """The document that a reply holds, or the first reason against it."""
    text, operators = reply.text.strip(), []
    if (stripped := PREAMBLE.sub("", text[:4096]) + text[4096:]) != text:
        text, operators = stripped.strip(), ["strip:preamble"]
    if reply.finish_reason == "length" and config.truncated != "reject" and len(text) <= REPLY_LIMIT:
        text, operators = trim_to_sentence(text), [*operators, "trim:sentence"]
    if fault := _fault(text, request, reply, config):
        reason, detail = fault
        return Rejection(digest("attempt", slot.id, request.attempt), STAGE, reason, detail, "synthetic")
    return _document(slot, request, reply, text, tuple(operators))


def trim_to_sentence(text: str) -> str:
    """Everything up to the last sentence end outside an open code fence; empty when there is none."""
    if text.count("```") % 2:
        text = text[: text.rindex("```")]
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    closed = text.rfind("```")
    return text[: max(ends[-1] if ends else 0, closed + 3 if closed >= 0 else 0)].strip()


def _fault(text: str, request: Request, reply: Reply, config: GenerateConfig) -> tuple[str, str] | None:
    """The first reason against a text, cheap ones first."""
    if not text:
        return "empty", f"finish reason {reply.finish_reason}"
    if len(text) > REPLY_LIMIT:
        return "too_long", f"{len(text):,} characters"
    if reply.finish_reason not in ("stop", "length"):
        return "malformed", f"finish reason {reply.finish_reason}"
    if reply.finish_reason == "length" and config.truncated == "reject":
        return "truncated", f"{reply.completion_tokens} tokens"
    if CONTROL.search(text) or "\ufffd" in text:
        return "not_text", "control or replacement characters"
    if leak := LEAK.search(text):
        return "template_leak", leak.group()
    if REFUSAL.search(text):
        return "refusal", text[:80]
    return _structure_fault(text, request, config)


def _structure_fault(text: str, request: Request, config: GenerateConfig) -> tuple[str, str] | None:
    if text.count("```") % 2:
        return "open_fence", "a code block is not closed"
    words = text.split()
    if len(words) < config.min_words and not _is_unspaced(text):
        return "too_short", f"{len(words)} words < {config.min_words}"
    if echo := _echo(text, request):
        return "prompt_echo", echo
    share = _loop_share(words)
    return ("loop", f"{share:.2f} of 8-word windows repeat") if share > LOOP_SHARE else None


def _is_unspaced(text: str) -> bool:
    """Chinese and Japanese text has no spaces; there a character stands for about half a word."""
    return sum("\u3400" <= letter <= "\u9fff" for letter in text) > len(text) // 4


def _echo(text: str, request: Request) -> str:
    """A long line of the prompt that the reply repeats word for word."""
    asked = (message["content"] for message in request.messages if message["role"] != "assistant")
    lines = (line.strip() for content in asked for line in content.split("\n"))
    return next((line[:80] for line in lines if len(line) > 60 and line in text), "")


def _loop_share(words: list[str]) -> float:
    windows = Counter(zip(*(words[start:] for start in range(8)), strict=False))
    total = sum(windows.values())
    return (total - len(windows)) / total if total else 0.0


def _document(slot: Slot, request: Request, reply: Reply, text: str, operators: tuple[str, ...]) -> Document:
    lineage = Lineage(
        slot_id=slot.id,
        request_key=request.key,
        template_hash=request.template_hash,
        teacher=f"{request.model}@{request.revision}",
        finish_reason=reply.finish_reason,
        attempt=request.attempt,
        seed_ids=request.seed_ids,
        operators=operators,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
    )
    return Document(
        id=document_id(request.key, 0, 0), text=text, source="synthetic", licence="", origin="teacher",
        language=slot.cell.language, domain=slot.cell.domain, topic=slot.cell.topic, form=slot.cell.form,
        audience=slot.cell.audience, lineage=lineage,
    )  # fmt: skip
