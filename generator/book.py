"""What is known of every slot: which turns are open, what came back, and the verdict on each attempt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from corpus.document import Document, Rejection
from generator.attempt import Attempt, Cast, Next, Turn, written
from generator.config import GenerateConfig
from generator.coverage import FORGOTTEN, Coverage
from generator.plan import Slot
from generator.reply import Failure, Outcome, Reply
from generator.request import Request
from generator.spend import Purse
from generator.verification import Verification
from generator.verify_code import Verdict

JUDGED = 256  # outcomes that are judged together: a filter costs far less a text in a batch than alone
FILLED = ""  # the reason of an attempt that filled its slot
Accept = Callable[[Sequence[Document]], Sequence[tuple[str, str]]]
"""(reason, detail) for each document, in order; an empty reason keeps it."""


class Book:
    """Replies come in at any time and in any order; they are judged in batches, each in the plan's order."""

    def __init__(
        self, slots: Sequence[Slot], config: GenerateConfig, accept: Accept, cast: Cast = written, *,
        as_they_come: bool = False, purse: Purse | None = None, forgotten: Collection[str] = (),
        verification: Verification | None = None, coverage: Coverage | None = None,
    ) -> None:  # fmt: skip
        """`as_they_come`: keep the order of arrival within a batch, for outcomes that were judged in this order once.

        `forgotten` slots (by id) are closed from the start: their texts were taken down. With `coverage` the slots are
        what it releases, wave by wave; without, all of `slots` at once.
        """
        self._config, self._accept, self._cast, self._coverage = config, accept, cast, coverage
        self._as_they_come, self.verification = as_they_come, verification
        self._held: dict[str, tuple[str, Slot, Document]] = {}  # by document, while its code runs; request key first
        self.slots: list[Slot] = []  # those that were opened, in that order
        self._place: dict[str, int] = {}
        self._open: list[Turn] = []
        self._running: dict[str, Attempt] = {}  # by slot
        self.held = False  # whether the order of judgement was committed before and is told to `open`
        self._asked: dict[str, tuple[Turn, Request]] = {}
        self._came: list[Outcome] = []
        self.replies: dict[str, Reply] = {}
        self.documents: dict[str, Document] = {}
        self.refused: dict[str, Failure] = {}
        self.judged: list[str] = []  # request keys in the order of judgement, which is all that a replay needs to know
        self.rejections: list[Rejection] = []
        self.attempts: dict[str, list[str]] = {}
        self.purse = purse or Purse()
        self.reused = 0  # replies that another run paid for
        self.forgotten = forgotten
        self.slot_of: dict[str, str] = {}  # by request key of everything asked, and by id of what was refused
        self.unanswered = Counter[str]()  # by reason: the machinery failed, which costs no attempt
        self._hopeless: set[str] = set()  # slots refused before anything was asked: no attempt would end otherwise
        self.dropped: set[str] = set()  # slots that got no further attempt since their cell was closed
        self._add(() if coverage else slots)

    def open(self, order: Sequence[str] = ()) -> list[Turn]:
        """Judge what has come, and hand out every turn that may be asked now; each is handed out once.

        `order` names the outcomes that were judged by then when this was done before. When all of them are there, they
        are judged in this order and no others; else what has come is judged as if for the first time.
        """
        self._judge(order)
        while self._held and not (self._open or self._asked or self.held):  # nothing else can go on meanwhile
            self._judge(wait=True)
        if self._coverage:
            self._coverage.close()
            self._drop()
            new = self._coverage.release()
            self._add(new)
            while new and not self._open:  # all were refused before they were asked
                new = self._coverage.release()
                self._add(new)
        turns, self._open = self._open, []
        return turns

    @property
    def coverage(self) -> Coverage | None:
        """What decides over slots, where anything does."""
        return self._coverage

    @property
    def extra(self) -> list[Slot]:
        """Slots of the last `open` that are not in the plan as they are."""
        return self._coverage.extra if self._coverage else []

    @property
    def moves(self) -> list[str]:
        """What coverage decided in the last `open`, in words."""
        return self._coverage.moves if self._coverage else []

    def ask(self, turn: Turn, request: Request) -> None:
        """Take note that `request` stands for `turn`; its outcome may come."""
        self._asked[request.key] = turn, request
        self.slot_of[request.key] = turn.slot.id
        self.purse.hold(request)

    def take_in(self, outcomes: Iterable[Outcome], *, paid: bool = True) -> None:
        """Outcomes of requests that were asked. A second outcome of one request is a copy and counts nothing.

        `paid` is false for replies that another run paid for.
        """
        for outcome in outcomes:
            key = outcome.request_key
            if not self.awaits(key) or key in self.replies or key in self.refused:
                continue
            self.purse.release(self._asked[key][1])
            if isinstance(outcome, Reply):
                self.replies[key] = outcome
                self.reused += not paid
                if paid:
                    self.purse.pay(outcome)
            elif outcome.retryable:
                self.unanswered[outcome.reason] += 1
                continue
            else:
                self.refused[key] = outcome
            self._came.append(outcome)
        if len(self._came) >= JUDGED and not self.held:
            self._judge()

    def awaits(self, request_key: str) -> bool:
        """Whether a request was asked and is not judged yet."""
        return request_key in self._asked

    def shortfall(self) -> dict[str, int]:
        """Slots that stayed empty, by the cause of their last attempt; `not asked` where none was made."""
        return dict(Counter(self.cause(slot) for slot in self.slots if slot.id not in self.documents))

    def cause(self, slot: Slot) -> str:
        """Why a slot is empty: the reason of its last attempt."""
        return (self.attempts.get(slot.id) or [FORGOTTEN if slot.id in self.forgotten else "not asked"])[-1]

    @property
    def short(self) -> set[str]:
        """Slots that are empty and get no further attempt."""
        most = self._config.attempts
        return {
            slot for slot, past in self.attempts.items()
            if FILLED not in past and (len(past) >= most or slot in self._hopeless)
        }  # fmt: skip

    def _add(self, slots: Iterable[Slot]) -> None:
        for slot in slots:
            self._place[slot.id] = len(self.slots)
            self.slots.append(slot)
            if slot.id not in self.forgotten:
                self._begin(slot)
            elif self._coverage:
                self._coverage.lose(slot, FORGOTTEN)

    def _drop(self) -> None:
        """Leave out new attempts at slots whose cell is closed. What was begun goes on."""
        assert self._coverage is not None
        begins = {turn.slot.id: turn.slot for turn in self._open if turn.attempt and not turn.step and not turn.part}
        over = {name: why for name, slot in begins.items() if (why := self._coverage.drops(slot))}
        for name, why in over.items():
            del self._running[name]
            self.dropped.add(name)
            self._coverage.lose(begins[name], why)
        self._open = [turn for turn in self._open if turn.slot.id not in over]

    def _next_batch(self, order: Sequence[str]) -> list[Outcome]:
        came, self._came = self._came, []
        by_key = {outcome.request_key: outcome for outcome in came} if order else {}
        if order and all(key in by_key for key in order):
            self._came = [outcome for outcome in came if outcome.request_key not in set(order)]
            return [by_key[key] for key in order]
        if not self._as_they_come:
            came.sort(key=lambda outcome: self._place[self._asked[outcome.request_key][0].slot.id])
        return came

    def _judge(self, order: Sequence[str] = (), *, wait: bool = False) -> None:
        if self.held and not order:
            return
        came = self._next_batch(order)
        drafts = [draft for outcome in came for draft in self._ripe(outcome)]
        if self.verification and self._held and not order:
            for name, verdict in self.verification.take(wait=wait):
                key, slot, document = self._held.pop(name)
                self.judged.append(key)
                drafts += self._verified(slot, document, verdict)
        verdicts = self._accept([document for _, document in drafts]) if drafts else []
        for (slot, document), (reason, detail) in zip(drafts, verdicts, strict=True):
            if reason:
                self._refuse(slot, Rejection(document.id, "generate", reason, detail, document.source))
            else:
                self.documents[slot.id] = document
                self.attempts.setdefault(slot.id, []).append(FILLED)
        if self._coverage:
            slots, texts = [slot for slot, _ in drafts], [document.text for _, document in drafts]
            self._coverage.take(slots, texts, [reason for reason, _ in verdicts])

    def _ripe(self, outcome: Outcome) -> Iterator[tuple[Slot, Document]]:
        """The document of an outcome that can be accepted now. One whose code must be run first is held back."""
        key, draft = outcome.request_key, self._draft(outcome)
        check = self.verification
        if draft is None or check is None or not check.wants(draft[1]):
            self.judged.append(key)
            yield from [draft] if draft else []
        elif verdict := check.known(draft[1]):
            self.judged.append(key)
            yield from self._verified(*draft, verdict)
        else:
            self._held[draft[1].id] = key, *draft
            check.submit(draft[1])

    def _verified(self, slot: Slot, document: Document, verdict: Verdict) -> list[tuple[Slot, Document]]:
        if verdict.reason:
            self._refuse(slot, Rejection(document.id, "generate", verdict.reason, verdict.detail, document.source))
            return []
        assert document.lineage is not None
        steps = (*document.lineage.operators, verdict.step)
        return [(slot, replace(document, lineage=replace(document.lineage, operators=steps)))]

    def _begin(self, slot: Slot) -> None:
        """The slot's next attempt."""
        number = len(self.attempts.get(slot.id, ()))
        self._running[slot.id] = Attempt(slot, number, self._cast(slot, number), self._config)
        first = self._running[slot.id].begin()
        if isinstance(first, Rejection):
            self._hopeless.add(slot.id)
        self._follow(slot, first)

    def _draft(self, outcome: Outcome) -> tuple[Slot, Document] | None:
        """A document that awaits acceptance; None when the attempt goes on or has failed."""
        turn, request = self._asked.pop(outcome.request_key)
        return self._follow(turn.slot, self._running[turn.slot.id].take(turn, request, outcome))

    def _follow(self, slot: Slot, found: Next) -> tuple[Slot, Document] | None:
        if isinstance(found, list):
            self._open += found
            return None
        del self._running[slot.id]
        if isinstance(found, Document):
            return slot, found
        self._refuse(slot, found)
        return None

    def _refuse(self, slot: Slot, rejection: Rejection) -> None:
        self.rejections.append(rejection)
        self.slot_of[rejection.id] = slot.id
        past = self.attempts.setdefault(slot.id, [])
        past.append(rejection.reason)
        if len(past) < self._config.attempts and slot.id not in self._hopeless:
            self._begin(slot)
        elif self._coverage:
            self._coverage.lose(slot, rejection.reason)
