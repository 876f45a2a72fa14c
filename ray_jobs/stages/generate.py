"""generate: fills the slots of the plan in waves, from the journal first and from the teacher where it has nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from corpus.document import Document, documents_table, rejections_table
from corpus.errors import IncompleteError, SetupError, YieldError
from corpus.facts import counts, histogram, number, samples
from corpus.journal import read_journal
from corpus.label_writer import LabelWriter
from corpus.manifest import Balance, Manifest, load_manifest
from corpus.shards import write_partition
from corpus.soft_labels import KIND, read_labels
from corpus.store import Store, open_store
from corpus.tokens import FileCounter
from filters.decontaminate import benchmark_hash
from filters.sensitive import redact
from generator.book import Book
from generator.labelling import NO_LABELS, Unlabelled, label_documents
from generator.plan import Slot
from generator.recall import Elsewhere
from generator.reply import OUTCOMES, Failure, Outcome, Reply, outcome_of
from generator.request import Request
from generator.spend import Caps, Purse
from generator.verification import Stored, Verifying
from generator.waves import Waves
from ray_jobs.acceptance import accept_all, acceptance, warm
from ray_jobs.crew import BATCH, crew_for
from ray_jobs.ledger import ledger_facts
from ray_jobs.line import Line
from ray_jobs.planning import Plan, library_of, plan_for
from ray_jobs.progress import Ahead, Progress
from ray_jobs.recipe import Recipe
from ray_jobs.stage import Made, Stage
from ray_jobs.steering import keep_state, steering_facts, steering_partition, tell_wave
from ray_jobs.stopwatch import Stopwatch
from ray_jobs.tombstones import forgotten_slots
from ray_jobs.verifying import VERDICTS, verdicts_table, verifying

JOURNAL = "journal"
SHOWN = 12  # samples in the report
REPLIES_A_GROUP = 1024  # another run reads single replies again
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
    if teacher.top_logprobs:  # named only where there are any, so that no other run is another one for it
        told["top_logprobs"] = teacher.top_logprobs
    templates = {**library_of(config).hashes(), **benchmark_hash(against)}
    given = dict(inputs) if config.seeds else {}
    return Stage("generate", told, given, lambda store: _work(line, store), templates, version="5")


def _work(line: Line, store: Store) -> Made:
    plan = plan_for(line.recipe, line.folder)
    store.sweep(3600)
    with verifying(plan, store, line.talk) as verification:
        return _written(line, store, plan, verification)


def _written(line: Line, store: Store, plan: Plan, verification: Verifying | None) -> Made:
    recipe, watch = line.recipe, Stopwatch(store)
    gone = forgotten_slots(line.folder, plan.slots)
    book = open_book(plan, purse=purse_of(recipe, watch), forgotten=gone, verification=verification,
                     steered=True)  # fmt: skip

    def told(wave: int, turns: int) -> None:
        if wave == 1 or turns >= TOLD_SHARE * len(plan.slots):
            line.talk.say(f"generate   wave {wave}: {turns:,} requests")
        tell_wave(line, book)

    stored, other = stored_outcomes(store), elsewhere_for(recipe, line.talk.say)
    waves = Waves(book, store, plan.request, stored, elsewhere=other, on_wave=told)
    asked = ask(line, waves, book, store, watch)
    return made_of(line, store, plan, book, asked)


def open_book(
    plan: Plan, slots: Sequence[Slot] | None = None, *, as_they_come: bool = False, purse: Purse | None = None,
    forgotten: Collection[str] = (), verification: Stored | None = None, steered: bool = False,
) -> Book:  # fmt: skip
    """The book of a run that begins; of some of its `slots` only where they are given.

    `steered`: coverage decides over the slots, wave by wave; else all of them are open at once.
    """
    config = plan.recipe.generate
    assert config is not None
    accept = acceptance(plan.recipe.filters) if config.accept else accept_all
    chosen = plan.slots if slots is None else slots
    if verification:
        plan = replace(plan, run_tests=verification.run_tests)
    return Book(
        chosen, config, accept, plan.cast, as_they_come=as_they_come, purse=purse, forgotten=forgotten,
        verification=verification,
        coverage=plan.coverage() if steered else None,
    )  # fmt: skip


def purse_of(recipe: Recipe, watch: Stopwatch) -> Purse:
    """What the recipe lets a run spend."""
    caps = Caps(recipe.limits.tokens, recipe.limits.money)
    return Purse(caps, recipe.teacher.price, lambda: watch.seconds)


def elsewhere_of(recipe: Recipe, warn: Callable[[str], None]) -> Elsewhere | None:
    """The replies of the other runs in the recipe's store; None where the recipe says `run.reuse: false`."""
    teacher = f"{recipe.teacher.model}@{recipe.teacher.revision}"
    return Elsewhere(open_store(recipe.store), recipe.label, teacher, warn) if recipe.run.reuse else None


