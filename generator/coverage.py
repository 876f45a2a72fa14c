"""Coverage that steers: what each cell of the plan was promised, what it got, and where its budget goes.

A cell closes when it is saturated (its texts repeat each other) or when its templates were retired. What it was still
owed goes to open cells: as documents where the recipe asks for a total, as replacement slots where it asks for a number
a cell. A slot that stays empty is replaced in its own cell, so many times as the recipe allows. Every decision is a pure
function of the outcomes in the order of their judgement, taken when a wave begins and written down with it.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from generator.collapse import Alarm, Collapse
from generator.config import CoverageConfig, GenerateConfig
from generator.diversity import gram_sets, novelty
from generator.plan import Slot, Source, key_of

FORGOTTEN = "forgotten"  # the cause of a slot whose texts were taken down
SATURATED, RETIRED = "saturated", "template retired"
REPEAT = "duplicate"  # first word of the reasons that say so
SAMPLE = np.uint64(4)  # one n-gram in four is remembered: a share over some hundred of them is as sharp as needed
Key = tuple[str, ...]


@dataclass(slots=True)
class CellState:
    """One cell. `target` moves, `wanted` is what the plan promised; `pending` slots are asked and not yet ended."""

    key: Key
    wanted: int
    target: int
    spare: int  # slots beyond the target that may be issued
    issued: int = 0
    filled: int = 0
    ended: int = 0  # issued slots that ended, filled or not
    closed: str = ""
    lost: Counter[str] = field(default_factory=Counter)  # last reasons of slots that stayed empty
    repeats: deque[bool] = field(default_factory=deque)
    new: deque[float] = field(default_factory=deque)
    known: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))

    @property
    def pending(self) -> int:
        """Slots that may still be filled."""
        return self.issued - self.ended

    @property
    def owed(self) -> int:
        """Documents that nobody was asked for yet."""
        return max(0, self.target - self.filled - self.pending)

    @property
    def cause(self) -> str:
        """Why fewer were kept than promised; empty when they were."""
        if self.filled >= self.wanted:
            return ""
        most = max(sorted(self.lost), key=lambda reason: self.lost[reason], default="not asked")
        return self.closed or most


class Coverage:
    """The cells of a plan, and the slots that may be asked next."""

    def __init__(self, slots: Sequence[Slot], source: Source, config: GenerateConfig, collapse: Collapse) -> None:
        """`source` has further slots of every cell; `slots` are the plan's."""
        self._config, self._source, self._collapse = config, source, collapse
        self.alarms = collapse.alarms
        self._planned = deque(slots)
        planned = Counter(self._key(slot) for slot in slots)  # in the plan's order
        allow = config.coverage.replacements
        self.cells = {key: CellState(key, n, n, math.ceil(allow * n)) for key, n in planned.items()}
        self.moves: list[str] = []  # decisions of the wave that begins, in words
        self.extra: list[Slot] = []  # slots of that wave that are not in the plan as they are
        self._told = 0  # alarms among earlier moves

    @property
    def wanted(self) -> int:
        """Documents that the plan promised."""
        return sum(cell.wanted for cell in self.cells.values())

    def take(self, slots: Sequence[Slot], texts: Sequence[str], reasons: Sequence[str]) -> None:
        """Texts that were judged, in this order; an empty reason kept one."""
        self._collapse.see(slots, texts)
        for slot, grams, reason in zip(slots, gram_sets(texts) if texts else (), reasons, strict=True):
            cell = self.cells[self._key(slot)]
            if not reason:
                cell.filled += 1
                cell.ended += 1
                self._learn(cell, grams[grams % SAMPLE == 0])
            if not reason or reason.startswith(REPEAT):
                _push(cell.repeats, bool(reason), self._config.coverage.least)

    def lose(self, slot: Slot, reason: str) -> None:
        """A slot that stays empty: it has no attempt left."""
        cell = self.cells[self._key(slot)]
        cell.ended += 1
        cell.lost[reason] += 1
        cell.target -= reason == FORGOTTEN  # it stays empty: nobody asked for another text in its place

    def drops(self, slot: Slot) -> str:
        """Why a slot is not asked once more; empty when it may be."""
        return self.cells[self._key(slot)].closed

    def close(self) -> None:
        """Close what is to be closed as a wave begins, so that nothing more is asked in its name."""
        self.extra = []
        self.moves = [_said(alarm) for alarm in self._collapse.alarms[self._told :]]
        self._told = len(self._collapse.alarms)
        for cell in self.cells.values():
            if not cell.closed and (why := self._over(cell)):
                cell.closed = why
                self.moves.append(f"{' · '.join(cell.key)}: {why} at {cell.filled} of {cell.target}")

    def release(self) -> list[Slot]:
        """New slots for the wave, at most as many as the recipe says: the plan's first, then replacements."""
        self._move()
        limit = self._config.coverage.wave
        wave = [self._issue(slot) for slot in self._of_plan(limit)]
        more = [self._issue(slot) for slot in self._replacements(limit - len(wave))]
        self.extra += [slot for slot in wave if slot.variant] + more
        return wave + more

    def _key(self, slot: Slot) -> Key:
        return key_of(slot.cell, self._config.coverage.cells)

    def _learn(self, cell: CellState, grams: np.ndarray) -> None:
        _push(cell.new, novelty(grams, cell.known), self._config.coverage.least)
        cell.known = np.union1d(cell.known, grams)

    def _over(self, cell: CellState) -> str:
        if saturated(cell, self._config.coverage):
            return SATURATED
        return "" if self._fillable(cell.key) else RETIRED

    def _fillable(self, key: Key) -> bool:
        axes = self._config.coverage.cells
        if not self._collapse.retired or "form" not in axes or "language" not in axes:
            return True
        named = dict(zip(axes, key, strict=True))
        return (named["language"], named["form"]) not in self._collapse.retired

    def _move(self) -> None:
        """What closed cells are owed goes to open ones, one by one to the cell that got least so far."""
        takers = [cell for cell in self.cells.values() if not cell.closed and (not self._config.per_cell or cell.owed)]
        if not takers:
            return
        free = 0
        for cell in self.cells.values():
            if cell.closed:
                free += cell.owed
                cell.target -= cell.owed
        for _ in range(free):
            if self._config.per_cell:
                min(takers, key=lambda cell: cell.spare).spare += 1
            else:
                min(takers, key=lambda cell: cell.target).target += 1
        if free:
            self.moves.append(f"{free} {'replacements' if self._config.per_cell else 'documents'} moved to open cells")

    def _of_plan(self, limit: int) -> Iterator[Slot]:
        while self._planned and limit > 0:
            slot = self._planned.popleft()
            if not self.drops(slot) and (slot.cell.language, slot.cell.form) not in self._collapse.retired:
                limit -= 1
                yield slot

    def _replacements(self, limit: int) -> Iterator[Slot]:
        """One a cell and round, so that no cell waits for another; only once the plan itself was asked."""
        while not self._planned and limit > 0:
            begun = limit
            for cell in self.cells.values():
                wanted = limit > 0 and not cell.closed and cell.owed and cell.issued < cell.target + cell.spare
                if wanted and (slot := self._source.next(cell.key, self._collapse.retired)):
                    limit -= 1
                    yield slot
            if limit == begun:
                return

    def _issue(self, slot: Slot) -> Slot:
        self.cells[self._key(slot)].issued += 1
        variant = self._collapse.now.get((slot.cell.language, slot.cell.form), 0)
        return replace(slot, variant=variant) if variant else slot


def saturated(cell: CellState, config: CoverageConfig) -> bool:
    """Whether the last documents of a cell repeat others, or add hardly a word sequence that the cell did not have."""
    repeated = len(cell.repeats) >= config.least and sum(cell.repeats) / len(cell.repeats) >= config.repeats
    return repeated or (len(cell.new) >= config.least and sum(cell.new) / len(cell.new) < config.novelty)


def _said(alarm: Alarm) -> str:
    language, form = alarm.template
    return f"{form} ({language}): {alarm.count} of {alarm.of} texts share the {alarm.kind} {alarm.what!r}; {alarm.act}"


def _push(last: deque, value: float, size: int) -> None:
    last.append(value)
    if len(last) > size:
        last.popleft()
