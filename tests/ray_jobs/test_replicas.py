"""Replicas by Ray: each answers, runs find them by their register, and nothing of them is left when they are stopped."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from urllib.parse import urlsplit

import orjson
import pytest

from corpus.errors import SetupError
from corpus.journal import JournalWriter
from corpus.store import open_store
from generator.ask import ask
from generator.pool import Pool
from generator.registry import STALE_S, Registry
from generator.teacher_config import TeacherConfig
from generator.teachers.openai_endpoint import OpenAITeacher
from ray_jobs.cluster import connect
from ray_jobs.desk import Desk
from ray_jobs.recipe import RunConfig
from ray_jobs.replicas import ReplicaOrder, gpu_group, serve_replicas
from ray_jobs.talk import Talk
from tests.fakes.asking import request_of
from tests.fakes.stub_replica import StubReplica
from tests.fakes.threads_as_ray import ThreadsAsRay


@pytest.fixture
def on_ray():
    ray = connect(RunConfig(workers=2))
    yield ray
    ray.shutdown()


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), 1).close()
    except OSError:
        return False
    return True


def ask_all(urls, folder, count):
    async def go():
        pool, journal = Pool([OpenAITeacher(url) for url in urls], most=8), JournalWriter(open_store(folder), "w")
        stats = await ask(map(request_of, range(count)), pool, journal, window=8, retries=2)
        shares = [item.answered for item in pool.states()]
        await pool.close()
        journal.close()
        return stats.answered, shares

    return asyncio.run(go())


def serve_and_ask(tmp_path):
    """Two stubs served, found by their register, asked and stopped; what was told, and what went wrong."""
    place, stop, failure = f"{tmp_path}/teachers/stub.json", threading.Event(), []
    told: list[str] = []

    def serve():
        try:
            serve_replicas(ReplicaOrder("serve"), 2, stop, register=place, told=told.append, kind=StubReplica)
        except Exception as error:
            failure.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        end = time.monotonic() + 60
        while len(told) < 2 and not failure and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1.0)
        desk = Desk(TeacherConfig(model="serve", registry=place), tmp_path / "log", Talk(quiet=True))
        urls = desk.urls()
        assert (sorted(urls), desk.served_name) == (sorted(told), "serve")
        answered, shares = ask_all(urls, tmp_path / "journal", 100)
        assert answered == 100
        assert min(shares) > 20
    finally:
        stop.set()
        thread.join(90)
    assert failure == []
    assert not any(map(answers, told))
    with pytest.raises(SetupError, match="there is no"):
        Registry(place).read()


def test_two_replicas_are_found_by_their_register_and_ended_without_a_trace(tmp_path, monkeypatch):
    ray = ThreadsAsRay()
    monkeypatch.setattr("ray_jobs.replicas.connect", lambda config: ray)
    serve_and_ask(tmp_path)
    assert ray.killed == 2


@pytest.mark.ray
def test_on_a_real_ray_too(on_ray, tmp_path):
    serve_and_ask(tmp_path)


def test_each_replica_asks_for_its_group_of_gpus_and_one_that_cannot_start_says_why(monkeypatch):
    ray = ThreadsAsRay(gpus=8)
    monkeypatch.setattr("ray_jobs.replicas.connect", lambda config: ray)
    order = ReplicaOrder("die", ("--tensor-parallel-size", "2"))
    with pytest.raises(SetupError, match="vLLM"):
        serve_replicas(order, 2, threading.Event(), kind=StubReplica, told=lambda url: None)
    assert [item["num_gpus"] for item in ray.asked] == [2]
    assert ray.killed == 2, "the other was left behind"


def test_a_register_that_nobody_keeps_any_more_is_refused(tmp_path, monkeypatch):
    place = f"{tmp_path}/stub.json"
    Registry(place).keep("m", ["http://127.0.0.1:1/v1"])
    assert Registry(place).read() == ("m", ("http://127.0.0.1:1/v1",))
    old = orjson.loads((tmp_path / "stub.json").read_bytes()) | {"renewed": time.time() - STALE_S - 1}
    (tmp_path / "stub.json").write_bytes(orjson.dumps(old))
    with pytest.raises(SetupError, match="last renewed"):
        Registry(place).read()


def test_the_gpus_of_a_replica_are_those_that_its_flags_ask_for():
    assert gpu_group(()) == 1
    assert gpu_group(("--tensor-parallel-size", "2")) == 2
    assert gpu_group(("--tensor-parallel-size=2", "-pp", "4", "--max-num-seqs", "64")) == 8
