"""From a reply to a document or a reason. It never guesses: what it changes is recorded, what it doubts is rejected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.document import Document, Lineage, Rejection
from corpus.ids import digest, document_id
from generator.config import GenerateConfig
from generator.fluency import broken_chinese
from generator.length import IDEOGRAPH, UNSPACED, ideograph_share, units, word_count
from generator.operators.play import Draft
from generator.plan import Slot
from generator.reply import Reply
from generator.request import Request

REPLY_LIMIT = 256 << 10  # characters; a longer reply is a runaway, whatever it says
STAGE = "generate"
REFUSAL = re.compile(
    r"\A\W{0,5}(i'?m sorry|i am sorry|sorry, |i can(no|'?)t |i am unable|i'?m unable|as an ai\b|as a language model"
    r"|(很|非常|十分)?(抱歉|对不起|遗憾)[^\n。]{0,20}(无法|不能|没办法)|我(无法|不能)(提供|回答|满足|完成|协助|帮您|帮你)"
    r"|作为(一个|一名|一款)?(AI|人工智能|大?语言模型))",
    re.I,
)
PREAMBLE = re.compile(
    r"\A(?:(?:sure|certainly|of course|here(?:'s| is| are))\b[^\n]{0,120}:\s*\n+"
    r"|(?:(?:好的|当然|没问题|可以)[，,。！!、]|(?:以下|下面|这)是)[^\n]{0,60}[：:]\s*\n+)",
    re.I,
)
LEAK = re.compile(r"<\|[a-z_]{2,20}\|>|\[/?INST\]|<</?SYS>>|<<<SOURCE [0-9a-f]|[0-9a-f] SOURCE>>>")
SOURCE = re.compile(r"<<<SOURCE ([0-9a-f]+)\n.*?\n\1 SOURCE>>>", re.S)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.S)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]?(?=\s|\Z)|[。！？…]+[\"'”’）)」』\]]*")
WINDOW = 8  # words or Chinese characters
LOOP_SHARE = 0.35  # of all windows being one that was there before: text that turns in a circle
COPY_SHARE = 0.5  # of all windows standing in the source that was to be rewritten
SCRIPT_SHARE = (
    0.5  # of the letters outside code: below it a Chinese text is not Chinese, above it no other text is fine
)
ECHO = 60  # columns: a line of the prompt that is longer does not come back by chance


@dataclass(frozen=True, slots=True)
class Spoken:
    """A request of an attempt, and the reply to it."""

    request: Request
    reply: Reply


def parse_reply(slot: Slot, request: Request, reply: Reply, config: GenerateConfig) -> Document | Rejection:
    """The document that one reply holds, or the first reason against it."""
    text, notes = cleaned(reply, config)
    if fault := wording_fault(text, Spoken(request, reply), config, slot.cell.language):
        return rejected(attempt_id(slot, request.attempt), *fault)
    return document_of(slot, request.attempt, Draft(text), notes, [Spoken(request, reply)], config)


def cleaned(reply: Reply, config: GenerateConfig) -> tuple[str, tuple[str, ...]]:
    """The text of a reply without a preamble and, where it was cut off, without half a sentence; and what was done."""
    text, notes = reply.text.strip(), []
    if (stripped := PREAMBLE.sub("", text[:4096]) + text[4096:]) != text:
        text, notes = stripped.strip(), ["strip:preamble"]
    if reply.finish_reason == "length" and config.truncated != "reject" and len(text) <= REPLY_LIMIT:
        text, notes = trim_to_sentence(text), [*notes, "trim:sentence"]
    return text, tuple(notes)


def attempt_id(slot: Slot, attempt: int) -> str:
    """The id of a rejected attempt."""
    return digest("attempt", slot.id, attempt)


def rejected(name: str, reason: str, detail: str) -> Rejection:
    """A rejection of this stage."""
    return Rejection(name, STAGE, reason, detail, "synthetic")


def trim_to_sentence(text: str) -> str:
    """Everything up to the last sentence end outside an open code fence; empty when there is none."""
    if text.count("```") % 2:
        text = text[: text.rindex("```")]
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    closed = text.rfind("```")
    return text[: max(ends[-1] if ends else 0, closed + 3 if closed >= 0 else 0)].strip()


def reply_fault(reply: Reply) -> tuple[str, str] | None:
    """What is wrong with a reply whatever it was to hold."""
    if len(reply.text) > REPLY_LIMIT:
        return "too_long", f"{len(reply.text):,} characters"
    if reply.finish_reason not in ("stop", "length"):
        return "malformed", f"finish reason {reply.finish_reason}"
    return None


def wording_fault(text: str, spoken: Spoken, config: GenerateConfig, language: str) -> tuple[str, str] | None:
    """The first reason against the words of a cleaned reply, cheap ones first; holds for every step of an attempt."""
    reply, prompt = spoken.reply, _prompt(spoken.request)
    if fault := reply_fault(reply):
        return fault
    if not text:  # nothing was written, or no whole sentence
        wrong = _wrong_language(reply.text, language, prompt)
        return ("language", wrong) if wrong else ("empty", f"finish reason {reply.finish_reason}")
    if reply.finish_reason == "length" and config.truncated == "reject":
        return "truncated", f"{reply.completion_tokens} tokens"
    return _text_fault(text, language, prompt)


def _text_fault(text: str, language: str, prompt: str) -> tuple[str, str] | None:
    if leak := LEAK.search(text):
        return "template_leak", leak.group()
    if REFUSAL.search(text):
        return "refusal", text[:80]
    # Before broken characters, since a teacher that does not know the language that it was asked for breaks them too.
    if wrong := _wrong_language(text, language, prompt):
        return "language", wrong
    if CONTROL.search(text) or "\ufffd" in text:
        return "not_text", "control or replacement characters"
    return None


def _structure_fault(draft: Draft, spoken: Sequence[Spoken], config: GenerateConfig) -> tuple[str, str] | None:
    text = draft.text
    if text.count("```") % 2:
        return "open_fence", "a code block is not closed"
    if (length := word_count(text)) < config.min_words:
        return "too_short", f"{length:.0f} words < {config.min_words}"
    if echo := next(filter(None, (_echo(text, item.request) for item in spoken)), ""):
        return "prompt_echo", echo
    words = units(text)
    if (share := _loop_share(words)) > LOOP_SHARE:
        return "loop", f"{share:.2f} of {WINDOW}-word windows repeat"
    share = 0.0 if draft.quotes else _copied_share(words, draft.seed or _source(spoken[0].request))
    return ("source_copy", f"{share:.2f} of {WINDOW}-word windows stand in the source") if share > COPY_SHARE else None


def _wrong_language(text: str, language: str, prompt: str) -> str:
    """What is wrong with the script or the words of a text, outside of its code: no guess at languages that share one."""
    prose = CODE.sub(" ", text)
    share = ideograph_share(prose)
    if not any(letter.isalpha() for letter in prose):
        return ""
    if language in UNSPACED and share < SCRIPT_SHARE:
        return f"{share:.2f} of the letters are of the script of `{language}`"
    if language not in UNSPACED and share > SCRIPT_SHARE:
        return f"{share:.2f} of the letters are Chinese or Japanese, asked was `{language}`"
    return broken_chinese(prose, prompt) if language == "zh" else ""


def _echo(text: str, request: Request) -> str:
    """A long line of the prompt that the reply repeats word for word; the source of a rewriting is no part of that."""
    lines = (line.strip() for line in _prompt(request).split("\n"))
    return next((line[:80] for line in lines if _columns(line) > ECHO and line in text), "")


def _prompt(request: Request) -> str:
    """What was asked, without the fenced sources."""
    return "\n".join(
        SOURCE.sub("", message["content"]) for message in request.messages if message["role"] != "assistant"
    )


def _columns(line: str) -> int:
    """Width of a line: a Chinese character is as wide, and says about as much, as two letters."""
    return len(line) + len(IDEOGRAPH.findall(line))


def _windows(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(WINDOW)), strict=False))


def _loop_share(words: Sequence[str]) -> float:
    windows = _windows(words)
    total = sum(windows.values())
    return (total - len(windows)) / total if total else 0.0


def _source(request: Request) -> str:
    """The documents that the form's own prompt has between its fences."""
    if not request.seed_ids:
        return ""
    return "\n".join(found.group() for item in request.messages for found in SOURCE.finditer(item["content"]))


