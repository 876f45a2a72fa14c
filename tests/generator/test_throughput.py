"""The pace of a full teacher is found among the filling and the emptying, for servers of both kinds."""

from __future__ import annotations

import heapq
import random

import pytest

from generator.throughput import Span, pace_of


def constant_latency(lengths: list[int], window: int, token_s: float) -> list[Span]:
    """A server that takes as long for a token whatever else it does."""
    free, spans = [0.0] * window, []
    for tokens in lengths:
        begun = heapq.heappop(free)
        spans.append(Span(begun, begun + tokens * token_s, tokens))
        heapq.heappush(free, begun + tokens * token_s)
    return spans


def constant_rate(lengths: list[int], window: int, rate: float) -> list[Span]:
    """A server that writes as many tokens a second however many share them."""
    waiting, running, now, spans = list(reversed(lengths)), [], 0.0, []
    while waiting or running:
        while waiting and len(running) < window:
            tokens = waiting.pop()
            running.append([float(tokens), tokens, now])
        step = min(item[0] for item in running)
        now += step * len(running) / rate
        for item in running:
            item[0] -= step
        spans += [Span(item[2], now, item[1]) for item in running if item[0] <= 0]
        running = [item for item in running if item[0] > 0]
    return spans


def lengths_of(count: int, seed: int) -> list[int]:
    draw = random.Random(seed)
    return [max(5, int(90 * draw.lognormvariate(0, 0.5))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("server", [constant_latency, constant_rate])
def test_a_pilot_of_four_windows_tells_how_long_a_run_of_forty_takes(server, seed: int) -> None:  # type: ignore[no-untyped-def]
    speed = 0.01 if server is constant_latency else 1000.0
    pace = pace_of(server(lengths_of(96, seed), 24, speed), 24)
    whole = lengths_of(960, seed + 100)
    actual = max(item.ended for item in server(whole, 24, speed))
    assert pace is not None
    assert pace.seconds(sum(whole)) == pytest.approx(actual, rel=0.15)
    assert pace.share > 0.6


def test_nothing_written_has_no_pace() -> None:
    assert pace_of([], 8) is None
    assert pace_of([Span(1.0, 1.0, 5), Span(1.0, 2.0, 0)], 8) is None


def test_replies_that_never_overlap_have_a_pace_too() -> None:
    pace = pace_of([Span(float(number), number + 1.0, 10) for number in range(20)], 8)
    assert pace is not None
    assert pace.rate == pytest.approx(10.0)
    assert pace.overhead_s == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_ends_that_are_seen_late_do_not_hide_when_the_teacher_was_full(seed: int) -> None:
    draw = random.Random(seed)
    spans = [
        Span(item.begun + late, item.ended + late, item.tokens)
        for item in constant_latency(lengths_of(96, seed), 24, 0.01)
        for late in [draw.choice((0.0, 0.05, 0.4))]
    ]
    pace = pace_of(spans, 24)
    assert pace is not None
    assert pace.share > 0.6
    assert pace.rate == pytest.approx(2400, rel=0.1)
