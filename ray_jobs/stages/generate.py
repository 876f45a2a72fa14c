"""generate: fills the slots of the plan in waves, from the journal first and from the teacher where it has nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from corpus.document import Document, documents_table, rejections_table
from corpus.errors import IncompleteError, YieldError
from corpus.facts import counts, histogram, number, samples, table
from corpus.journal import read_journal
from corpus.manifest import Balance, Manifest
from corpus.shards import write_partition
from corpus.store import Store
from filters.decontaminate import benchmark_hash
from filters.sensitive import redact
from generator.book import Book
from generator.plan import Slot, coverage
from generator.reply import OUTCOMES, Failure, Outcome, Reply, outcome_of
from generator.request import Request
from generator.waves import Waves
from ray_jobs.acceptance import accept_all, acceptance
from ray_jobs.crew import crew_for
from ray_jobs.line import Line
from ray_jobs.planning import Plan, library_of, plan_for
from ray_jobs.stage import Made, Stage

JOURNAL = "journal"
SHOWN = 12  # samples in the report
TAIL_LIMIT = 320  # characters of the first sample on the terminal
TOLD_SHARE = 0.05  # of all slots: a smaller wave is not worth a line


def stage(line: Line, inputs: Mapping[str, Manifest]) -> Stage:
    """The stage of this recipe; `inputs` are the sources that its seeds come from."""
    config = line.recipe.generate
    assert config is not None
    teacher = line.recipe.teacher
    told = {
        "generate": config.model_dump(mode="json"),
        "teacher": teacher.model_dump(mode="json", include={"model", "revision", "temperature", "top_p", "licence"}),
        "seed": line.recipe.seed,
    }
    against = line.recipe.filters.decontaminate
    if against.against:
        told["decontaminate"] = against.model_dump(mode="json")
    templates = {**library_of(config).hashes(), **benchmark_hash(against)}
    given = dict(inputs) if config.seeds else {}
    return Stage("generate", told, given, lambda store: _work(line, store), templates, version="4")


def _work(line: Line, store: Store) -> Made:
    recipe, plan = line.recipe, plan_for(line.recipe, line.folder)
    store.sweep(3600)
    book = open_book(plan)

    def told(wave: int, turns: int) -> None:
        if wave == 1 or turns >= TOLD_SHARE * len(plan.slots):
            line.talk.say(f"generate   wave {wave}: {turns:,} requests")

    waves = Waves(book, store, plan.request, stored_outcomes(store), token_cap=recipe.limits.tokens, on_wave=told)
    asked = _ask(line, waves, book, store)
    made = _made(line, store, plan.slots, book, asked)
    return replace(made, facts={**made.facts, **_prompt_facts(plan)})


def open_book(plan: Plan, *, as_they_come: bool = False) -> Book:
    """The book of a run that begins."""
    config = plan.recipe.generate
    assert config is not None
    accept = acceptance(plan.recipe.filters) if config.accept else accept_all
    return Book(plan.slots, config, accept, plan.cast, as_they_come=as_they_come)


def _ask(line: Line, waves: Waves, book: Book, store: Store) -> int:
    """Until every slot is filled or short; how many requests were sent. What is stored needs no teacher."""
    first = waves.take(1)
    if waves.recalled:
        line.talk.say(f"generate   {waves.recalled:,} requests were answered before")
    progress = _Progress(line, waves, book)
    if first:
        line.teacher.urls()  # wait here, so that the rate and the time left are the teacher's own
        served = getattr(line.teacher, "served_name", line.recipe.teacher.model)
        with crew_for(line, store.child(JOURNAL).url, served) as crew:
            source = _Ahead(first, waves)
            crew.ask(source, progress.seen, line.stopping, getattr(line.teacher, "keep_alive", lambda: None))
    line.check()
    if waves.capped:
        raise YieldError(
            f"{book.spent:,} of {line.recipe.limits.tokens:,} tokens are spent, which leaves no room for one more reply",
            hint="raise limits.tokens and run again: nothing is asked twice",
        )
    if book.unanswered:
        raise IncompleteError(
            f"{book.unanswered.total():,} requests were not answered: {dict(book.unanswered)}",
            hint="run the same command again: it asks only these",
        )
    return progress.sent


class _Ahead:
    """The waves, with the requests that were taken to see whether there are any."""

    def __init__(self, first: list[Request], waves: Waves) -> None:
        self._first, self._waves = first, waves

    def take(self, limit: int) -> list[Request]:
        first, self._first = self._first, []
        return first or self._waves.take(limit)


def stored_outcomes(store: Store) -> dict[str, Outcome]:
    """The journal by request key. Of two outcomes of one request the reply counts, of two replies the whole one."""
    stored: dict[str, Outcome] = {}
    for record in read_journal(store.child(JOURNAL)):
        outcome = outcome_of(record)
        if outcome and (before := stored.setdefault(outcome.request_key, outcome)) is not outcome:
            stored[outcome.request_key] = max(before, outcome, key=_worth)  # the first of two alike
    return stored


def _worth(outcome: Outcome) -> tuple[bool, bool, int]:
    if isinstance(outcome, Failure):
        return False, not outcome.retryable, 0
    whole = outcome.finish_reason != "length"
    return True, whole, 0 if whole else outcome.completion_tokens


class _Progress:
    """Counts outcomes for the person who waits, and shows the first text as soon as there is one."""

    def __init__(self, line: Line, waves: Waves, book: Book) -> None:
        self._line, self._waves, self._book = line, waves, book
        self._begun, self._tokens, self._shown = time.monotonic(), 0, waves.recalled > 0
        self.sent = 0

    def seen(self, outcomes: Sequence[Outcome]) -> None:
        """Take note of outcomes."""
        self.sent += len(outcomes)
        self._book.take_in(outcomes)
        for reply in outcomes:
            if isinstance(reply, Reply):
                self._tokens += reply.completion_tokens
                self._show(reply)
        seconds = max(0.01, time.monotonic() - self._begun)
        self._line.talk.step(
            "generate", self._waves.recalled + self.sent, self._waves.turns, "replies", rate=self.sent / seconds,
            note=f"{self._tokens / seconds:,.0f} tokens/s",
        )  # fmt: skip

    def _show(self, reply: Reply) -> None:
        if not self._shown and len(reply.text) > TAIL_LIMIT // 2:
            self._shown = True
            text = redact(" ".join(reply.text.split())[:TAIL_LIMIT])[0]
            self._line.talk.say(f"generate   the first text, as the teacher wrote it:\n\n      “{text} …”\n")


def _made(line: Line, store: Store, slots: Sequence[Slot], book: Book, asked: int) -> Made:
    licence = line.recipe.teacher.licence
    kept = [replace(book.documents[slot.id], licence=licence) for slot in slots if slot.id in book.documents]
    documents = documents_table(kept)
    if kept:
        lengths = line.teacher.counter().count([item.text for item in kept])
        documents = documents.set_column(
            documents.schema.get_field_index("tokens"), "tokens", pa.array(lengths, pa.int32())
        )
    outcomes = outcomes_table(book)
    partitions = [write_partition(store, "documents", 0, documents), write_partition(store, "replies", 0, outcomes)]
    if book.rejections:
        partitions.append(
            write_partition(store, "rejected", 0, rejections_table(sorted(book.rejections, key=lambda item: item.id)))
        )
    reasons = Counter(item.reason for item in book.rejections)
    attempts = sum(len(past) for past in book.attempts.values())
    return Made(
        partitions=tuple(partitions),
        balance=Balance(made=attempts, kept=len(kept), rejected=len(book.rejections)),
        reasons=reasons,
        licences=Counter(item.licence for item in kept),
        facts=_facts(slots, kept, book),
        totals={"documents": len(kept), "tokens": int(sum(documents["tokens"].to_pylist())), "slots": len(slots),
                "attempts": attempts, "requests": asked},
    )  # fmt: skip


def outcomes_table(book: Book) -> pa.Table:
    """Every outcome in the order of judgement, so that the same documents can be made again without a teacher."""
    outcomes: list[Outcome] = [book.replies.get(key) or book.refused[key] for key in book.judged]
    return pa.Table.from_pylist([item.to_record() for item in outcomes], schema=OUTCOMES)


def outcomes_in(replies: pa.Table) -> Iterator[Outcome]:
    """The outcomes of a `replies` table, in its order."""
    for batch in replies.to_batches(1024):
        yield from (outcome for row in batch.to_pylist() if (outcome := outcome_of(row)))


def _prompt_facts(plan: Plan) -> dict[str, dict]:
    """What was kept out of prompts."""
    facts = {}
    if plan.private:
        title = f"Personal data and secrets in seeds: {plan.recipe.generate and plan.recipe.generate.private_seeds}"
        facts["seeds.private"] = counts(title, plan.private, unit="findings")
    if plan.contaminated:
        told = Counter(by.partition(":")[2].strip().partition("#")[0] for by in plan.contaminated.values())
        facts["slots.contaminated"] = counts(
            "Slots that are not asked, by the benchmark in their prompt", told, unit="slots"
        )
    return facts


def _facts(slots: Sequence[Slot], kept: Sequence[Document], book: Book) -> dict[str, dict]:
    filled = {slot.id for slot in slots if slot.id in book.documents}
    short = book.shortfall()
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
