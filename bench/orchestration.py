"""Is the teacher kept full, and at what cost? Hornbook's asking actors on Ray beside a bare asyncio loop.

`python -m bench.orchestration` starts the embedded teacher on vLLM and runs, in interleaved rounds, the same number of
requests through both; the server's own metrics say how many it ran at each moment. Then both ask an endpoint that
answers at once, so that only the client's processor time is left. Results: stdout, and `bench/out/orchestration.json`.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.arms import BareLoop, HornbookCrew, requests_of
from bench.client_cost import cost_table
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.server import VllmServer
from generator.server_metrics import parse_metrics, read_page
from generator.teacher_config import ServerConfig, TeacherConfig
from ray_jobs.cluster import cache_folder

POLL_S = 0.1
OUT = Path(__file__).parent / "out" / "orchestration.json"
# Student's t, two-sided 95 %, for 1, 2, 3 … degrees of freedom.
T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
         2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """The server's gauges at one moment, and the requests finished and tokens generated since it began.

    `at` is of the monotonic clock.
    """

    running: int
    waiting: int
    finished: float
    tokens: int = 0
    at: float = 0.0


class Watch:
    """Polls a server's metrics page while an arm works."""

    def __init__(self, url: str) -> None:
        self._url, self._over, self.looks = url, threading.Event(), []  # type: str, threading.Event, list[Look]
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._over.wait(POLL_S):
            page = read_page(self._url, "/metrics").decode()
            seen = parse_metrics(page)
            self.looks.append(
                Look(seen.running, seen.waiting, _finished(page), seen.generated_tokens, time.monotonic())
            )


def _finished(page: str) -> float:
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith("vllm:request_success_total")
    )


@dataclass(frozen=True)
class Fullness:
    """Looks between ramp and drain: from the first full one until fewer requests are left than the server runs.

    vLLM sets its gauge at the end of a step, without the requests that ended in it, and fills their places from its
    own queue as the next step begins. So `running` is below the maximum in every step that ends a reply, whoever
    asks; the server lacks work only where running and queued together are too few.
    """

    looks: int
    running: int
    supplied: int
    mean_running: float


def fullness(looks: Sequence[Look], requests: int, most: int) -> Fullness:
    """`most`: how many the server runs at once."""
    start = looks[0].finished if looks else 0.0
    first = next((place for place, look in enumerate(looks) if look.running >= most), len(looks))
    middle = [look for look in looks[first:] if requests - (look.finished - start) > most]
    running = sum(look.running >= most for look in middle)
    supplied = sum(look.running + look.waiting >= most for look in middle)
    mean = statistics.fmean(look.running for look in middle) if middle else 0.0
    return Fullness(len(middle), running, supplied, mean)


def interval(ratios: Sequence[float]) -> tuple[float, float, float]:
    """Geometric mean and its 95 % t-interval."""
    logs = [math.log(ratio) for ratio in ratios]
    mean, spread = statistics.fmean(logs), statistics.stdev(logs) / math.sqrt(len(logs))
    reach = T_975[min(len(logs) - 1, len(T_975)) - 1] * spread
    return math.exp(mean), math.exp(mean - reach), math.exp(mean + reach)


def rounds(url: str, options: argparse.Namespace) -> dict[str, object]:
    """Interleaved rounds on a served teacher; each arm goes first in every other round."""
    config = TeacherConfig(concurrency=options.window)
    with tempfile.TemporaryDirectory() as journal:
        arms = {"hornbook": HornbookCrew(config, url, SERVED_NAME, journal), "bare": BareLoop(url, options.window)}
        for number, arm in enumerate(arms.values()):  # connections, first compilations
            arm.ask(requests_of(range(-16 * (number + 1), -16 * number), 8, SERVED_NAME))
        rates: dict[str, list[float]] = {name: [] for name in arms}
        looks: dict[str, list[Fullness]] = {name: [] for name in arms}
        begun = 0
        for turn in range(options.rounds):
            for name in list(arms) if turn % 2 == 0 else list(reversed(arms)):
                batch = requests_of(range(begun, begun + options.requests), options.tokens, SERVED_NAME)
                begun += options.requests
                with Watch(url) as watch:
                    start = time.monotonic()
                    tokens = arms[name].ask(batch)
                    rates[name].append(tokens / (time.monotonic() - start))
                looks[name].append(fullness(watch.looks, options.requests, options.seqs))
            print(
                f"round {turn + 1}: " + ", ".join(f"{name} {rates[name][-1]:.0f} tokens/s" for name in arms), flush=True
            )
        for arm in arms.values():
            arm.close()
    ratio = interval([a / b for a, b in zip(rates["hornbook"], rates["bare"], strict=True)])
    return {
        "rates": rates,
        "ratio": ratio,
        "fullness": {name: [asdict(x) for x in found] for name, found in looks.items()},
    }


def told(result: dict, options: argparse.Namespace) -> None:
    """The figures as a person reads them."""
    for name, found in result["fullness"].items():
        looks, running, supplied = (sum(item[key] for item in found) for key in ("looks", "running", "supplied"))
        mean = sum(item["mean_running"] * item["looks"] for item in found) / max(1, looks)
        print(f"{name:9} of {looks:,} looks between ramp and drain {supplied / max(1, looks):.1%} found work for all "
              f"{options.seqs} places (gauge of running alone: {running / max(1, looks):.1%}), {mean:.2f} running on average")  # fmt: skip
    mean, low, high = result["ratio"]
    print(f"tokens/s, hornbook / bare, {options.rounds} paired rounds: {mean:.3f} (95 %: {low:.3f} to {high:.3f})")


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--requests", type=int, default=96, help="a round and arm")
    parser.add_argument("--tokens", type=int, default=64, help="limit of a reply")
    parser.add_argument("--seqs", type=int, default=32, help="requests that the server runs at once")
    parser.add_argument("--window", type=int, default=48, help="requests in flight")
    parser.add_argument("--client-requests", type=int, default=5000)
    options = parser.parse_args()
    result: dict = {"options": vars(options), "client": cost_table(options.client_requests)}
    folder = ensure_embedded_teacher(cache_folder())
    with tempfile.TemporaryDirectory() as logs:
        config = ServerConfig(max_num_seqs=options.seqs)
        with VllmServer(str(folder), SERVED_NAME, config, Path(logs) / "vllm.log") as server:
            result |= rounds(server.start().wait_ready(), options)
    told(result, options)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
