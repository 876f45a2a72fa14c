"""What a text must contain: drawn for each slot, so that a thousand texts of one form cannot be one text.

TinyStories forces a verb, a noun and an adjective into each story (2305.07759, section 2); phi-1 fixes the name of the
function in each exercise (2306.11644, section 2.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from corpus.errors import RecipeError
from corpus.ids import seed_from

LISTS: dict[str, tuple[str, ...]] = {
    "words": ("verbs", "nouns", "adjectives"),
    "function_name": ("function_verbs", "function_qualifiers", "function_nouns"),
}


def draw_forced(
    kind: Literal["words", "function_name"], words: Mapping[str, tuple[str, ...]], *key: object
) -> tuple[str, ...]:
    """One word from each list of the kind, or one function name made of them: a pure function of lists and key."""
    missing = [name for name in LISTS[kind] if not words.get(name)]
    if missing:
        raise RecipeError(f"words.yaml: no list `{missing[0]}`, which a form with `forced: {kind}` draws from")
    drawn = [words[name][seed_from("forced", name, *key) % len(words[name])] for name in LISTS[kind]]
    return tuple(drawn) if kind == "words" else ("_".join(drawn),)
