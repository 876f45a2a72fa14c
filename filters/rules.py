"""The rules: which statistics exist, what their failures are called, and how the profiles are read.

To add one: compute the statistic in a filter's `score`, name it here, and give it a limit in the files of
`filters/profiles/` that want it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, get_args

import numpy as np
import yaml

from corpus.config import Section
from corpus.errors import RecipeError
from filters import c4, chinese, code, fineweb, gopher, repetition
from filters.batch import Batch
from filters.config import FilterConfig, Limit, ProfileName

SCORERS: dict[str, Callable[[Batch], dict[str, np.ndarray]]] = {
    "gopher": gopher.score,
    "repetition": repetition.score,
    "c4": c4.score,
    "fineweb": fineweb.score,
    "chinese": chinese.score,
    "code": code.score,
}


IDEOGRAPHIC = 0.3  # share of words that are single ideographs from which the text's own words are too few to measure


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number for each document; `low` and `high` are the reasons given below and above its limits.

    `spaced` rules hold where words have spaces between them, `ideographic` ones for text that is mostly ideographs.
    """

    low: str
    high: str
    scope: Literal["all", "spaced", "ideographic", "english"] = "all"


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
    "chinese.characters": Statistic("few_ideographs", "many_ideographs"),
    "chinese.function_characters": Statistic("no_function_characters", "many_function_characters", "ideographic"),
    "chinese.top_bigram": Statistic("varied_phrases", "one_phrase", "ideographic"),
    "chinese.marks": Statistic("unpunctuated", "only_punctuated", "ideographic"),
    "code.mean_line": Statistic("short_code_lines", "long_code_lines"),
    "code.longest_line": Statistic("short_code_lines", "long_code_lines"),
    "code.alphanumeric": Statistic("mostly_symbols", "only_alphanumeric"),
    "code.generated": Statistic("not_generated", "generated_file"),
}


class Rule(Limit):
    """A limit of a shipped profile, and where its numbers come from."""

    source: str
    """A paper's section, or what they were measured on."""


class Profile(Section):
    """A file of `filters/profiles/`: rules in the order in which they give the reason."""

    about: str
    """What kind of text it is for."""
    everywhere: bool = False
    """Rules hold whatever the language and script, as in the tools that the profile repeats."""
    limits: dict[str, Rule]
    """Limits by statistic."""


def _profile(name: str) -> Profile:
    return Profile.model_validate(yaml.safe_load(files("filters").joinpath(f"profiles/{name}.yaml").read_text("utf-8")))


PROFILES: dict[ProfileName, Profile] = {name: _profile(name) for name in get_args(ProfileName)}


def limits_of(config: FilterConfig, profile: ProfileName) -> dict[str, Limit]:
    """The limits of a profile with the recipe's changes. Raises `RecipeError` for a statistic that does not exist."""
    merged: dict[str, Limit | None] = {**PROFILES[profile].limits}
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
    if statistic.scope in ("spaced", "ideographic") and "gopher.ideographs" in scores:
        ideographic = scores["gopher.ideographs"] >= IDEOGRAPHIC
        return ideographic if statistic.scope == "ideographic" else ~ideographic
    return np.ones(len(languages), dtype=bool)
