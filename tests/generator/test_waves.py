"""Waves never run dry while a slot is open, ask nothing twice, and go on after a restart as they were committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from corpus.document import Document
from corpus.store import open_store
from generator.attempt import Turn
from generator.book import Book
from generator.config import GenerateConfig
from generator.plan import plan_slots
from generator.reply import Failure, Outcome, Reply
from generator.request import Request, continue_request, make_request
from generator.spend import Caps, Purse, bound_of
from generator.teacher_config import TeacherConfig
from generator.waves import Waves, serves
from prompts.library import load_library

LIBRARY = load_library()
GOOD = " ".join(f"Sentence number {index} says something else." for index in range(20))


class Run:
    """A book and its waves over one folder, as the generate stage has them."""

    def __init__(
        self, folder: Path, stored: dict[str, Outcome] | None = None, cap: int | None = None,
        elsewhere=lambda request: None, **config,
    ) -> None:  # type: ignore[no-untyped-def]  # fmt: skip
        self.config = GenerateConfig(**{"documents": 10, "attempts": 3, **config})
        self.slots = plan_slots(self.config, LIBRARY, 1)
        self.refused: set[str] = set()  # texts that `accept` refuses
        self.book = Book(self.slots, self.config, self.accept, purse=Purse(Caps(tokens=cap)))
        self.sizes: list[int] = []
        self.waves = Waves(
            self.book, open_store(folder), self.make, stored or {}, elsewhere=elsewhere,
            on_wave=lambda wave, turns: self.sizes.append(turns),
        )  # fmt: skip

    def accept(self, documents: Sequence[Document]) -> list[tuple[str, str]]:
        return [("duplicate.near", "") if item.text in self.refused else ("", "") for item in documents]

    def make(self, turn: Turn) -> Request:
        request = make_request(turn.slot, turn.attempt, LIBRARY, TeacherConfig(), self.config, 1)
        return continue_request(request, turn.so_far.text) if turn.so_far else request


def reply(request: Request, text: str = GOOD, finish: str = "stop", tokens: int = 30) -> Reply:
    return Reply(request.key, text, finish, 10, tokens, "m", 0.1, "e")


def test_a_failed_slot_is_asked_again_while_the_first_wave_is_still_out(tmp_path: Path) -> None:
    run = Run(tmp_path)
    first = run.waves.take(10)
    assert len(first) == 10
    assert run.waves.take(1) == []
    run.book.take_in([reply(first[3], "")])
    again = run.waves.take(5)
    assert [(item.slot_id, item.attempt) for item in again] == [(first[3].slot_id, 1)]
    assert run.sizes == [10, 1]


def test_every_slot_ends_filled_or_short_with_its_last_cause(tmp_path: Path) -> None:
    run = Run(tmp_path)
    asked = 0
    while batch := run.waves.take(4):
        asked += len(batch)
        for request in batch:
            bad = request.slot_id == run.slots[0].id
            failure = Failure(request.key, "overlong", "", False, 1)
            run.book.take_in([failure if bad else reply(request, GOOD + request.slot_id + ".")])
    assert asked == 9 + 3
    assert run.book.attempts[run.slots[0].id] == ["overlong"] * 3
    assert len(run.book.documents) == 9
    assert run.book.shortfall() == {"overlong": 1}


def test_what_is_not_accepted_is_rejected_by_name_and_its_slot_asked_again(tmp_path: Path) -> None:
    run = Run(tmp_path, documents=2)
    first, second = run.waves.take(2)
    run.refused = {GOOD}
    run.book.take_in([reply(first), reply(second, GOOD + " And more.")])
    (again,) = run.waves.take(2)
    assert (again.slot_id, again.attempt) == (first.slot_id, 1)
    assert [(item.reason, item.stage) for item in run.book.rejections] == [("duplicate.near", "generate")]


def test_a_stored_reply_is_never_asked_for_and_one_cut_lower_is(tmp_path: Path) -> None:
    before = Run(tmp_path / "a", documents=3)
    whole, cut, missing = before.waves.take(3)
    stored: dict[str, Outcome] = {whole.key: reply(whole), cut.key: reply(cut, finish="length", tokens=5)}
    run = Run(tmp_path / "b", stored, documents=3)
    assert [item.key for item in run.waves.take(3)] == [cut.key, missing.key]
    assert run.waves.recalled == 1


def test_a_copy_of_a_reply_counts_once(tmp_path: Path) -> None:
    run = Run(tmp_path, documents=1)
    (request,) = run.waves.take(1)
    run.book.take_in([reply(request), reply(request, "")])
    assert run.waves.take(1) == []
    run.book.take_in([reply(request, "")])
    assert run.waves.take(1) == []
    assert run.book.attempts == {request.slot_id: [""]}


def test_a_cut_off_reply_goes_on_from_its_own_words_and_is_one_document(tmp_path: Path) -> None:
    run = Run(tmp_path, documents=1, truncated="continue", continuations=2)
    (request,) = run.waves.take(1)
    text = ""
    for part in ("It began with a small green seed and the", f" rain of that spring. {GOOD} And then the"):
        run.book.take_in([reply(request, part, "length")])
        text += part
        (request,) = run.waves.take(1)
        assert request.messages[-1] == {"role": "assistant", "content": text}
        assert request.attempt == 0
    run.book.take_in([reply(request, " end came. And nobody", "length")])
    assert run.waves.take(1) == []
    (document,) = run.book.documents.values()
    assert document.text == text + " end came."
    assert document.lineage is not None
    assert document.lineage.operators == ("continue:2", "trim:sentence")
    assert document.lineage.completion_tokens == 90


def test_a_continuation_that_the_server_refuses_leaves_what_was_written(tmp_path: Path) -> None:
    run = Run(tmp_path, documents=1, truncated="continue")
    (request,) = run.waves.take(1)
    run.book.take_in([reply(request, f"{GOOD} And then the", "length")])
    (request,) = run.waves.take(1)
    run.book.take_in([Failure(request.key, "overlong", "", False, 1)])
    assert run.waves.take(1) == []
    assert [item.text for item in run.book.documents.values()] == [GOOD]


def test_a_failure_of_the_machinery_costs_no_attempt(tmp_path: Path) -> None:
    run = Run(tmp_path, documents=1)
    (request,) = run.waves.take(1)
    run.book.take_in([Failure(request.key, "connection", "", True, 6)])
    assert run.waves.take(1) == []
    assert run.book.attempts == {}
    assert run.book.unanswered == {"connection": 1}


def test_the_cap_holds_even_if_every_reply_on_its_way_is_as_long_as_it_may_be(tmp_path: Path) -> None:
    bounds = [sum(bound_of(item)) for item in Run(tmp_path / "a", max_tokens=500).waves.take(4)]
    run = Run(tmp_path / "b", cap=sum(bounds[:2]) + 100, max_tokens=500)
    first = run.waves.take(10)
    assert len(first) == 2
    assert run.waves.capped
    run.book.take_in([reply(item) for item in first])  # 40 tokens each, so there is room again
    assert run.book.purse.spent == 80
    assert len(run.waves.take(10)) == (2 if sum(bounds[2:]) <= sum(bounds[:2]) + 20 else 1)
    run.book.take_in([Failure(item, "connection", "", True, 1) for item in run.book._asked])
    assert run.book.purse.reserved == 0


def test_a_run_that_ends_within_its_cap_is_not_capped_and_stored_replies_cost_nothing_more(tmp_path: Path) -> None:
    done = Run(tmp_path / "a", cap=9000, max_tokens=500, documents=2)
    batch = done.waves.take(2)
    done.book.take_in([reply(item) for item in batch])
    assert (done.waves.take(2), done.waves.capped) == ([], False)
    again = Run(tmp_path / "b", {item.key: reply(item) for item in batch}, cap=100, max_tokens=500, documents=2)
    assert (again.waves.take(2), again.waves.capped, again.waves.recalled) == ([], False, 2)


def test_what_another_run_was_answered_is_not_asked_and_not_paid_again(tmp_path: Path) -> None:
    whole, cut, missing = Run(tmp_path / "a", documents=3).waves.take(3)
    other = {whole.key: reply(whole), cut.key: reply(cut)}
    stored: dict[str, Outcome] = {cut.key: reply(cut, finish="length", tokens=5)}
    run = Run(tmp_path / "b", stored, elsewhere=lambda request: other.get(request.key), documents=3)
    assert [item.key for item in run.waves.take(3)] == [missing.key]
    run.book.take_in([reply(missing)])
    assert run.waves.take(1) == []
    assert (run.waves.recalled, run.book.reused, run.book.purse.spent) == (2, 2, 40)
    assert len(run.book.documents) == 3


def test_a_forgotten_slot_is_never_asked_and_named_in_the_shortfall(tmp_path: Path) -> None:
    run = Run(tmp_path, documents=3)
    gone = run.slots[1].id
    book = Book(run.slots, run.config, run.accept, forgotten={gone})
    assert [turn.slot.id for turn in book.open()] == [run.slots[0].id, run.slots[2].id]
    assert book.shortfall() == {"forgotten": 1, "not asked": 2}


def test_a_wave_is_committed_before_its_first_request_and_read_again_after_a_restart(tmp_path: Path) -> None:
    run = Run(tmp_path, documents=4)
    first = run.waves.take(4)
    run.book.take_in([reply(first[2], ""), reply(first[0], "")])
    again = run.waves.take(4)
    names = open_store(tmp_path).names("waves/")
    assert names == ["waves/000000.json", "waves/000001.json"]
    written = orjson.loads(open_store(tmp_path).read(names[1]))
    assert sorted(written["turns"]) == sorted([item.slot_id, 1, 0, 0] for item in again)
    # After the restart all four first attempts are known to have failed; the committed wave still comes first, as it is.
    stored: dict[str, Outcome] = {item.key: reply(item, "") for item in first}
    later = Run(tmp_path, stored, documents=4)
    assert [item.key for item in later.waves.take(2)] == [item.key for item in again]
    assert later.sizes == [4, 2]
    assert {item.slot_id for item in later.waves.take(4)} == {first[1].slot_id, first[3].slot_id}


def test_a_stored_reply_with_fewer_log_probabilities_is_asked_again_and_one_with_more_serves(tmp_path: Path) -> None:
    (request,) = Run(tmp_path, documents=1).waves.take(1)
    asked = replace(request, demands=replace(request.demands, top_logprobs=5))
    for carried, text, expected in (
        (0, GOOD, False),
        (4, GOOD, False),
        (5, GOOD, True),
        (20, GOOD, True),
        (0, "", True),
    ):
        assert serves(replace(reply(request, text), top_logprobs=carried), asked) is expected
