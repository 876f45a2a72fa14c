"""The alarm for templates whose texts have begun to look alike, and what is done about it.

Of the last texts of a template it counts the most common opening and the most common sentence skeleton. The alarm goes
off when so many would be a surprise even for a template of which one text in ten begins that way: the chance of it, in
one window and over all openings, is below one in a million. Cosmopedia and FinePhrase found such templates by hand.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from generator.config import CollapseConfig
from generator.diversity import openings
from generator.plan import Slot
from generator.skeletons import skeletons

CHANCE = (
    1e-6  # of a false alarm in one window; a window slides by one text, so 2,000 texts see fewer than 2,000 of them
)
Template = tuple[str, str]  # language, form


@dataclass(frozen=True, slots=True)
class Alarm:
    """Texts of a template that were alike. `after` counts the variant's texts up to then."""

    template: Template
    variant: int
    kind: str  # opening | skeleton
    what: str
    count: int
    of: int
    after: int
    act: str  # rotated | retired | reported


@dataclass(slots=True)
class _Window:
    texts: deque[tuple[str, list[str]]] = field(default_factory=deque)
    openings: Counter[str] = field(default_factory=Counter)
    skeletons: Counter[str] = field(default_factory=Counter)
    seen: int = 0

    def add(self, opening: str, bones: list[str], size: int) -> None:
        self.seen += 1
        self.texts.append((opening, bones))
        self.openings[opening] += 1
        self.skeletons.update(bones)
        if len(self.texts) > size:
            old, gone = self.texts.popleft()
            self.openings[old] -= 1
            self.skeletons.subtract(gone)

    def most(self, opening: str, bones: list[str]) -> list[tuple[str, str, int]]:
        """Only what the newest text holds can have become the most common."""
        best = max(bones, key=lambda one: (self.skeletons[one], one), default="")
        return [
            ("opening", opening, self.openings[opening] if opening else 0),
            ("skeleton", best, self.skeletons[best]),
        ]


class Collapse:
    """Watches every template, variant by variant. A pure function of the texts that it was shown, in their order."""

    def __init__(self, config: CollapseConfig, variants: Callable[[Template], int] = lambda template: 1) -> None:
        """`variants` says in how many ways a template can ask."""
        self._config, self._variants = config, variants
        self._windows: dict[tuple[Template, int], _Window] = {}
        self._last: set[Template] = set()
        self.now: dict[Template, int] = {}  # the variant that new slots are asked with
        self.retired: set[Template] = set()
        self.alarms: list[Alarm] = []

    def see(self, slots: Sequence[Slot], texts: Sequence[str]) -> None:
        """Texts that the teacher wrote for these slots, in the order in which they are judged."""
        if self._config.act == "ignore" or not texts:
            return
        bones = skeletons(texts)
        by_language = {slot.cell.language for slot in slots}
        firsts = {language: openings(texts, language) for language in by_language}
        for place, slot in enumerate(slots):
            self._see(slot, firsts[slot.cell.language][place], bones[place])

    def _see(self, slot: Slot, opening: str, bones: list[str]) -> None:
        template = slot.cell.language, slot.cell.form
        self._last.add(template)
        window = self._windows.setdefault((template, slot.variant), _Window())
        window.add(opening, bones, self._config.window)
        of = len(window.texts)
        if of < self._config.least or slot.variant != self.now.get(template, 0) or template in self.retired:
            return
        most = surprising(of, self._config.share)
        for kind, what, count in window.most(opening, bones):
            if count >= most:
                act = self._act(template)
                self.alarms.append(Alarm(template, slot.variant, kind, what, count, of, window.seen, act))
                del self._windows[template, slot.variant]
                return

    def _act(self, template: Template) -> str:
        variant = self.now.get(template, 0) + 1
        if self._config.act == "report":
            return "reported"
        if self._config.act == "rotate" and variant < self._variants(template):
            self.now[template] = variant
            return "rotated"
        others = {one for one in self._last if one[0] == template[0]} - self.retired - {template}
        if not others:  # the last template of a language goes on: nothing else could fill its cells
            return "reported"
        self.retired.add(template)
        return "retired"


@lru_cache(maxsize=4096)
def surprising(of: int, share: float) -> int:
    """The smallest count of one key among `of` texts that has a chance below `CHANCE` where each key's share is at most
    `share`: of · P(Bin(of - 1, share) ≥ count - 1), a union over the text that the others agree with."""
    tail = 0.0
    for others in range(of - 1, -1, -1):
        tail += math.comb(of - 1, others) * share**others * (1 - share) ** (of - 1 - others)
        if of * tail > CHANCE:
            return others + 2
    return 1
