"""What a pilot says of the whole run: tokens, hours, money and disk, each with an interval, kept for the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.document import documents_table
from corpus.ids import digest
from corpus.journal import FRAME
from corpus.store import Store
from generator.book import Book
from generator.plan import Slot
from generator.reply import Reply
from generator.spend import HOUR_S, cost_of
from generator.strata import Estimate, rest_of
from generator.teacher_config import PriceConfig
from generator.throughput import Pace
from ray_jobs.planning import Plan

FILE = "pilot/forecast.json"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of the whole run, what the pilot and other runs paid included; `seconds` alone is what is left to ask.

    `error` of `seconds` is that of the tokens and of the pace together. None where the pilot sent too little to tell.
    """

    plan: str
    pilot: int
    slots: int
    left: int
    attempts: int
    kept: int
    concurrency: int
    full_share: float
    asked_seconds: float
    documents: Estimate
    prompt_tokens: Estimate
    completion_tokens: Estimate
    tokens: Estimate
    rest_tokens: Estimate
    seconds: Estimate | None
    gpu_hours: Estimate | None
    money: Estimate | None
    currency: str
    disk_bytes: Estimate

    def keep(self, folder: Store) -> None:
        """Beside the run, for the ledger; a later pilot's takes its place."""
        folder.replace(FILE, orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))


def kept_forecast(folder: Store, plan: str) -> dict[str, Any] | None:
    """The forecast that was kept for this very plan, as plain JSON."""
    if not folder.exists(FILE):
        return None
    found = orjson.loads(folder.read(FILE))
    return found if found["plan"] == plan else None


def plan_id(plan: Plan) -> str:
    """What a forecast belongs to: the slots and the demands on each."""
    config = plan.recipe.generate
    assert config is not None
    return digest("plan", [slot.id for slot in plan.slots], config.max_tokens, config.attempts, config.truncated)


@dataclass(frozen=True, slots=True)
class Piloted:
    """What was asked (slots), the book that judged it, how fast it went, and seconds of asking so far."""

    slots: Sequence[Slot]
    book: Book
    pace: Pace | None
    asked_seconds: float


def forecast_of(plan: Plan, piloted: Piloted, now: Book) -> Forecast:
    """`now` is the whole plan's book as it stands after the pilot: slots that it holds cost nothing more."""
    recipe, done = plan.recipe, piloted.slots
    closed = now.documents.keys() | now.short | set(now.forgotten)
    left = [slot for slot in plan.slots if slot.id not in closed]
    costs = _costs(piloted.book, done)
    rest = _with_replacements(plan, now, left, {name: rest_of(values, done, left) for name, values in costs.items()})
    prompt, completion = now.purse.prompt, now.purse.completion
    seconds = _seconds(piloted.pace, rest["completion"]) if left else Estimate(0.0, 0.0, 0.0)
    ratio = _parquet_ratio(piloted.book, sum(costs["bytes"].values()))
    whole = {
        "prompt_tokens": rest["prompt"].plus(prompt),
        "completion_tokens": rest["completion"].plus(completion),
        "tokens": rest["tokens"].plus(prompt + completion),
    }
    total, price = _whole_seconds(seconds, piloted.asked_seconds), recipe.teacher.price
    paid = cost_of(price, prompt, completion, piloted.asked_seconds)
    return Forecast(
        plan=plan_id(plan), pilot=len(done), slots=len(plan.slots), left=len(left),
        attempts=sum(len(piloted.book.attempts.get(slot.id, ())) for slot in done),
        kept=len(piloted.book.documents), concurrency=recipe.teacher.concurrency,
        full_share=piloted.pace.share if piloted.pace else 0.0, asked_seconds=piloted.asked_seconds,
        documents=rest["kept"].plus(len(now.documents)), **whole, rest_tokens=rest["tokens"], seconds=seconds,
        gpu_hours=total.times(price.gpus / HOUR_S) if total and price.gpu_hour else None,
        money=_money(price, rest, paid, seconds), currency=price.currency,
        disk_bytes=rest["bytes"].plus(sum(costs["bytes"].values())).times(1 + ratio),
    )  # fmt: skip


