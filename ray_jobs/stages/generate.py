"""generate: fills the slots of the plan in waves, from the journal first and from the teacher where it has nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import pyarrow as pa

from corpus.document import Document, Rejection, documents_table, rejections_table
from corpus.errors import IncompleteError, YieldError
from corpus.facts import counts, histogram, number, samples, table
from corpus.journal import read_journal
from corpus.manifest import Balance
from corpus.shards import write_partition
from corpus.store import Store
from filters.sensitive import redact
from generator.config import GenerateConfig
from generator.parse import parse_reply
from generator.plan import Slot, coverage, plan_slots
from generator.reply import REPLIES, Failure, Outcome, Reply, outcome_of
from generator.request import Request, make_request
from generator.waves import FILLED, next_wave, shortfall
from prompts.library import Library, load_library
from ray_jobs.crew import ask_all
from ray_jobs.line import Line
from ray_jobs.stage import Made, Stage

JOURNAL, WAVES = "journal", "waves"
SHOWN = 12  # samples in the report
TAIL_LIMIT = 320  # characters of the first sample on the terminal


@dataclass
class Book:
    """What is known of every slot: outcomes by request, and the verdict on each attempt."""

    replies: dict[str, Reply] = field(default_factory=dict)
    refused: dict[str, Failure] = field(default_factory=dict)
    attempts: dict[str, list[str]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    asked: int = 0


def library_of(config: GenerateConfig) -> Library:
    """The library of a recipe."""
    return load_library(Path(config.library) if config.library else None)


def stage(line: Line) -> Stage:
    """The stage of this recipe."""
    config = line.recipe.generate
    assert config is not None
    teacher = line.recipe.teacher
    told = {
        "generate": config.model_dump(mode="json"),
        "teacher": teacher.model_dump(mode="json", include={"model", "revision", "temperature", "top_p", "licence"}),
        "seed": line.recipe.seed,
    }
    library = library_of(config)
    return Stage("generate", told, {}, lambda store: _work(line, config, library, store), library.hashes())


def _work(line: Line, config: GenerateConfig, library: Library, store: Store) -> Made:
    slots = plan_slots(config, library, line.recipe.seed)
    store.sweep(3600)
    book = Book()
    for number_of_wave in range(config.attempts):
        wave = next_wave(slots, book.attempts, config.attempts)
        if not wave:
            break
        requests = [
            make_request(slot, attempt, library, line.recipe.teacher, config, line.recipe.seed)
            for slot, attempt in wave
        ]
        _commit_wave(store, number_of_wave, requests)
        _fill(line, config, store, number_of_wave, requests, book)
        _judge(line, config, wave, requests, book)
    return _made(line, store, slots, book, config)


def _commit_wave(store: Store, index: int, requests: Sequence[Request]) -> None:
    """The wave is committed before its first request."""
    store.commit(
        f"{WAVES}/{index:04d}.json", orjson.dumps({"wave": index, "requests": [item.key for item in requests]})
    )


def _fill(line: Line, config: GenerateConfig, store: Store, wave: int, requests: Sequence[Request], book: Book) -> None:
    """Outcomes of all requests of a wave: what the journal holds is never asked again."""
    _recall(store, config, requests, book)
    missing = [item for item in requests if item.key not in book.replies and item.key not in book.refused]
    if not missing:
        return
    line.talk.say(
        f"generate   wave {wave + 1}: {len(requests):,} requests, {len(requests) - len(missing):,} answered before"
    )
    spent = sum(item.prompt_tokens + item.completion_tokens for item in book.replies.values())
    cap = line.recipe.limits.tokens
    if cap is not None and spent >= cap:
        raise YieldError(
            f"the spend cap is reached: {spent:,} of {cap:,} tokens", hint="raise limits.tokens and run again"
        )
    served = getattr(line.teacher, "served_name", line.recipe.teacher.model)
    line.teacher.urls()  # wait here, so that the rate and the time left are the teacher's own
    progress = _Progress(line, wave, len(requests), len(requests) - len(missing), {item.key: item for item in requests})
    ask_all(line, missing, store.child(JOURNAL).url, served, progress.seen)
    book.asked += progress.sent
    line.check()
    _recall(store, config, requests, book)
    unanswered = [item for item in requests if item.key not in book.replies and item.key not in book.refused]
    if unanswered:
        raise IncompleteError(
            f"{len(unanswered):,} requests were not answered: {dict(progress.failures) or 'no reason given'}",
            hint="run the same command again: it asks only these",
        )


def _recall(store: Store, config: GenerateConfig, requests: Sequence[Request], book: Book) -> None:
    """Read the journal. Of two replies to one request the first counts; one cut at a lower limit than now does not."""
    wanted = {item.key: item for item in requests if item.key not in book.replies and item.key not in book.refused}
    for record in read_journal(store.child(JOURNAL)):
        outcome = outcome_of(record)
        if outcome is None or outcome.request_key not in wanted:
            continue
        if isinstance(outcome, Reply) and _serves(outcome, wanted[outcome.request_key]):
            book.replies.setdefault(outcome.request_key, outcome)
        elif isinstance(outcome, Failure) and not outcome.retryable:
            book.refused.setdefault(outcome.request_key, outcome)


def _serves(reply: Reply, request: Request) -> bool:
    return reply.finish_reason != "length" or reply.completion_tokens >= request.demands.max_tokens


def _judge(
    line: Line, config: GenerateConfig, wave: Sequence[tuple[Slot, int]], requests: Sequence[Request], book: Book
) -> None:
    licence = line.recipe.teacher.licence
    for (slot, _), request in zip(wave, requests, strict=True):
        verdict = _verdict(slot, request, config, book)
        if isinstance(verdict, Document):
            book.documents[slot.id] = replace(verdict, licence=licence)
        else:
            book.rejections.append(verdict)
        book.attempts.setdefault(slot.id, []).append(FILLED if isinstance(verdict, Document) else verdict.reason)


def _verdict(slot: Slot, request: Request, config: GenerateConfig, book: Book) -> Document | Rejection:
    if request.key in book.replies:
        return parse_reply(slot, request, book.replies[request.key], config)
    failure = book.refused[request.key]
    return Rejection(request.key, "generate", failure.reason, failure.detail, "synthetic")


class _Progress:
    """Counts outcomes for the person who waits, and shows the first text as soon as there is one."""

    def __init__(self, line: Line, wave: int, total: int, before: int, requests: Mapping[str, Request]) -> None:
        self._line, self._total, self._before, self._requests = line, total, before, requests
        self._begun, self._tokens, self._shown = time.monotonic(), 0, wave > 0 or before > 0
        self.sent, self.failures = 0, Counter[str]()

    def seen(self, outcomes: list[Outcome]) -> None:
        """Take note of outcomes."""
        self.sent += len(outcomes)
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                self.failures[outcome.reason] += 1
                continue
            self._tokens += outcome.completion_tokens
            self._show(outcome)
        seconds = max(0.01, time.monotonic() - self._begun)
        self._line.talk.step(
            "generate", self._before + self.sent, self._total, "replies", rate=self.sent / seconds,
            note=f"{self._tokens / seconds:,.0f} tokens/s",
        )  # fmt: skip

    def _show(self, reply: Reply) -> None:
        if not self._shown and len(reply.text) > TAIL_LIMIT // 2:
            self._shown = True
            text = redact(" ".join(reply.text.split())[:TAIL_LIMIT])[0]
            self._line.talk.say(f"generate   the first text, as the teacher wrote it:\n\n      “{text} …”\n")


def _made(line: Line, store: Store, slots: Sequence[Slot], book: Book, config: GenerateConfig) -> Made:
    kept = [book.documents[slot.id] for slot in slots if slot.id in book.documents]
    documents = documents_table(kept)
    if kept:
        lengths = line.teacher.counter().count([item.text for item in kept])
        documents = documents.set_column(
            documents.schema.get_field_index("tokens"), "tokens", pa.array(lengths, pa.int32())
        )
    replies = pa.Table.from_pylist([_row(item) for _, item in sorted(book.replies.items())], schema=REPLIES)
    partitions = [write_partition(store, "documents", 0, documents), write_partition(store, "replies", 0, replies)]
    if book.rejections:
        partitions.append(write_partition(store, "rejected", 0, rejections_table(book.rejections)))
    reasons = Counter(item.reason for item in book.rejections)
    attempts = sum(len(past) for past in book.attempts.values())
    return Made(
        partitions=tuple(partitions),
        balance=Balance(made=attempts, kept=len(kept), rejected=len(book.rejections)),
        reasons=reasons,
        licences=Counter(item.licence for item in kept),
        facts=_facts(slots, kept, book),
        totals={"documents": len(kept), "tokens": int(sum(documents["tokens"].to_pylist())), "slots": len(slots),
                "attempts": attempts, "requests": book.asked},
    )  # fmt: skip


def _row(reply: Reply) -> dict[str, object]:
    record = reply.to_record()
    record.pop("kind")
    return record


def _facts(slots: Sequence[Slot], kept: Sequence[Document], book: Book) -> dict[str, dict]:
    filled = {slot.id for slot in slots if slot.id in book.documents}
    short = shortfall(slots, book.attempts)
    written = [item.completion_tokens for item in book.replies.values()]
    facts = {
        "coverage": coverage(list(slots), filled),
        "yield.slots": table("Slots", ["planned", "filled", "short", "attempts"],
                             [[len(slots), len(filled), len(slots) - len(filled), sum(map(len, book.attempts.values()))]]),
        "lengths.replies": histogram("Length of the teacher's replies", "tokens", written),
        "requests": number("Tokens that the teacher wrote", sum(written), unit="tokens"),
        "samples.written": samples("As the teacher wrote them", [
            {"id": item.id, "text": redact(item.text)[0], "domain": item.domain, "form": item.form} for item in kept[:SHOWN]
        ]),
    }  # fmt: skip
    if short:
        facts["yield.short"] = counts("Slots that stayed empty, by cause", short, unit="slots")
    return facts
