"""The rules: which statistics exist, what their failures are called, and the limits of each profile.

To add one: compute the statistic in a filter's `score`, name it here, and give it a limit in the profiles that want it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from corpus.errors import RecipeError
from filters import c4, code, fineweb, gopher, repetition
from filters.batch import Batch
from filters.config import FilterConfig, Limit, ProfileName

SCORERS: dict[str, Callable[[Batch], dict[str, np.ndarray]]] = {
    "gopher": gopher.score,
    "repetition": repetition.score,
    "c4": c4.score,
    "fineweb": fineweb.score,
    "code": code.score,
}


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number for each document; `low` and `high` are the reasons given below and above its limits."""

    low: str
    high: str
    scope: Literal["all", "spaced", "english"] = "all"  # `spaced`: only scripts that put spaces between words


STATISTICS: dict[str, Statistic] = {
    "gopher.words": Statistic("too_short", "too_long"),
    "gopher.mean_word_length": Statistic("short_words", "long_words", "spaced"),
    "gopher.hashes": Statistic("few_hashes", "many_hashes"),
    "gopher.ellipses": Statistic("few_ellipses", "many_ellipses"),
    "gopher.bullet_lines": Statistic("few_bullets", "mostly_bullets"),
    "gopher.ellipsis_lines": Statistic("few_ellipsis_lines", "cut_lines"),
    "gopher.alphabetic_words": Statistic("not_alphabetic", "only_alphabetic"),
    "gopher.stop_words": Statistic("no_stop_words", "many_stop_words", "english"),
    "gopher.ideographs": Statistic("few_ideographs", "many_ideographs"),
    "repetition.lines": Statistic("unrepeated_lines", "repeated_lines"),
    "repetition.line_characters": Statistic("unrepeated_lines", "repeated_lines"),
    "repetition.paragraphs": Statistic("unrepeated_paragraphs", "repeated_paragraphs"),
    "repetition.paragraph_characters": Statistic("unrepeated_paragraphs", "repeated_paragraphs"),
    **{f"repetition.top_{n}gram": Statistic("varied_phrases", "one_phrase") for n in repetition.TOP},
    **{f"repetition.repeated_{n}gram": Statistic("varied_phrases", "repeated_phrases") for n in repetition.REPEATED},
    "c4.sentences": Statistic("few_sentences", "many_sentences"),
    "c4.usable_lines": Statistic("few_usable_lines", "only_usable_lines"),
    "c4.terminal_lines": Statistic("unpunctuated", "only_punctuated"),
    "c4.javascript_lines": Statistic("no_javascript", "javascript_notice"),
    "c4.policy_lines": Statistic("no_policy", "policy_notice"),
    "c4.lorem_ipsum": Statistic("no_lorem_ipsum", "lorem_ipsum"),
    "c4.curly_brackets": Statistic("no_curly_brackets", "curly_brackets"),
    "fineweb.punctuated_lines": Statistic("unpunctuated", "only_punctuated"),
    "fineweb.short_lines": Statistic("few_short_lines", "short_lines"),
    "fineweb.repeated_line_characters": Statistic("unrepeated_lines", "repeated_lines"),
    "fineweb.breaks_per_word": Statistic("few_breaks", "list_like"),
    "code.mean_line": Statistic("short_code_lines", "long_code_lines"),
    "code.longest_line": Statistic("short_code_lines", "long_code_lines"),
    "code.alphanumeric": Statistic("mostly_symbols", "only_alphanumeric"),
    "code.generated": Statistic("not_generated", "generated_file"),
}


def _limit(at_least: float | None = None, at_most: float | None = None) -> Limit:
    return Limit(at_least=at_least, at_most=at_most)