def elsewhere_for(recipe: Recipe, warn: Callable[[str], None]) -> Callable[[Request], Reply | None]:
    """Finds what other runs were answered, if the recipe wants that."""
    other = elsewhere_of(recipe, warn)
    return other.find if other else lambda request: None


def ask(
    line: Line, waves: Waves, book: Book, store: Store, watch: Stopwatch, *,
    seen: Callable[[Sequence[Outcome]], None] = lambda outcomes: None, batch: int = BATCH,
) -> int:  # fmt: skip
    """Until every slot is filled or short; how many requests were sent. What is stored needs no teacher."""
    first = waves.take(1)
    _tell_recalled(line, waves, book)
    progress = Progress(line, waves, book)

    def taken(outcomes: Sequence[Outcome]) -> None:
        seen(outcomes)
        progress.seen(outcomes)
        watch.tick()

    if first:
        if line.recipe.generate and line.recipe.generate.accept:
            warm(line.recipe.filters)
        line.teacher.urls()  # wait here, so that the rate and the time left are the teacher's own
        served = getattr(line.teacher, "served_name", line.recipe.teacher.model)
        with progress.told(), crew_for(line, store.child(JOURNAL).url, served, batch) as crew:
            watch.start()
            try:
                source = Ahead(first, waves, progress)
                crew.ask(source, taken, line.stopping, getattr(line.teacher, "keep_alive", lambda: None))
            finally:
                watch.stop()
    keep_state(line.folder, book, "spend cap" if waves.capped else "")
    line.check()
    _check_ended(line.recipe, waves, book)
    return progress.sent


def _tell_recalled(line: Line, waves: Waves, book: Book) -> None:
    if waves.recalled:
        other = f", {book.reused:,} of them in other runs" if book.reused else ""
        line.talk.say(f"generate   {waves.recalled:,} requests were answered before{other}")


def _check_ended(recipe: Recipe, waves: Waves, book: Book) -> None:
    if waves.capped:
        raise YieldError(_capped(recipe, book), hint="raise the limit and run again: nothing is asked twice")
    if book.unanswered:
        raise IncompleteError(
            f"{book.unanswered.total():,} requests were not answered: {dict(book.unanswered)}",
            hint="run the same command again: it asks only these",
        )


def _capped(recipe: Recipe, book: Book) -> str:
    limits, price = recipe.limits, recipe.teacher.price
    tokens = f" of limits.tokens, {limits.tokens:,}" if limits.tokens is not None else ""
    money = f" and {book.purse.money:,.4g} {price.currency}" if price.named else ""
    of_money = f" of limits.money, {limits.money:,.4g}" if limits.money is not None else ""
    return f"{book.purse.spent:,} tokens{tokens}{money}{of_money} are spent, which leaves no room for one more reply"


def stored_outcomes(store: Store) -> dict[str, Outcome]:
    """The journal by request key. Of two outcomes of one request the reply counts, of two replies the whole one."""
    stored: dict[str, Outcome] = {}
    for record in read_journal(store.child(JOURNAL)):
        outcome = outcome_of(record)
        if outcome and (before := stored.setdefault(outcome.request_key, outcome)) is not outcome:
            stored[outcome.request_key] = max(before, outcome, key=_worth)  # the first of two alike
    return stored


def _worth(outcome: Outcome) -> tuple[bool, bool, int, int]:
    if isinstance(outcome, Failure):
        return False, not outcome.retryable, 0, 0
    whole = outcome.finish_reason != "length"
    return True, whole, 0 if whole else outcome.completion_tokens, outcome.top_logprobs


