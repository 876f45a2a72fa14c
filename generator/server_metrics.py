"""What a vLLM server says of its own work, by its /metrics page; and whether it still does any.

Health is not progress: an engine may hang while its health page says 200 (vllm-project/vllm issue 39863).
"""

from __future__ import annotations

import math
import re
import time
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

LINE = re.compile(r"^vllm:(\w+)(?:\{[^}]*\})? (\S+)$", re.M)
PAGE_BYTES = 4 << 20
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy lies between us and this machine


@dataclass(frozen=True, slots=True)
class ServerMetrics:
    """Gauges and counters of one server, summed over its engines. `cache_use` is a share of the key-value cache;
    of the `prefix_queries` tokens of prompts, `prefix_hits` were found there and not computed again."""

    running: int
    waiting: int
    prompt_tokens: int
    generated_tokens: int
    preemptions: int
    cache_use: float
    prefix_queries: int = 0
    prefix_hits: int = 0


def parse_metrics(page: str) -> ServerMetrics:
    """The page's numbers; 0 for those it lacks."""
    totals: dict[str, float] = {}
    for name, value in LINE.findall(page):
        try:
            number = float(value)
        except ValueError:
            continue
        totals[name] = totals.get(name, 0.0) + (number if math.isfinite(number) else 0.0)
    return ServerMetrics(
        running=int(totals.get("num_requests_running", 0)),
        waiting=int(totals.get("num_requests_waiting", 0)),
        prompt_tokens=int(totals.get("prompt_tokens_total", 0)),
        generated_tokens=int(totals.get("generation_tokens_total", 0)),
        preemptions=int(totals.get("num_preemptions_total", 0)),
        cache_use=totals.get("kv_cache_usage_perc", 0.0),
        prefix_queries=int(totals.get("prefix_cache_queries_total", 0)),
        prefix_hits=int(totals.get("prefix_cache_hits_total", 0)),
    )


def read_page(url: str, path: str, timeout_s: float = 2.0) -> bytes:
    """A page of the server that has its API at `url`, whatever the API's own path. Raises `OSError`."""
    parts = urlsplit(url)
    with _DIRECT.open(f"{parts.scheme}://{parts.netloc}{path}", timeout=timeout_s) as answer:
        return bytes(answer.read(PAGE_BYTES))


def read_metrics(url: str, timeout_s: float = 2.0) -> ServerMetrics:
    """The metrics of the server at `url`. Raises `OSError` when it does not answer."""
    return parse_metrics(read_page(url, "/metrics", timeout_s).decode("utf-8", "replace"))


class ProgressWatch:
    """Tells a server that works from one that only says so: requests run, and for `stall_s` no token was made."""

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._work = -1
        self._since = 0.0

    def stuck(self, seen: ServerMetrics | None, now: float | None = None) -> bool:
        """Take in a look at the metrics (None: no answer) at `now` (monotonic); whether progress has stopped."""
        now = time.monotonic() if now is None else now
        work = seen.prompt_tokens + seen.generated_tokens if seen else self._work
        idle = seen is not None and seen.running + seen.waiting == 0
        if idle or work != self._work or not self._since:
            self._work, self._since = work, now
            return False
        return now - self._since > self._stall_s
