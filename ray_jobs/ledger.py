"""The ledger of a run: what the pilot forecast beside what it came to, and what an accepted document and token cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpus.facts import Fact, table
from generator.book import Book
from ray_jobs.forecast import kept_forecast, plan_id
from ray_jobs.line import Line
from ray_jobs.planning import Plan

COLUMNS = ["", "forecast", "95 % interval", "actual"]
CAPTION = "What a server bills for replies that never arrived is not seen here."


def ledger_facts(line: Line, plan: Plan, book: Book, kept: int, tokens: int) -> dict[str, Fact]:
    """`kept` documents of `tokens` tokens, by the run's tokenizer."""
    found = kept_forecast(line.folder, plan_id(plan)) or {}
    purse, price = book.purse, line.recipe.teacher.price
    rows: list[list[Any]] = [
        _row("documents", found.get("documents"), kept),
        _row("prompt tokens", found.get("prompt_tokens"), purse.prompt),
        _row("completion tokens", found.get("completion_tokens"), purse.completion),
        _row("tokens", found.get("tokens"), purse.spent),
        _row("seconds of asking after the pilot" if found else "seconds of asking", found.get("seconds"),
             round(purse.seconds - found.get("asked_seconds", 0.0), 1)),
    ]  # fmt: skip
    if price.named:
        rows.append(_row(f"money ({price.currency})", found.get("money"), round(purse.money, 6)))
    rows += _rates(kept, tokens, purse.spent, purse.money if price.named else None, price.currency)
    if book.reused:
        rows.append(["replies that other runs paid for", "", "", book.reused])
    return {"ledger": table("What it cost", COLUMNS, rows, caption=CAPTION)}


def _row(name: str, forecast: dict[str, float] | None, actual: float) -> list[Any]:
    if forecast is None:
        return [name, "", "", actual]
    value, low, high = (round(forecast[key], 4 if forecast["value"] < 10 else 0) for key in ("value", "low", "high"))
    return [name, value, f"{low:,g} to {high:,g}", actual]


def _rates(kept: int, tokens: int, spent: int, money: float | None, currency: str) -> Sequence[list[Any]]:
    rates: list[list[Any]] = []
    if kept:
        rates.append(["teacher tokens for an accepted document", "", "", round(spent / kept, 1)])
    if tokens:
        rates.append(["teacher tokens for an accepted token", "", "", round(spent / tokens, 3)])
    if kept and money is not None:
        rates.append([f"{currency} for an accepted document", "", "", round(money / kept, 8)])
    if tokens and money is not None:
        rates.append([f"{currency} for a million accepted tokens", "", "", round(1e6 * money / tokens, 6)])
    return rates


def told(fact: Fact) -> list[str]:
    """One line a row, for a terminal."""
    lines = []
    for name, forecast, interval, actual in fact["rows"]:
        beside = f"  (forecast {forecast:,g}, {interval})" if forecast != "" else ""
        lines.append(f"{name:<42} {actual:>14,}{beside}")
    return lines
