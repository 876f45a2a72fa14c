"""The client: every way an endpoint can fail has one typed outcome, and keys stay out of all of them."""

from __future__ import annotations

import asyncio
import time

import pytest

from corpus.errors import SetupError
from generator.reply import Reply, TeacherError
from generator.teacher_config import TeacherConfig
from generator.teachers.http_status import retry_after
from generator.teachers.openai_endpoint import OpenAITeacher, open_teacher
from tests.fakes.asking import expected_text, request_of
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_server import Fault


@pytest.fixture(scope="module")
def fake():
    with FakeTeacher() as server:
        yield server


def complete(fake, *faults: Fault, timeout_s: float = 5.0, **options) -> Reply:
    async def once():
        teacher = OpenAITeacher(fake.url, served_model=fake.model, **options)
        try:
            return await teacher.complete(request_of(1, timeout_s=timeout_s))
        finally:
            await teacher.close()

    fake.set_faults(*faults)
    return asyncio.run(once())


FAILURES = [
    ("error_500", "server_error", True),
    ("error_503", "server_error", True),
    ("rate_limit", "rate_limited", True),
    ("broken_json", "malformed", True),
    ("bad_utf8", "malformed", True),
    ("html", "malformed", True),
    ("deep", "malformed", True),
    ("empty_choices", "malformed", True),
    ("no_choices", "malformed", True),
    ("odd_choices", "malformed", True),
    ("list_content", "malformed", True),
    ("cut", "connection", True),
    ("reset", "connection", True),
    ("hang", "timeout", True),
    ("drip", "timeout", True),
    ("overlong", "overlong", False),
    ("invalid", "refused_by_server", False),
    ("endless", "malformed", False),
]


@pytest.mark.parametrize(("kind", "reason", "retryable"), FAILURES, ids=[row[0] for row in FAILURES])
def test_each_fault_has_its_typed_outcome(fake, kind, reason, retryable):
    with pytest.raises(TeacherError) as caught:
        complete(fake, Fault(kind, seconds=0.1 if kind == "drip" else 60.0), timeout_s=1.0)
    assert (caught.value.reason, caught.value.retryable) == (reason, retryable)


@pytest.mark.parametrize("kind", ["unknown_model", "no_key", "redirect"])
def test_what_would_refuse_every_request_ends_the_run(fake, kind):
    with pytest.raises(SetupError):
        complete(fake, Fault(kind))


@pytest.mark.parametrize("stall_s", [None, 5.0], ids=["whole", "streamed"])
def test_a_reply_is_what_the_server_wrote(fake, stall_s):
    reply = complete(fake, stall_s=stall_s)
    assert reply.text == expected_text(request_of(1))
    assert (reply.finish_reason, reply.model, reply.endpoint) == ("stop", fake.model, fake.url)
    assert reply.completion_tokens == len(reply.text.split(" "))
    assert reply.prompt_tokens > 0


@pytest.mark.parametrize(("kind", "text"), [("null_content", ""), ("empty_content", ""), ("tool_call", "")])
def test_a_reply_without_text_is_an_empty_text_for_the_parser_to_judge(fake, kind, text):
    assert complete(fake, Fault(kind)).text == text


@pytest.mark.parametrize("kind", ["odd_usage", "no_usage"])
def test_a_reply_without_token_counts_is_still_a_reply(fake, kind):
    reply = complete(fake, Fault(kind))
    assert reply.text == expected_text(request_of(1))
    assert reply.completion_tokens == 0


def test_a_lone_surrogate_is_replaced_because_no_file_can_hold_it(fake):
    text = complete(fake, Fault("surrogate")).text
    assert text == "\ufffd " + expected_text(request_of(1))


def test_a_reply_of_five_megabytes_comes_whole_for_the_parser_to_judge(fake):
    assert len(complete(fake, Fault("huge")).text) == 5 << 20


@pytest.mark.parametrize("kind", ["error_midstream", "cut"])
def test_an_error_in_mid_stream_is_retryable_and_half_a_stream_is_no_reply(fake, kind):
    with pytest.raises(TeacherError) as caught:
        complete(fake, Fault(kind), stall_s=5.0)
    assert caught.value.retryable
    assert caught.value.reason in ("server_error", "connection")


def test_a_stream_without_tokens_is_stalled_long_before_its_time_limit(fake):
    begun = time.monotonic()
    with pytest.raises(TeacherError) as caught:
        complete(fake, Fault("hang"), stall_s=0.5, timeout_s=30.0)
    assert caught.value.reason == "stalled"
    assert time.monotonic() - begun < 5


def test_the_server_says_how_long_to_wait_in_seconds_or_as_a_date(fake):
    with pytest.raises(TeacherError) as caught:
        complete(fake, Fault("rate_limit", retry_after="1.5"))
    assert caught.value.retry_after_s == 1.5
    assert retry_after("Wed, 21 Oct 2099 07:28:00 GMT") == 60.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert [retry_after(text) for text in (None, "", "soon", "-4", "1e9")] == [None, None, None, 0.0, 60.0]


def test_a_server_that_has_gone_is_a_connection_failure():
    with FakeTeacher() as gone:
        pass
    with pytest.raises(TeacherError) as caught:
        asyncio.run(OpenAITeacher(gone.url).complete(request_of(1)))
    assert (caught.value.reason, caught.value.retryable) == ("connection", True)


def test_no_proxy_lies_between_us_and_this_machine(fake, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert complete(fake).text


def test_a_probe_names_the_model_and_refuses_another(fake):
    async def probe(model):
        teacher = OpenAITeacher(fake.url, served_model=model)
        try:
            return await teacher.probe()
        finally:
            await teacher.close()

    result = asyncio.run(probe(fake.model))
    assert (result.model, result.max_tokens) == (fake.model, 2048)
    with pytest.raises(SetupError, match="serves fake-teacher, not gpt-none"):
        asyncio.run(probe("gpt-none"))


def test_the_key_comes_from_the_environment_and_never_shows_in_an_error(fake, monkeypatch):
    key = "sk-canary-0123456789abcdef"
    monkeypatch.setenv("TEACHER_KEY", key)
    config = TeacherConfig(model=fake.model, endpoints=(fake.url,), api_key_env="TEACHER_KEY")
    fake.set_faults(Fault("echo_key"))
    with pytest.raises(SetupError) as caught:
        asyncio.run(open_teacher(config, fake.url, fake.model).complete(request_of(1)))
    assert "[key]" in str(caught.value)
    assert key not in str(caught.value)
    monkeypatch.delenv("TEACHER_KEY")
    with pytest.raises(SetupError, match="TEACHER_KEY"):
        open_teacher(config, fake.url, fake.model)
