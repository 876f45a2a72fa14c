"""Reads the log of a vLLM that died while starting: the cause in one line, and what to do about it."""

from __future__ import annotations

import re
import signal

from corpus.errors import SetupError

TAIL = 200_000  # characters of the log that are looked at
SHOWN = 300  # characters of an error line that are shown
PREFIX = re.compile(r"^\((?:APIServer|EngineCore|Worker)[^)]*\)\s*|^(?:ERROR|CRITICAL) [\d-]+ [\d:]+ \[[^\]]*\]\s*")
ERROR = re.compile(r"^(?:[\w.]*(?:Error|Exception)\b.*|(?:vllm|api_server\.py)\b.*: error: .*)$")
CAUSES = (
    (
        re.compile(r"address already in use|Errno 98", re.I),
        "the port is in use",
        "set teacher.server.port to 0 for a free one",
    ),
    (
        re.compile(
            r"out of memory|MemoryError|bad_alloc|cannot allocate|can't allocate|not enough memory"
            r"|no available memory|larger than the available KV cache|less than desired",
            re.I,
        ),
        "the memory does not hold the model and its cache",
        "lower teacher.server.kv_space_gib, max_num_seqs or max_model_len",
    ),
    (
        re.compile(r"max_model_len .*greater than the derived", re.I),
        "the model's context is shorter than asked",
        "lower teacher.server.max_model_len",
    ),
    (
        re.compile(
            r"Invalid repository ID|not a local folder|no file named|not supported for now|unrecognized model", re.I
        ),
        "the model was not found, or is none that vLLM serves",
        "teacher.model must be a folder with a checkpoint, or a model's name",
    ),
    (
        re.compile(r"unrecognized arguments|: error: ", re.I),
        "vLLM does not know one of its flags",
        "check teacher.server.extra",
    ),
)


def explain(log: str, code: int | None, where: str) -> SetupError:
    """The error to raise for a server that ended with `code` (negative: by a signal); `where` is the log's path."""
    errors = error_lines(log)
    for pattern, cause, hint in CAUSES:
        told = next((line for line in errors if pattern.search(line)), None)
        if told is not None:
            return SetupError(f"vLLM did not start: {cause} ({told[:SHOWN]})", hint=f"{hint}; its log: {where}")
    if code == -signal.SIGKILL:
        return SetupError(
            "vLLM was killed while starting, most likely because the machine ran out of memory",
            hint=f"lower teacher.server.kv_space_gib; its log: {where}",
        )
    last = errors[-1][:SHOWN] if errors else "it named no error"
    return SetupError(f"vLLM ended with code {code} while starting: {last}", hint=f"its log: {where}")


def error_lines(log: str) -> list[str]:
    """The lines that name an error, without their prefixes; an engine's own error before the one that reports it."""
    found = []
    for line in log[-TAIL:].split("\n"):
        while (shorter := PREFIX.sub("", line, count=1)) != line:
            line = shorter
        if ERROR.match(line.strip()):
            found.append(line.strip())
    return found
