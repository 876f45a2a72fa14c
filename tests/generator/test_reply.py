"""Outcomes survive the journal and process borders unchanged."""

from __future__ import annotations

import pickle

import orjson
import pytest

from corpus.errors import StateError
from generator.reply import OUTCOMES, Failure, Reply, TeacherError, labels_in, outcome_of

REPLY = Reply("k", "Ein Satz. 一句话。", "stop", 12, 34, "m", 1.5, "http://127.0.0.1:1/v1")
FAILURE = Failure("k", "server_error", "500", True, 6)


@pytest.mark.parametrize("outcome", [REPLY, FAILURE], ids=["reply", "failure"])
def test_an_outcome_is_the_same_after_the_journal(outcome):
    assert outcome_of(orjson.loads(orjson.dumps(outcome.to_record()))) == outcome


def test_records_of_another_kind_are_no_outcome():
    assert outcome_of({"kind": "wave", "text": "x"}) is None


def test_a_record_that_lacks_a_field_is_damage_and_not_a_crash():
    record = REPLY.to_record()
    del record["text"]
    with pytest.raises(StateError, match="text"):
        outcome_of(record)


def test_the_replies_schema_holds_every_field_of_a_reply():
    assert set(OUTCOMES.names) == {"kind", *Reply.__slots__, *Failure.__slots__} - {"labels"}


def test_a_teacher_error_keeps_every_field_across_processes_and_its_detail_is_short():
    error = TeacherError("rate_limited", "x" * 9_000, retryable=True, retry_after_s=3.0, hint="wait")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (copy.reason, copy.retryable, copy.retry_after_s, copy.hint) == ("rate_limited", True, 3.0, "wait")
    assert copy.detail == "x" * 500


def test_labels_go_through_a_record_and_are_no_part_of_what_is_read_back() -> None:
    reply = Reply("k", "text", "stop", 1, 2, "m", 0.1, "e", 3, bytes(range(256)))
    record = orjson.loads(orjson.dumps(reply.to_record()))
    assert labels_in(record) == bytes(range(256))
    assert outcome_of(record) == reply.bare()
    with pytest.raises(StateError):
        labels_in({**record, "labels": "no base64!"})


def test_a_reply_without_labels_has_the_record_that_it_always_had() -> None:
    record = Reply("k", "text", "stop", 1, 2, "m", 0.1, "e").to_record()
    assert not {"labels", "top_logprobs"} & record.keys()
    assert labels_in(record) is None
