"""The metrics page is Prometheus' text format, on loopback only; the live view is a panel on a terminal and lines elsewhere."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from corpus.errors import SetupError
from generator.reply import Failure, Reply
from ray_jobs.drive import run
from ray_jobs.metrics import Metrics, served
from ray_jobs.panel import Panel
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.conftest import fake, recipe, tokenizer  # noqa: F401 - fixtures

ENDPOINT = 'http://a/v1"\\odd'


def reply(seconds: float) -> Reply:
    return Reply("k", "text", "stop", 10, 5, "m", seconds, ENDPOINT)


def samples(page: str) -> dict[tuple[str, ...], float]:
    """Every sample by name and label values, read by Prometheus' own parser."""
    return {
        (item.name, *item.labels.values()): item.value
        for family in text_string_to_metric_families(page)
        for item in family.samples
    }


def get(port: int | None, path: str = "/metrics") -> str:
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read().decode()


def test_the_page_counts_what_it_was_told() -> None:
    metrics = Metrics()
    metrics.seen([reply(0.2), reply(0.25), reply(400.0), Failure("k", "stalled", "", True, 2)])
    metrics.verdicts = lambda: {"kept": 3, "language": 2}
    metrics.gauges["hornbook_queue"] = ("Waiting.", lambda: 7)
    found = samples(metrics.page())
    assert found["hornbook_requests_total", ENDPOINT, "stop"] == 3
    assert found["hornbook_requests_total", "", "stalled"] == 1
    assert (found["hornbook_tokens_total", "prompt"], found["hornbook_tokens_total", "completion"]) == (30, 15)
    assert (found["hornbook_attempts_total", "kept"], found["hornbook_attempts_total", "language"]) == (3, 2)
    assert found["hornbook_request_seconds_bucket", ENDPOINT, "0.25"] == 2
    assert (
        found["hornbook_request_seconds_bucket", ENDPOINT, "+Inf"]
        == found["hornbook_request_seconds_count", ENDPOINT]
        == 3
    )
    assert found["hornbook_request_seconds_sum", ENDPOINT] == pytest.approx(400.45)
    assert found["hornbook_queue",] == 7


def test_it_is_served_on_loopback_while_it_lasts_and_not_at_all_by_default() -> None:
    with served(Metrics(), None) as port:
        assert port is None
    with served(Metrics(), 0) as port:
        assert "hornbook_tokens_total" in get(port)
        with pytest.raises(urllib.error.HTTPError):
            get(port, "/other")
        with pytest.raises(SetupError, match="metrics_port"), served(Metrics(), port):
            pass
    with pytest.raises(urllib.error.URLError):
        get(port)
    assert not [thread for thread in threading.enumerate() if thread.name == "metrics"]


class Watched(Talk):
    """Reads the page whenever there is progress."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.port: int | None = None
        self.pages: list[str] = []

    def say(self, text: str) -> None:
        if found := re.search(r"127\.0\.0\.1:(\d+)/metrics", text):
            self.port = int(found[1])

    def step(self, name, done, total, unit, **more) -> None:  # type: ignore[no-untyped-def]
        if name == "generate":
            self.pages.append(get(self.port))
            self.facts = dict(more["facts"])


def test_a_run_tells_prometheus_and_the_person_who_waits_the_same(recipe: Path) -> None:  # noqa: F811
    talk = Watched()
    run(resolve(str(recipe), ["run.metrics_port=0"], {}).recipe, until="generate", talk=talk)
    found = samples(talk.pages[-1])
    replies = sum(value for (name, *_), value in found.items() if name == "hornbook_requests_total")
    attempts = {key[1]: value for key, value in found.items() if key[0] == "hornbook_attempts_total"}
    assert replies >= 24
    assert found["hornbook_in_flight",] == found["hornbook_queue",] == 0
    assert {"kept", "in flight", "queue"} <= set(talk.facts)
    assert all(int(talk.facts[reason]) == count for reason, count in attempts.items() if reason in talk.facts)
    assert any(samples(page)["hornbook_in_flight",] > 0 for page in talk.pages)


def test_the_panel_shows_values_as_text_and_leaves_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    seen = io.StringIO()
    panel = Panel(Console(file=seen, force_terminal=True, width=80))
    panel.show("generate · 0:07", 0.5, [("replies", "5 of 10"), ("[bold]odd[/bold]", "1")])
    assert "[bold]odd[/bold]" in seen.getvalue()
    assert "5 of 10" in seen.getvalue()
    assert not re.search(r"\x1b\[(3|4|9)[0-9]", seen.getvalue()), "a colour in spite of NO_COLOR"
    panel.stop()
    assert seen.getvalue().rstrip().endswith("\x1b[2K"), "the panel is erased"


def read_all(leader: int) -> str:
    """Everything that a terminal was sent, once its other end is closed."""
    shown = b""
    with contextlib.suppress(OSError):  # the end of a pseudo-terminal is an error on Linux
        while piece := os.read(leader, 1 << 16):
            shown += piece
    os.close(leader)
    return shown.decode()


@pytest.mark.parametrize("settings, panel", [({}, True), ({"TERM": "dumb"}, False), ({"CI": "1"}, False)])
def test_a_panel_needs_a_terminal(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], panel: bool) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    leader, follower = os.openpty()
    with os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        talk = Talk()
        with talk.stage("generate", "asking"):
            talk.step(
                "generate", 3, 10, "replies", rate=1.5, note="90 tokens/s", facts=[("kept", "2"), ("language", "1")]
            )
        terminal.flush()
        monkeypatch.undo()
    shown = read_all(leader)
    assert ("╭" in shown) == panel
    assert all(part in shown for part in ("90 tokens/s", "kept", "language", "0:04"))


def test_plain_lines_where_nobody_watches(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray_jobs.talk.PLAIN_EVERY_S", 0.0)
    Talk().step("generate", 3, 10, "replies", rate=1.5, note="90 tokens/s", facts=[("kept", "2")])
    assert (
        capsys.readouterr().err.strip()
        == "0:00  generate   3/10 replies, 1.5 replies/s, 0:04 left, 90 tokens/s, kept 2"
    )
