"""Score, store, decide: every statistic of every document first, the verdict from the stored numbers afterwards.

`score_table` reads text and knows no limit; `decide` reads numbers and no text. A recipe that changes a limit decides
again without scoring again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import REJECTIONS
from corpus.errors import RecipeError
from filters import language, quality, sensitive
from filters.batch import Batch, make_batch, slices, text_series
from filters.config import FilterConfig, ProfileName
from filters.rules import SCORERS, STATISTICS, in_scope, limits_of


STAGE = "filter"


@dataclass(frozen=True, slots=True)
class Models:
    """Where the trained models are. Paths, not models: fastText models cannot be pickled, workers load their own."""

    quality: Path | None = None  # written by `train_quality`; without it no column `quality.score`
    language: Path | None = None  # the installed lid.176 when not set


def score_table(documents: pa.Table, config: FilterConfig, models: Models | None = None) -> pa.Table:
    """`id` and one column for each statistic of the chosen filters, in the order of the documents.

    Ratios are float32, counts int32, labels string; names carry the filter as prefix. Needs the columns `id`, `text`
    and, for profiles, `source` and `domain`.
    """
    models = models or Models()
    parts = [_score(part, config, models) for part in slices(documents)]
    return pa.concat_tables(parts) if parts else _score(documents, config, models)


def decide(documents: pa.Table, scores: pa.Table, config: FilterConfig) -> pa.Table:
    """The rejected documents, schema `REJECTIONS`, with the first failing rule's reason and its numbers.

    A pure function of scores, the columns `id`, `source`, `domain`, `language`, and the config. Sensitive text is
    decided first, so that no other reason can hide it.
    """
    if not documents.column("id").combine_chunks().equals(scores.column("id").combine_chunks()):
        raise RecipeError("scores and documents do not hold the same ids in the same order", hint="Score them again.")
    reasons, details = _verdicts(documents, scores, config)
    rejected = pa.array(np.flatnonzero(reasons != ""))
    chosen = documents.take(rejected)
    size = len(rejected)
    columns = {
        "id": chosen.column("id"),
        "stage": pa.array([STAGE] * size, pa.string()),
        "reason": pa.array(reasons[reasons != ""].tolist(), pa.string()),
        "detail": pa.array(details[reasons != ""].tolist(), pa.string()),
        "source": _column(chosen, "source"),
    }
    return pa.table(columns).cast(REJECTIONS)


def verdict_table(documents: pa.Table, scores: pa.Table, config: FilterConfig) -> pa.Table:
    """The scores with three more columns: `verdict` (`kept` or `rejected`), `reason`, `detail`."""
    reasons, details = _verdicts(documents, scores, config)
    verdicts = np.where(reasons == "", "kept", "rejected")
    for name, values in (("verdict", verdicts), ("reason", reasons), ("detail", details)):
        scores = scores.append_column(name, pa.array(values.tolist(), pa.string()))
    return scores


def profiles_of(documents: pa.Table, config: FilterConfig) -> np.ndarray:
    """The profile of each document: by source, else by domain, else `prose`."""
    sources, domains = _strings(documents, "source"), _strings(documents, "domain")
    names = [
        config.profiles.get(source) or config.profiles.get(domain) or "prose"
        for source, domain in zip(sources, domains, strict=True)
    ]
    return np.array(names, dtype=object)


def _score(documents: pa.Table, config: FilterConfig, models: Models) -> pa.Table:
    texts = text_series(documents)
    batch = make_batch(texts)
    columns: dict[str, np.ndarray] = {"text.characters": batch.characters.astype(np.int32)}
    for name in config.filters:
        if name in SCORERS:
            columns |= SCORERS[name](batch)
        elif name == "language":
            columns |= _languages(documents, batch, config, models)
        elif name == "sensitive":
            columns |= sensitive.score(texts)
        elif name == "quality" and models.quality is not None:
            columns |= {"quality.score": quality.score(texts, models.quality, config.quality)}
    arrays = {name: pa.array(values) for name, values in columns.items()}
    return pa.table({"id": documents.column("id").combine_chunks(), **arrays})


def _languages(documents: pa.Table, batch: Batch, config: FilterConfig, models: Models) -> dict[str, np.ndarray]:
    """Label and certainty; source code is not asked: its row keeps an empty label."""
    labels = np.full(len(batch), "", dtype=object)
    scores = np.full(len(batch), np.nan, dtype=np.float32)
    asked = np.flatnonzero(profiles_of(documents, config) != "code")
    if asked.size:
        path = models.language or language.language_model()
        found = language.identify(batch.texts.gather(asked), config.language, path)
        labels[asked], scores[asked] = found["language.label"], found["language.score"]
    return {"language.label": labels, "language.score": scores}


@dataclass(frozen=True, slots=True)
class _Check:
    """Documents that fail one rule, and how to say so."""

    fails: np.ndarray
    reason: str
    values: np.ndarray
    text: str  # with one place for the value

    def detail(self, index: int) -> str:
        value = self.values[index]
        return self.text.format(f"{value:.3g}" if isinstance(value, np.floating) else value)


def _verdicts(documents: pa.Table, scores: pa.Table, config: FilterConfig) -> tuple[np.ndarray, np.ndarray]:
    """The first failing check's reason and detail for each document, "" where there is none."""
    size = documents.num_rows
    reasons, details = np.full(size, "", dtype=object), np.full(size, "", dtype=object)
    columns = {name: scores.column(name).to_numpy() for name in scores.column_names if name != "id"}
    for check in _checks(documents, columns, config):
        for index in np.flatnonzero(check.fails & (reasons == "")):
            reasons[index], details[index] = check.reason, check.detail(index)
    return reasons, details


