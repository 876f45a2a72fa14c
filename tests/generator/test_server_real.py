"""The real vLLM, as the demo starts it: what the fakes only claim."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace

import psutil
import pytest

from corpus.errors import SetupError
from corpus.journal import JournalWriter, read_journal
from corpus.store import open_store
from generator.ask import Asker, ask, outcomes_of
from generator.process_session import members
from generator.reply import Failure, Reply, TeacherError
from generator.request import Demands, Sampling, continue_request
from generator.teachers.openai_endpoint import OpenAITeacher
from tests.fakes.asking import request_of

pytestmark = [pytest.mark.teacher, pytest.mark.timeout(900)]


def requests_of(count: int, max_tokens: int, timeout_s: float = 240.0):
    return (replace(request_of(number), demands=Demands(max_tokens, timeout_s)) for number in range(count))


async def once(teacher: OpenAITeacher, request):
    try:
        return await teacher.complete(request)
    finally:
        await teacher.close()


def client(real_teacher, **options) -> OpenAITeacher:
    return OpenAITeacher(real_teacher.url, served_model=real_teacher.model, **options)


def test_128_seeded_requests_at_64_streams_pass(real_teacher, tmp_path):
    store, outcomes = open_store(tmp_path), []

    async def go():
        teacher = client(real_teacher)
        journal = JournalWriter(store, "w")
        stats = await ask(requests_of(128, 24), teacher, journal, window=64, retries=0, on_outcome=outcomes.append)
        await teacher.close()
        journal.close()
        return stats

    stats = asyncio.run(go())
    assert [item for item in outcomes if isinstance(item, Failure)] == []
    assert (stats.answered, stats.sent, stats.most_in_flight) == (128, 128, 64)
    assert len({item.request_key for item in outcomes}) == 128 == len(list(read_journal(store)))
    assert all(item.text.strip() and item.prompt_tokens > 0 and item.completion_tokens > 0 for item in outcomes)
    assert real_teacher.server.works()


def test_a_reply_ends_where_the_turn_ends_and_shows_no_token_of_the_template(real_teacher):
    message = {"role": "user", "content": "Name one colour. Answer with a single word."}
    base = replace(request_of(1), messages=(message,), sampling=Sampling(0.0, 1.0), demands=Demands(200, 120.0))
    reply = asyncio.run(once(client(real_teacher), base))
    assert reply.finish_reason == "stop"
    assert "<|" not in reply.text


def test_a_stream_and_a_whole_reply_are_the_same_reply(real_teacher):
    request = replace(request_of(2), sampling=Sampling(0.0, 1.0), demands=Demands(16, 120.0))
    whole, streamed = (asyncio.run(once(client(real_teacher, stall_s=stall), request)) for stall in (None, 60.0))
    assert isinstance(streamed, Reply)
    counts = [
        (item.prompt_tokens, item.completion_tokens, item.finish_reason, item.model) for item in (whole, streamed)
    ]
    assert counts[0] == counts[1]
    assert whole.text.split()[:4] == streamed.text.split()[:4]


def test_what_it_refuses_is_typed(real_teacher):
    long = replace(request_of(3), messages=({"role": "user", "content": "word " * 4_000},), demands=Demands(16, 60.0))
    invalid = replace(request_of(3), sampling=Sampling(-1.0, 1.0), demands=Demands(16, 60.0))
    for request, reason in ((long, "overlong"), (invalid, "refused_by_server")):
        with pytest.raises(TeacherError) as caught:
            asyncio.run(once(client(real_teacher), request))
        assert (caught.value.reason, caught.value.retryable) == (reason, False)
    with pytest.raises(SetupError):
        asyncio.run(once(OpenAITeacher(real_teacher.url, served_model="another"), request_of(3)))


def test_a_probe_names_model_folder_and_context(real_teacher):
    async def probe():
        teacher = client(real_teacher)
        try:
            return await teacher.probe()
        finally:
            await teacher.close()

    result = asyncio.run(probe())
    assert (result.model, result.root, result.max_tokens) == (real_teacher.model, str(real_teacher.folder), 2048)


def test_its_metrics_count_the_tokens_that_were_made(real_teacher):
    before = real_teacher.server.metrics()
    reply = asyncio.run(once(client(real_teacher), replace(request_of(4), demands=Demands(20, 120.0))))
    end = time.monotonic() + 20
    while (
        after := real_teacher.server.metrics()
    ).generated_tokens == before.generated_tokens and time.monotonic() < end:
        time.sleep(0.2)
    assert after.generated_tokens - before.generated_tokens == reply.completion_tokens
    assert after.prompt_tokens - before.prompt_tokens == reply.prompt_tokens


def test_a_killed_engine_costs_no_row_and_leaves_no_process(real_teacher, tmp_path):
    """The requests in flight fail as the machinery's, the manager serves again at the same URL, and all are answered."""
    server, killed = real_teacher.server, []

    def kill_engine() -> None:
        session = members(server.pid)
        engines = [pid for pid in session if "EngineCore" in " ".join(psutil.Process(pid).cmdline())]
        assert engines, "no engine process found"
        killed.append(server.pid)
        os.kill(engines[0], signal.SIGKILL)

    async def supervise() -> None:
        await asyncio.sleep(3)
        kill_engine()
        while not await asyncio.to_thread(server.ensure_alive):
            await asyncio.sleep(0.5)

    async def go():
        teacher = client(real_teacher)
        asker = Asker(teacher, JournalWriter(open_store(tmp_path), "w"), window=16, retries=60)
        watcher = asyncio.create_task(supervise())
        outcomes = [item async for item in outcomes_of(requests_of(48, 48), asker, ahead=32)]
        await watcher
        await teacher.close()
        return outcomes, asker.stats

    outcomes, stats = asyncio.run(go())
    assert sorted(item.request_key for item in outcomes) == sorted(f"key-{number}" for number in range(48))
    assert [item for item in outcomes if isinstance(item, Failure)] == []
    assert set(stats.retried) <= {"server_error", "connection"}
    assert stats.retried
    assert members(killed[0]) == set()
    assert server.works()


def test_it_goes_on_with_words_of_its_own(real_teacher):
    """What `truncated: continue` relies on: greedy text in two parts is the text in one."""
    message = {"role": "user", "content": "Tell the story of a river in five sentences."}
    request = replace(request_of(3), messages=(message,), sampling=Sampling(0.0, 1.0), demands=Demands(60, 120.0))
    whole = asyncio.run(once(client(real_teacher), request))
    half = asyncio.run(once(client(real_teacher), replace(request, demands=Demands(30, 120.0))))
    assert half.finish_reason == "length"
    rest = asyncio.run(
        once(client(real_teacher), continue_request(replace(request, demands=Demands(30, 120.0)), half.text))
    )
    assert (half.text + rest.text)[:80] == whole.text[:80]
    assert len(half.text) < 0.8 * len(half.text + rest.text)
