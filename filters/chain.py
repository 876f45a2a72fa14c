"""Score, store, decide: every statistic of every document first, the verdict from the stored numbers afterwards.

`score_table` reads text and knows no limit; `decide` reads numbers and no text. A recipe that changes a limit decides
again without scoring again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import REJECTIONS
from corpus.errors import RecipeError
from filters import sensitive, toxic
from filters.batch import make_batch, slices, text_series
from filters.classifier import Classifier
from filters.config import FilterConfig, Limit, ProfileName
from filters.decontaminate import Decontaminator
from filters.language import identify
from filters.overlap import Overlap, overlap_of
from filters.rules import PROFILES, SCORERS, STATISTICS, in_scope, limits_of

STAGE = "filter"
ALL = (*SCORERS, "language", "sensitive", "toxic", "quality")


def score_table(
    documents: pa.Table,
    *,
    quality: Classifier | None = None,
    toxicity: Classifier | None = None,
    scorers: Sequence[str] = ALL,
    against: Decontaminator | None = None,
) -> pa.Table:
    """`id` and one column for each statistic of the chosen scorers, in the order of the documents.

    Ratios are float32, counts int32, labels string; names carry the scorer as prefix. `quality` is what
    `filters.classifier.load_scorer` gives; without one the column `quality.teaches` is 1 for every text. `toxicity`, likewise, adds
    `toxic.classifier`, and `against` the columns of `filters.decontaminate`.
    """
    given = (quality, toxicity, scorers, against)
    parts = [_score(part, *given) for part in slices(documents)]
    return pa.concat_tables(parts) if parts else _score(documents, *given)


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


def at_top(parts: Iterable[tuple[pa.Table, pa.Table]], config: FilterConfig) -> FilterConfig:
    """The config with the threshold that keeps `quality_top` of the web texts, best first; as it is where none is set.
    `parts`, documents with their scores, are all that are decided on: a share of a part would be another one."""
    if config.quality_top is None:
        return config
    found = [
        scores["quality.teaches"].to_numpy().astype(np.float32)[profiles_of(documents, config) == "prose"]
        for documents, scores in parts
        if "quality.teaches" in scores.column_names
    ]
    if not (values := np.concatenate(found) if found else np.zeros(0, np.float32)).size:
        return config
    place = min(len(values) - 1, max(0, round(config.quality_top * len(values)) - 1))
    threshold = float(np.sort(values)[::-1][place])
    return config.model_copy(update={"quality": max(config.quality, threshold)})


def overlap(documents: pa.Table, scores: pa.Table, config: FilterConfig) -> Overlap:
    """What each reason alone would remove, and what only it removes."""
    failures: dict[str, np.ndarray] = {}
    first = np.full(documents.num_rows, "", dtype=object)
    for check in _checks(documents, _arrays(scores), config):
        failures[check.reason] = failures.get(check.reason, False) | check.fails
        first[(first == "") & check.fails] = check.reason
    return overlap_of({name: flags for name, flags in failures.items() if flags.any()}, first, documents.num_rows)


def verdict_table(documents: pa.Table, scores: pa.Table, config: FilterConfig) -> pa.Table:
    """The scores with three more columns: `verdict` (`kept` or `rejected`), `reason`, `detail`."""
    reasons, details = _verdicts(documents, scores, config)
    verdicts = np.where(reasons == "", "kept", "rejected")
    for name, values in (("verdict", verdicts), ("reason", reasons), ("detail", details)):
        scores = scores.append_column(name, pa.array(values.tolist(), pa.string()))
    return scores


def rejected_only_by(documents: pa.Table, scores: pa.Table, config: FilterConfig) -> dict[str, np.ndarray]:
    """For each filter (`gopher`, `language`, `quality` and the like), which documents no other filter rejects (bool): what
    would come back without it. Filters that reject nothing alone are there too."""
    columns = {name: scores.column(name).to_numpy() for name in scores.column_names if name != "id"}
    fails: dict[str, np.ndarray] = {}
    for check in _checks(documents, columns, config):
        scorer, dot, _ = check.text.partition(".")  # a statistic's name begins with its scorer's
        name = scorer if dot and scorer.isidentifier() else check.reason.partition(".")[0]
        fails[name] = fails.get(name, np.zeros(documents.num_rows, bool)) | check.fails
    count = sum((mask.astype(int) for mask in fails.values()), np.zeros(documents.num_rows, int))
    return {name: mask & (count == 1) for name, mask in fails.items()}


def profiles_of(documents: pa.Table, config: FilterConfig) -> np.ndarray:
    """The profile of each document: by source, else by domain, else by language, else `prose`."""
    keys = [_strings(documents, name) for name in ("source", "domain", "language")]
    known = config.profiles
    names = [next((known[key] for key in row if key in known), "prose") for row in zip(*keys, strict=True)]
    return np.array(names, dtype=object)


def _score(
    documents: pa.Table,
    quality: Classifier | None,
    toxicity: Classifier | None,
    scorers: Sequence[str],
    against: Decontaminator | None,
) -> pa.Table:
    texts = text_series(documents)
    batch = make_batch(texts)
    seen = np.where(batch.lines.visible > 0, batch.characters, 0)  # blanks are no text
    columns: dict[str, np.ndarray] = {"text.characters": seen.astype(np.int32)}
    for name in scorers:
        if name in SCORERS:
            columns |= SCORERS[name](batch)
        elif name == "language":
            columns |= identify(texts)
        elif name == "sensitive":
            columns |= sensitive.score(texts)
        elif name == "toxic":
            columns |= toxic.density(batch.words)
        elif name == "quality":
            columns["quality.teaches"] = quality.score(texts) if quality else np.ones(len(texts), np.float32)
        else:
            raise RecipeError(f"there is no scorer {name!r}", hint=f"Known: {', '.join(ALL)}.")
    if toxicity is not None:
        columns["toxic.classifier"] = toxicity.score(texts)
    columns |= against.score(texts, batch.words) if against else {}
    arrays = {
        name: pa.array(values, pa.string() if values.dtype == object else None) for name, values in columns.items()
    }
    return pa.table({"id": documents.column("id").combine_chunks(), **arrays})


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
    for check in _checks(documents, _arrays(scores), config):
        for index in np.flatnonzero(check.fails & (reasons == "")):
            reasons[index], details[index] = check.reason, check.detail(index)
    return reasons, details


def _arrays(scores: pa.Table) -> dict[str, np.ndarray]:
    return {name: scores.column(name).to_numpy() for name in scores.column_names if name != "id"}


def _checks(documents: pa.Table, scores: dict[str, np.ndarray], config: FilterConfig) -> Iterator[_Check]:
    """All checks, gravest first."""
    profiles = profiles_of(documents, config)
    declared = _strings(documents, "language")
    yield from _sensitive_check(scores, config)
    yield from _toxic_checks(scores, config)
    yield from _contamination_checks(scores, config)
    yield from _facts_checks(scores, config)
    if "text.characters" in scores:
        characters = scores["text.characters"]
        yield _Check(characters == 0, "empty", characters, "text.characters={}")
    if "language.label" in scores:
        yield from _language_checks(scores, profiles != "code", declared, config)
    for profile in PROFILES:
        yield from _limit_checks(scores, profiles == profile, declared, profile, config)
    if "quality.teaches" in scores:
        values = scores["quality.teaches"]
        low = (profiles == "prose") & (values < np.float32(config.quality))
        yield _Check(low, "quality", values, f"quality.teaches={{}} < {config.quality:g}")


def _sensitive_check(scores: dict[str, np.ndarray], config: FilterConfig) -> Iterator[_Check]:
    """One reason for all kinds, so that nobody has to know them to withhold the text.

    What the recipe masks was masked where it was read; text that still has such a finding was written, and is dropped.
    """
    dropping = [kind for kind, policy in sensitive.policies(config).items() if policy != "report"]
    present = [kind for kind in dropping if f"sensitive.{kind}" in scores]
    if present:
        found = np.array([scores[f"sensitive.{kind}"] > 0 for kind in present])
        names = np.full(found.shape[1], "", dtype=object)
        for index in np.flatnonzero(found.any(axis=0)):
            names[index] = ", ".join(kind for kind, flag in zip(present, found[:, index], strict=True) if flag)
        yield _Check(names != "", "sensitive", names, "{}")


def _toxic_checks(scores: dict[str, np.ndarray], config: FilterConfig) -> Iterator[_Check]:
    """`toxic.` reasons are those whose text is never shown; an advertisement may be."""
    limits = {
        "abuse": (config.toxic.abuse, "toxic.abuse"),
        "adult": (config.toxic.adult, "toxic.adult"),
        "classifier": (config.toxic.least if config.toxic.classifier else None, "toxic.classifier"),
        "advert": (config.toxic.advert, "advert"),
    }
    for kind, (limit, reason) in limits.items():
        if limit is not None and (name := f"toxic.{kind}") in scores:
            values = scores[name]
            yield _Check(values >= np.float32(limit), reason, values, f"{name}={{}} >= {limit:g}")


def _contamination_checks(scores: dict[str, np.ndarray], config: FilterConfig) -> Iterator[_Check]:
    """The detail names the item of the benchmark, so that a person can compare."""
    limits = {"ngram": config.decontaminate.coverage, "code": config.decontaminate.code}
    for name, limit in limits.items():
        if f"contaminated.{name}" in scores:
            values = scores[f"contaminated.{name}"]
            told = np.array([f"{by}: {value:.2f}" for by, value in zip(scores["contaminated.by"], values, strict=True)])
            yield _Check(values >= np.float32(limit), f"contaminated.{name}", told, "{}")


def _facts_checks(scores: dict[str, np.ndarray], config: FilterConfig) -> Iterator[_Check]:
    """The detail names the first thing that the source does not support."""
    for name in ("numbers", "names", "claims"):
        limit = getattr(config.facts, name)
        if limit is not None and f"facts.{name}" in scores:
            values = scores[f"facts.{name}"]
            first = scores[f"facts.first_{name}"]
            told = np.array(
                [f"{value:.2g} > {limit:g}, first: {said}" for value, said in zip(values, first, strict=True)], object
            )
            yield _Check(values > np.float32(limit), f"unsupported.{name}", told, "{}")


def _language_checks(
    scores: dict[str, np.ndarray], asked: np.ndarray, declared: np.ndarray, config: FilterConfig
) -> Iterator[_Check]:
    """Source code has no language of this kind: neither whole files (not `asked`) nor texts that are one code fence."""
    labels, confidence = scores["language.label"], scores["language.confidence"]
    asked = asked & (labels != "")
    least = config.language_confidence
    right = np.isin(labels, config.languages) if config.languages else labels == declared
    wanted = ", ".join(config.languages) or "the declared one"
    yield _Check(asked & ~right, "language", labels, f"language.label={{}}; kept: {wanted}")
    unsure = asked & (confidence < np.float32(least))
    yield _Check(unsure, "unsure_language", confidence, f"language.confidence={{}} < {least:g}")


def first_failures(scores: Mapping[str, np.ndarray], limits: Mapping[str, Limit]) -> list[str]:
    """For each document the first statistic out of its limits, as `NAME low` or `NAME high`; "" where all are fine."""
    size = len(next(iter(scores.values())))
    found = np.full(size, "", dtype=object)
    for name, side, fails in _failures(scores, limits):
        found[(found == "") & fails] = f"{name} {side}"
    return list(found)


def _failures(scores: Mapping[str, np.ndarray], limits: Mapping[str, Limit]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Each side of each limit whose statistic is there, and who is beyond it. Scores are float32, and so are limits."""
    for name, limit in limits.items():
        if name in scores and limit.at_least is not None:
            yield name, "low", scores[name] < np.float32(limit.at_least)
        if name in scores and limit.at_most is not None:
            yield name, "high", scores[name] > np.float32(limit.at_most)


def _limit_checks(
    scores: dict[str, np.ndarray], members: np.ndarray, declared: np.ndarray, profile: ProfileName, config: FilterConfig
) -> Iterator[_Check]:
    limits = limits_of(config, profile)
    for name, side, fails in _failures(scores, limits):
        statistic, limit = STATISTICS[name], limits[name]
        asked = members if PROFILES[profile].everywhere else members & in_scope(statistic, scores, declared)
        if side == "low":
            yield _Check(asked & fails, statistic.low, scores[name], f"{name}={{}} < {limit.at_least:g}")
        else:
            yield _Check(asked & fails, statistic.high, scores[name], f"{name}={{}} > {limit.at_most:g}")


def _strings(documents: pa.Table, name: str) -> np.ndarray:
    return _column(documents, name).to_numpy(zero_copy_only=False)


def _column(documents: pa.Table, name: str) -> pa.Array:
    """A string column without nulls; empty strings where the table lacks it."""
    if name not in documents.column_names:
        return pa.array([""] * documents.num_rows, pa.string())
    return pc.fill_null(documents.column(name), "").combine_chunks()