def _checks(documents: pa.Table, scores: dict[str, np.ndarray], config: FilterConfig) -> Iterator[_Check]:
    profiles = profiles_of(documents, config)
    declared = _strings(documents, "language")
    for kind, policy in sensitive.policies(config.sensitive).items():
        name = f"sensitive.{kind}"
        if policy == "drop" and name in scores:
            yield _Check(scores[name] > 0, name, scores[name], f"{name}={{}}")
    yield _Check(scores["text.characters"] == 0, "empty", scores["text.characters"], "text.characters={}")
    yield from _language_checks(scores, profiles, declared, config)
    for profile in ("prose", "code", "synthetic"):
        yield from _limit_checks(scores, profiles == profile, declared, profile, config)
    least = config.quality.at_least
    if least is not None:
        if "quality.score" not in scores:
            raise RecipeError(
                "filter.quality.at_least is set but nothing was scored by a quality classifier",
                hint="Train one (train_quality) and hand it over as Models(quality=PATH).",
            )
        values = scores["quality.score"]
        asked = np.isin(profiles, config.quality.profiles)
        yield _Check(asked & (values < least), "low_quality", values, f"quality.score={{}} < {least:g}")


def _language_checks(
    scores: dict[str, np.ndarray], profiles: np.ndarray, declared: np.ndarray, config: FilterConfig
) -> Iterator[_Check]:
    if "language.label" not in scores:
        return
    labels, certainty = scores["language.label"], scores["language.score"]
    asked = profiles != "code"
    allowed = config.language.allowed
    right = np.isin(labels, allowed) if allowed else labels == declared
    wanted = ",".join(allowed) if allowed else "the declared language"
    least = config.language.min_score
    yield _Check(asked & (certainty < least), "unsure_language", certainty, f"language.score={{}} < {least:g}")
    yield _Check(asked & ~right, "wrong_language", labels, f"language.label={{}}, not {wanted}")


def _limit_checks(
    scores: dict[str, np.ndarray], members: np.ndarray, declared: np.ndarray, profile: ProfileName, config: FilterConfig
) -> Iterator[_Check]:
    for name, limit in limits_of(config, profile).items():
        if name not in scores:
            continue
        values, statistic = scores[name], STATISTICS[name]
        asked = members & in_scope(statistic, scores, declared)
        if limit.at_least is not None:
            low = asked & (values < np.float32(limit.at_least))
            yield _Check(low, statistic.low, values, f"{name}={{}} < {limit.at_least:g}")
        if limit.at_most is not None:
            high = asked & (values > np.float32(limit.at_most))
            yield _Check(high, statistic.high, values, f"{name}={{}} > {limit.at_most:g}")


def _strings(documents: pa.Table, name: str) -> np.ndarray:
    return _column(documents, name).to_numpy(zero_copy_only=False)


def _column(documents: pa.Table, name: str) -> pa.Array:
    """A string column without nulls; empty strings where the table lacks it."""
    if name not in documents.column_names:
        return pa.array([""] * documents.num_rows, pa.string())
    return pc.fill_null(documents.column(name), "").combine_chunks()
