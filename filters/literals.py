"""One pattern for many phrases, as a tree of their letters: at each place of a text only what begins so is tried."""

from __future__ import annotations

import re
from collections.abc import Iterable

from generator.length import IDEOGRAPH

END = ""  # marks a phrase that ends at this letter


def any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Any of the phrases in casefolded text, the longest that fits. An English phrase stands between other characters than
    letters; Chinese has no such edges."""
    folded = {str(phrase).casefold() for phrase in phrases}
    chinese = {phrase for phrase in folded if IDEOGRAPH.search(phrase)}
    english = rf"(?<![a-z]){_tree(folded - chinese)}(?![a-z])" if folded - chinese else ""
    return re.compile("|".join(filter(None, (english, _tree(chinese) if chinese else ""))))


def _tree(phrases: Iterable[str]) -> str:
    root: dict = {}  # type: ignore[type-arg]
    for phrase in phrases:
        node = root
        for letter in phrase:
            node = node.setdefault(letter, {})
        node[END] = {}
    firsts = "".join(re.escape(letter) for letter in sorted(root))
    return f"(?=[{firsts}]){_branch(root)}"


def _branch(node: dict) -> str:  # type: ignore[type-arg]
    ways = [f"{re.escape(letter)}{_branch(child)}" for letter, child in sorted(node.items()) if letter != END]
    if not ways:
        return ""
    joined = ways[0] if len(ways) == 1 and END not in node else f"(?:{'|'.join(ways)})"
    return f"{joined}?" if END in node else joined