def _with_replacements(
    plan: Plan, now: Book, left: Sequence[Slot], rest: Mapping[str, Estimate]
) -> dict[str, Estimate]:
    """What is left to ask, and the slots that come in the place of those that stay empty: as many as it takes until all
    that was promised is there, within what the recipe allows."""
    assert plan.recipe.generate is not None
    owed = len(plan.slots) - len(now.documents) - len(now.forgotten)
    kept = rest["kept"]
    if not left or kept.value <= 0:
        return dict(rest)
    room = len(left) + plan.recipe.generate.coverage.replacements * len(plan.slots)
    more = max(1.0, min(owed / kept.value, room / len(left)))
    unsure = (kept.high - kept.value) / kept.value  # of the yield, which says how many are replaced
    found = {name: _wider(estimate.times(more), unsure * (more - 1) / more) for name, estimate in rest.items()}
    most = min(owed, kept.value * more)
    return found | {"kept": Estimate(most, min(most, kept.low * more), float(owed))}


def _wider(item: Estimate, share: float) -> Estimate:
    """With an error that is independent of its own, as a share of its value."""
    reach = ((item.high - item.value) ** 2 + (share * item.value) ** 2) ** 0.5
    return Estimate(item.value, max(0.0, item.value - reach), item.value + reach)


def _costs(book: Book, slots: Sequence[Slot]) -> dict[str, dict[str, float]]:
    """By quantity and slot: tokens of all attempts, bytes in the journal, and whether a document came of it."""
    found: dict[str, defaultdict[str, float]] = {
        name: defaultdict(float) for name in ("prompt", "completion", "tokens", "bytes", "kept")
    }
    for key, reply in book.replies.items():
        slot = book.slot_of[key]
        found["prompt"][slot] += reply.prompt_tokens
        found["completion"][slot] += reply.completion_tokens
        found["tokens"][slot] += reply.prompt_tokens + reply.completion_tokens
        found["bytes"][slot] += len(orjson.dumps(reply.to_record())) + FRAME.size
    for slot in book.documents:
        found["kept"][slot] = 1.0
    return {name: {slot.id: values[slot.id] for slot in slots} for name, values in found.items()}


def _seconds(pace: Pace | None, completion: Estimate) -> Estimate | None:
    if pace is None:
        return None
    value, spread = pace.seconds(completion.value), (completion.high - completion.value) / max(1.0, completion.value)
    reach = completion.value / pace.rate * (spread**2 + pace.error**2) ** 0.5
    return Estimate(value, max(0.0, value - reach), value + reach)


def _whole_seconds(rest: Estimate | None, asked: float) -> Estimate | None:
    return rest.plus(asked) if rest else None


def _money(price: PriceConfig, rest: Mapping[str, Estimate], paid: float, seconds: Estimate | None) -> Estimate | None:
    if not price.named or (price.gpu_hour and seconds is None):
        return None

    def at(bound: str) -> float:
        hours = getattr(seconds, bound) if seconds else 0.0
        return paid + cost_of(price, getattr(rest["prompt"], bound), getattr(rest["completion"], bound), hours)

    return Estimate(at("value"), at("low"), at("high"))


def _parquet_ratio(book: Book, journal_bytes: float) -> float:
    """Bytes of the compacted replies and documents for a byte in the journal."""
    tables = [pa.Table.from_pylist([item.to_record() for item in book.replies.values() if isinstance(item, Reply)])]
    tables += [documents_table(book.documents.values())]
    return sum(_packed(table) for table in tables if table.num_rows) / max(1.0, journal_bytes)


def _packed(table: pa.Table) -> int:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().size


def lines(found: Forecast) -> Iterator[tuple[str, str]]:
    """The forecast as a person reads it: name and figure with its interval."""
    yield "pilot", f"{found.pilot:,} of {found.slots:,} slots, {found.left:,} are left"
    yield "accepted", f"{found.kept:,} documents of {found.attempts:,} attempts"
    yield "documents", _told(found.documents)
    yield "prompt tokens", _told(found.prompt_tokens)
    yield "completion tokens", _told(found.completion_tokens)
    yield "tokens", f"{_told(found.tokens)}, of which {_told(found.rest_tokens)} are left to pay"
    yield "asking, what is left", _told_hours(found)
    if found.gpu_hours:
        yield "GPU-hours", _told(found.gpu_hours, ".2f")
    if found.money:
        yield "money", f"{_told(found.money, ',.4g')} {found.currency}"
    yield "disk, generate stage", f"{_told(found.disk_bytes.times(1 / 2**20), ',.1f')} MiB"


def _told_hours(found: Forecast) -> str:
    if found.seconds is None:
        return "not known: every request of the pilot was answered before"
    note = (
        ""
        if found.pilot >= 2 * found.concurrency
        else f"; more than {2 * found.concurrency} slots would tell more surely"
    )
    return f"{_told(found.seconds.times(1 / HOUR_S), '.2f')} hours{note}"


def _told(item: Estimate, form: str = ",.0f") -> str:
    return f"{item.value:{form}} ({item.low:{form}} to {item.high:{form}})"
