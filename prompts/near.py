"""Which titles say nearly the same: exact Jaccard over character trigrams, without comparing every pair.

Two sets that share at least the share t must have a member in common among their rarest ones (prefix filtering), so
only titles that meet there are compared. Trigrams of characters need no spaces between words.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from prompts.domain import normalised


def grams(title: str) -> frozenset[str]:
    """Character pairs and triples of the normalised title, its edges marked."""
    plain = f"^{normalised(title)}$"
    return frozenset(plain[start : start + size] for size in (2, 3) for start in range(len(plain) - size + 1))


def likeness(first: str, second: str) -> float:
    """Jaccard index of the two titles' grams, 0 to 1; 1 when they differ in case, spaces or punctuation alone."""
    a, b = grams(first), grams(second)
    return len(a & b) / len(a | b) if a | b else 1.0


def near_pairs(titles: Sequence[str], least: float) -> Iterator[tuple[int, int, float]]:
    """Every pair of positions (i < j) whose likeness is at least `least` (over 0), ordered by j, then i."""
    sets = [grams(title) for title in titles]
    rarity = Counter(gram for members in sets for gram in members)
    postings: dict[str, list[int]] = defaultdict(list)
    for index, members in enumerate(sets):
        rare_first = sorted(members, key=lambda gram: (rarity[gram], gram))
        prefix = rare_first[: len(members) - math.ceil(least * len(members) - 1e-9) + 1]
        least_size, most_size = least * len(members), len(members) / least
        for other in sorted({place for gram in prefix for place in postings[gram]}):
            if not least_size <= len(sets[other]) <= most_size:
                continue
            shared = len(members & sets[other])
            alike = shared / (len(members) + len(sets[other]) - shared)
            if alike >= least:
                yield other, index, alike
        for gram in prefix:
            postings[gram].append(index)
