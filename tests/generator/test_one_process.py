"""When the model of a CPU server shares the engine's process, and with which settings."""

from __future__ import annotations

import pytest

import generator.server as module
from generator.one_process import FEW, cores, runs_in_one_process
from generator.server import VllmServer
from generator.teacher_config import ServerConfig


@pytest.mark.parametrize("count, shared", [(1, True), (FEW, True), (FEW + 1, False)])
def test_only_a_machine_with_few_cores_gives_the_model_the_engines_process(count, shared):
    assert runs_in_one_process((), count) is shared


@pytest.mark.parametrize(
    "extra",
    [("--distributed-executor-backend", "mp"), ("--distributed-executor-backend=ray",), ("-tp", "2"), ("-dp=2",)],
)
def test_a_user_who_asks_for_several_processes_gets_them(extra):
    assert not runs_in_one_process(extra, 2)


def test_flags_and_environment_go_together_and_openmp_gets_every_core(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "is_cpu_build", lambda: True)
    monkeypatch.setattr("generator.one_process.cores", lambda: 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    server = VllmServer("m", "m", ServerConfig(), tmp_path / "log")
    assert server.flags()[-2:] == ["--distributed-executor-backend", "uni"]
    assert server.environment()["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    assert server.environment()["OMP_NUM_THREADS"] == "2"
    assert server.environment()["GOMP_SPINCOUNT"] == "20000", "threads that spin on starve beside a busy process"
    spread = VllmServer("m", "m", ServerConfig(extra=("--tensor-parallel-size", "2")), tmp_path / "log")
    assert "uni" not in spread.flags()
    assert not {"VLLM_ENABLE_V1_MULTIPROCESSING", "OMP_NUM_THREADS"} & set(spread.environment())


def test_a_gpu_server_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "is_cpu_build", lambda: False)
    server = VllmServer("m", "m", ServerConfig(), tmp_path / "log")
    assert "uni" not in server.flags()
    assert "OMP_NUM_THREADS" not in server.environment()


def test_at_least_one_core_is_counted():
    assert cores() >= 1