def made_of(line: Line, store: Store, plan: Plan, book: Book, asked: int) -> Made:
    """Commit the book's documents, outcomes and rejections, and what is known of them."""
    kept = [
        replace(book.documents[slot.id], licence=plan.licence_of(slot))
        for slot in book.slots
        if slot.id in book.documents
    ]
    documents = documents_table(kept)
    if kept:
        lengths = line.teacher.counter().count([item.text for item in kept])
        documents = documents.set_column(
            documents.schema.get_field_index("tokens"), "tokens", pa.array(lengths, pa.int32())
        )
    outcomes, tokens = outcomes_table(book), int(sum(documents["tokens"].to_pylist()))
    partitions = [
        write_partition(store, "documents", 0, documents),
        write_partition(store, "replies", 0, outcomes, group_rows=REPLIES_A_GROUP),
    ]
    partitions.append(steering_partition(store, plan, book))
    if book.rejections:
        partitions.append(
            write_partition(store, "rejected", 0, rejections_table(sorted(book.rejections, key=lambda item: item.id)))
        )
    if book.verification:
        judged = {item.id for item in kept} | {item.id for item in book.rejections}
        verdicts = verdicts_table(book.verification.verdicts, judged)
        partitions.append(write_partition(store, VERDICTS, 0, verdicts))
    labels = written_labels(line, store, kept, book.replies)
    reasons = Counter(item.reason for item in book.rejections)
    attempts = sum(len(past) for past in book.attempts.values())
    return Made(
        partitions=(*partitions, *(labels.close() if labels else ())),
        balance=Balance(made=attempts, kept=len(kept), rejected=len(book.rejections)),
        reasons=reasons,
        licences=Counter(item.licence for item in kept),
        facts=_facts(kept, book) | steering_facts(plan, book, kept) | ledger_facts(line, plan, book, len(kept), tokens)
        | _prompt_facts(plan) | (labels.facts() if labels else {}),
        totals={"documents": len(kept), "tokens": tokens, "slots": len(plan.planned),
                "attempts": attempts, "requests": asked, "prompt_tokens": book.purse.prompt,
                "completion_tokens": book.purse.completion, "reused": book.reused,
                **(labels.totals() if labels else {})},
    )  # fmt: skip


def written_labels(
    line: Line, store: Store, kept: Sequence[Document], replies: Mapping[str, Reply]
) -> LabelWriter | None:
    """The soft labels of the kept documents, where the recipe asks for them, out of one more pass over the journal."""
    k = line.recipe.teacher.top_logprobs
    if not k:
        return None
    if (before := load_manifest(store)) and before.of(KIND):  # a takedown: the journal may be collected by now
        return _still_labelled(LabelWriter(store), store, before, kept)
    writer, counter = LabelWriter(store), line.teacher.counter()
    if not isinstance(counter, FileCounter):
        raise SetupError("soft labels need the teacher's own tokenizer", hint="set teacher.tokenizer to its folder")
    for found in label_documents(read_journal(store.child(JOURNAL)), kept, replies, counter, counter.name, k):
        if isinstance(found, Unlabelled):
            writer.dropped[found.reason] += 1
            continue
        writer.came(found.wire_bytes, found.tokens)
        writer.add(found.row)
    writer.close()
    return writer


def _still_labelled(writer: LabelWriter, store: Store, before: Manifest, kept: Sequence[Document]) -> LabelWriter:
    """The committed labels without those of documents that have gone."""
    wanted = {document.id for document in kept}
    for row in read_labels(store, before):
        if row.id in wanted:
            writer.add(row)
    if lost := len(wanted) - writer.documents:
        writer.dropped[NO_LABELS] = lost
    writer.close()
    return writer


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


def _facts(kept: Sequence[Document], book: Book) -> dict[str, dict]:
    written = [item.completion_tokens for item in book.replies.values()]
    return {
        "lengths.replies": histogram("Length of the teacher's replies", "tokens", written),
        "requests": number("Tokens that the teacher wrote", sum(written), unit="tokens"),
        "samples.written": samples("As the teacher wrote them", [
            {"id": item.id, "text": redact(item.text)[0], "domain": item.domain, "form": item.form} for item in kept[:SHOWN]
        ]),
    }  # fmt: skip
