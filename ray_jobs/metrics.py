"""What a run is doing, as a page that Prometheus reads: off unless `run.metrics_port` is set, on loopback only.

The page lives as long as the teacher is asked. Counts are of this process's life, as Prometheus expects.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from corpus.errors import SetupError
from generator.reply import Outcome, Reply

HOST = "127.0.0.1"
BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
CONTENT = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts of one run, fed by whoever asks the teacher and read by the page; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()  # by endpoint and outcome
        self._tokens: Counter[str] = Counter()
        self._seconds: dict[str, list[int]] = {}  # by endpoint, a count for each bucket and one beyond
        self._spent_s: Counter[str] = Counter()
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        """Help text and value by name; asked when the page is."""
        self.verdicts: Callable[[], Mapping[str, int]] = dict
        """Attempts by reason, `kept` among them."""

    def seen(self, outcomes: Sequence[Outcome]) -> None:
        """Take note of outcomes as they come."""
        with self._lock:
            for outcome in outcomes:
                if isinstance(outcome, Reply):
                    self._replied(outcome)
                else:
                    self._requests["", outcome.reason] += 1

    def _replied(self, reply: Reply) -> None:
        self._requests[reply.endpoint, reply.finish_reason] += 1
        self._tokens["prompt"] += reply.prompt_tokens
        self._tokens["completion"] += reply.completion_tokens
        buckets = self._seconds.setdefault(reply.endpoint, [0] * (len(BUCKETS_S) + 1))
        buckets[bisect_left(BUCKETS_S, reply.seconds)] += 1
        self._spent_s[reply.endpoint] += reply.seconds  # type: ignore[assignment]

    def page(self) -> str:
        """Prometheus' text format."""
        with self._lock:
            requests = [_line("hornbook_requests_total", count, endpoint=endpoint, outcome=outcome)
                        for (endpoint, outcome), count in sorted(self._requests.items())]  # fmt: skip
            tokens = [_line("hornbook_tokens_total", count, kind=kind) for kind, count in sorted(self._tokens.items())]
            seconds = [line for endpoint in sorted(self._seconds) for line in self._histogram(endpoint)]
        verdicts = [
            _line("hornbook_attempts_total", count, reason=reason) for reason, count in sorted(self.verdicts().items())
        ]
        parts = [
            *_told(
                "hornbook_requests_total",
                "counter",
                "Requests that ended, by endpoint and finish or failure.",
                requests,
            ),
            *_told("hornbook_tokens_total", "counter", "Tokens of prompts and of replies.", tokens),
            *_told("hornbook_attempts_total", "counter", "Attempts at slots by what became of them.", verdicts),
            *_told("hornbook_request_seconds", "histogram", "From sending to the last byte of a reply.", seconds),
        ]
        for name, (text, value) in self.gauges.items():
            parts += _told(name, "gauge", text, [_line(name, value())])
        return "\n".join(parts) + "\n"

    def _histogram(self, endpoint: str) -> Iterator[str]:
        total = 0
        for limit, count in zip([*map(str, BUCKETS_S), "+Inf"], self._seconds[endpoint], strict=True):
            total += count
            yield _line("hornbook_request_seconds_bucket", total, endpoint=endpoint, le=limit)
        yield _line("hornbook_request_seconds_sum", round(self._spent_s[endpoint], 3), endpoint=endpoint)
        yield _line("hornbook_request_seconds_count", total, endpoint=endpoint)


@contextmanager
def served(metrics: Metrics, port: int | None) -> Iterator[int | None]:
    """Serve the page at http://127.0.0.1:PORT/metrics; without a port, nothing. Yields the port.

    Raises `SetupError` when the port is taken.
    """
    if port is None:
        yield None
        return

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = metrics.page().encode() if self.path == "/metrics" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", CONTENT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A scrape is no news."""

    try:
        server = ThreadingHTTPServer((HOST, port), Page)
    except OSError as error:
        raise SetupError(f"run.metrics_port: {port} cannot be used: {error.strerror}", hint="choose another") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _told(name: str, kind: str, text: str, lines: Sequence[str]) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *lines]


def _line(name: str, value: float, **labels: str) -> str:
    told = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
    return f"{name}{{{told}}} {value}" if told else f"{name} {value}"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