# Gopher, table A1: long pieces of repeated text, the sign of boilerplate and of a language model in a loop.
_REPETITION = {
    "repetition.lines": _limit(at_most=0.30),
    "repetition.line_characters": _limit(at_most=0.20),
    "repetition.paragraphs": _limit(at_most=0.30),
    "repetition.paragraph_characters": _limit(at_most=0.20),
    **{f"repetition.top_{n}gram": _limit(at_most=most) for n, most in zip((2, 3, 4), (0.20, 0.18, 0.16), strict=True)},
    **{f"repetition.repeated_{n}gram": _limit(at_most=round(0.20 - n / 100, 2)) for n in repetition.REPEATED},
}

PROFILES: dict[ProfileName, dict[str, Limit]] = {
    # FineWeb's recipe: Gopher, C4 without its punctuation rule, FineWeb's own. Departures: the rule on curly brackets
    # is off (it drops all technical text), and repeated lines may be Gopher's share, not 1 % of the characters, which
    # drops documentation for repeating a heading.
    "prose": {
        "gopher.words": _limit(50, 100_000),
        "gopher.mean_word_length": _limit(3, 10),
        "gopher.hashes": _limit(at_most=0.1),
        "gopher.ellipses": _limit(at_most=0.1),
        "gopher.bullet_lines": _limit(at_most=0.9),
        "gopher.ellipsis_lines": _limit(at_most=0.3),
        "gopher.alphabetic_words": _limit(0.8),
        "gopher.stop_words": _limit(2),
        **_REPETITION,
        "c4.sentences": _limit(5),
        "c4.lorem_ipsum": _limit(at_most=0),
        "c4.javascript_lines": _limit(at_most=0.5),
        "c4.policy_lines": _limit(at_most=0.5),
        "fineweb.punctuated_lines": _limit(0.12),
        "fineweb.short_lines": _limit(at_most=0.67),
        "fineweb.breaks_per_word": _limit(at_most=0.3),
    },
    # Codex and StarCoder (see code.py); 10-grams at three times Gopher's share: code repeats itself by nature, and only
    # tables and loops of a model pass that.
    "code": {
        "gopher.words": _limit(10, 100_000),
        "code.mean_line": _limit(at_most=100),
        "code.longest_line": _limit(at_most=1000),
        "code.alphanumeric": _limit(0.25),
        "code.generated": _limit(at_most=0),
        "repetition.repeated_10gram": _limit(at_most=0.3),
    },
    # A teacher's text has no navigation bars, so nothing about punctuation or line length; code fences, lists and
    # headings are wanted. What fails there is loops (Gopher's repetition) and replies that are not text. The limits on
    # repeated phrases are ten points above Gopher's: a lesson repeats its terms. Thirty words: all forms ask for more.
    "synthetic": {
        "gopher.words": _limit(30, 100_000),
        "gopher.mean_word_length": _limit(2.5, 10),
        "gopher.alphabetic_words": _limit(0.6),
        **_REPETITION,
        **{f"repetition.repeated_{n}gram": _limit(at_most=round(0.30 - n / 100, 2)) for n in repetition.REPEATED},
        "c4.lorem_ipsum": _limit(at_most=0),
    },
}


def limits_of(config: FilterConfig, profile: ProfileName) -> dict[str, Limit]:
    """The limits of a profile with the recipe's changes. Raises `RecipeError` for a statistic that does not exist."""
    merged: dict[str, Limit | None] = {**PROFILES[profile]}
    for name, limit in config.limits.get(profile, {}).items():
        if name not in STATISTICS:
            near = difflib.get_close_matches(name, STATISTICS, 1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(STATISTICS)}."
            raise RecipeError(f"filters.limits.{profile}.{name}: there is no such statistic", hint=hint)
        merged[name] = limit
    return {name: limit for name, limit in merged.items() if limit is not None}


def in_scope(statistic: Statistic, scores: Mapping[str, np.ndarray], languages: np.ndarray) -> np.ndarray:
    """To which documents a rule applies, bool: rules on word length mean nothing where a word is one ideograph."""
    if statistic.scope == "english":
        return languages == "en"
    if statistic.scope == "spaced" and "gopher.ideographs" in scores:
        return scores["gopher.ideographs"] < 0.5
    return np.ones(len(languages), dtype=bool)