def _copied_share(words: Sequence[str], source: str) -> float:
    if not source:
        return 0.0
    theirs, ours = _windows(units(source)), _windows(words)
    total = sum(ours.values())
    return sum(count for window, count in ours.items() if window in theirs) / total if total else 0.0


def document_of(
    slot: Slot, attempt: int, draft: Draft, notes: tuple[str, ...], spoken: Sequence[Spoken], config: GenerateConfig
) -> Document | Rejection:
    """The document that an attempt ends with, or the first reason against its text; `spoken` is everything asked for it.

    The request in its lineage is the last one whose reply holds the text; where a text was put together from several
    replies, the last one of all. Every other request is a parent, in the order of asking.
    """
    asked = "\n".join(_prompt(item.request) for item in spoken)
    fault = _text_fault(draft.text, slot.cell.language, asked) or _structure_fault(draft, spoken, config)
    if fault:
        return rejected(attempt_id(slot, attempt), *fault)
    holder = next((item for item in reversed(spoken) if draft.text in item.reply.text), spoken[-1])
    return Document(
        id=document_id(holder.request.key, 0, 0), text=draft.text, source="synthetic", licence="", origin="teacher",
        language=slot.cell.language, domain=slot.cell.domain, topic=slot.cell.topic, form=slot.cell.form,
        audience=slot.cell.audience, lineage=_lineage(attempt, holder, spoken, (*notes, *draft.steps)),
    )  # fmt: skip


def _lineage(attempt: int, holder: Spoken, spoken: Sequence[Spoken], steps: tuple[str, ...]) -> Lineage:
    request = holder.request
    return Lineage(
        slot_id=request.slot_id,
        request_key=request.key,
        template_hash=spoken[0].request.template_hash,
        teacher=f"{request.model}@{request.revision}",
        finish_reason=holder.reply.finish_reason,
        attempt=attempt,
        seed_ids=request.seed_ids,
        parents=tuple(item.request.key for item in spoken if item is not holder),
        operators=steps,
        prompt_tokens=sum(item.reply.prompt_tokens for item in spoken),
        completion_tokens=sum(item.reply.completion_tokens for item in spoken),
    )
