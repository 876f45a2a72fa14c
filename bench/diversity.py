"""Do the axes make texts differ? The library's topics, readers, manners and openings beside one fixed prompt.

Two prompts are drawn from again and again: `plain` is the sentence that one would write by hand, with a topic of the plan;
`fixed` is one of the library's own prompts, whose topic, reader, manner and opening stay as they are.
`python -m bench.diversity` has the embedded teacher write 200 documents an arm and seed, cut to equal tokens, and prints
the measures of `generator.diversity` with a 95 % t-interval over the seeds. Replies are kept in `--folder`: a run that
`--minutes` stopped goes on when the command is given again, and one that is complete starts no server.

Texts differ for two reasons: what is asked for, and the dice. At `--temperature .8` a teacher of 135 million parameters never
says the same twice whatever it is asked, so the axes have nothing to add; at .2 what is left is what they do.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.arms import Queue
from corpus.ids import digest, seed_from
from corpus.store import open_store
from generator.config import GenerateConfig
from generator.diversity import GRAM, OPENING, Measures, measure
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.parse import trim_to_sentence
from generator.plan import plan_slots
from generator.reply import Outcome, Reply
from generator.request import Request, make_request
from generator.server import VllmServer
from generator.teacher_config import ServerConfig, TeacherConfig
from prompts.library import load_library
from ray_jobs.cluster import cache_folder
from ray_jobs.crew import LocalCrew
from ray_jobs.stages.generate import JOURNAL, stored_outcomes

OUT = Path(__file__).parent / "out"
ARMS = ("plain", "fixed", "axes")
PLAIN = "Write a section of a textbook about {topic}."
T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}  # two-sided 95 %, by degrees of freedom
AIMS = {"opening": 0.5, "distinct": 0.10, "compression": 0.85}  # at most, at least, at most
Requests = Mapping[tuple[str, int], Sequence[Request]]
# What suits so small a teacher, as in recipes/demo.yaml.
PLAN = {
    "domains": ("algorithms", "biology", "economics", "history", "mathematics", "physics", "python", "reasoning"),
    "forms": ("textbook_section", "worked_example", "questions_answers", "misconception", "story"),
    "audiences": ("child", "school", "college", "self-taught"),
    "words": (70, 120),
}


def requests_of(documents: int, seeds: int, tokens: int, temperature: float) -> Requests:
    """By arm and seed. The fixed prompt is the first of the plan, another one for each seed, drawn again and again."""
    library, teacher = load_library(), TeacherConfig(concurrency=96, temperature=temperature)
    found: dict[tuple[str, int], list[Request]] = {}
    for seed in range(1, seeds + 1):
        config = GenerateConfig(documents=documents, max_tokens=tokens, **PLAN)
        slots = plan_slots(config, library, seed)
        found["axes", seed] = [make_request(slot, 0, library, teacher, config, seed) for slot in slots]
        plain = replace(
            found["axes", seed][0], messages=({"role": "user", "content": PLAIN.format(topic=slots[0].cell.topic)},)
        )
        found["plain", seed] = [_again(plain, seed, number, "plain") for number in range(documents)]
        found["fixed", seed] = [_again(found["axes", seed][0], seed, number) for number in range(documents)]
    return found


def _again(request: Request, seed: int, number: int, arm: str = "") -> Request:
    name = digest("bench", request.key, number, *filter(None, [arm]))
    return replace(request, key=name, seed=seed_from("bench", seed, number))


def ask(missing: Sequence[Request], folder: Path, minutes: float) -> None:
    """Ask for what has no reply yet, and stop after `minutes`."""
    stopping = threading.Event()
    teacher = ensure_embedded_teacher(cache_folder())
    with tempfile.TemporaryDirectory() as logs:
        config = ServerConfig(max_num_seqs=64, max_model_len=2048)
        with VllmServer(str(teacher), SERVED_NAME, config, Path(logs) / "vllm.log") as server:
            url = server.start().wait_ready()
            timer = threading.Timer(minutes * 60, stopping.set)
            timer.start()
            crew = LocalCrew(TeacherConfig(concurrency=96), (url,), SERVED_NAME, str(folder / JOURNAL))
            crew.ask(Queue(missing), lambda outcomes: None, stopping)
            timer.cancel()
            crew.close()


def texts_at_equal_tokens(requests: Requests, replies: Mapping[str, Outcome]) -> dict[tuple[str, int], list[str]]:
    """Whole texts, the first of each arm until the arms of a seed have as many tokens as the shorter of them has."""
    found = {}
    for arm, seed in requests:
        budget = min(sum(_tokens(replies[one.key]) for one in requests[other, seed]) for other in ARMS)
        texts, spent = [], 0
        for request in requests[arm, seed]:
            reply = replies[request.key]
            spent += _tokens(reply)
            if spent > budget:
                break
            assert isinstance(reply, Reply)
            texts.append(trim_to_sentence(reply.text) or reply.text)
        found[arm, seed] = texts
    return found


def _tokens(outcome: Outcome) -> int:
    return outcome.completion_tokens if isinstance(outcome, Reply) else 0


def compared(found: Mapping[tuple[str, int], Measures], against: str) -> dict[str, list[float]]:
    """One figure a seed: ratio of opening shares, difference of distinct n-grams, ratio of compression ratios."""
    pairs = [(found["axes", seed], found[against, seed]) for arm, seed in found if arm == "axes"]
    return {
        "opening": [axes.opening_share / fixed.opening_share for axes, fixed in pairs],
        "distinct": [axes.distinct - fixed.distinct for axes, fixed in pairs],
        "compression": [axes.compression / fixed.compression for axes, fixed in pairs],
    }


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95 % t-interval."""
    mean = statistics.fmean(values)
    reach = T_975[len(values) - 1] * statistics.stdev(values) / len(values) ** 0.5
    return mean, mean - reach, mean + reach


def told(found: Mapping[tuple[str, int], Measures]) -> None:
    """Print the measures of every arm as a person reads them."""
    for (arm, seed), one in sorted(found.items()):
        print(f"seed {seed} {arm:5} {one.texts} texts, {one.words:,} words: opening {one.opening_share:.3f} "
              f"({one.opening!r}), distinct-{GRAM} {one.distinct:.3f}, compression {one.compression:.2f}, "
              f"skeleton {one.skeleton_share:.3f}")  # fmt: skip


def judged(against: str, figures: Mapping[str, Sequence[float]]) -> dict[str, bool]:
    """Print the comparison with an arm; whether each mean reaches its aim."""
    titles = {
        "opening": f"share of the most common {OPENING}-word opening, axes / {against}, at most",
        "distinct": f"distinct-{GRAM}, axes - {against}, at least",
        "compression": f"compression ratio, axes / {against}, at most",
    }
    reached = {}
    for name, values in figures.items():
        mean, low, high = interval(values)
        reached[name] = mean >= AIMS[name] if name == "distinct" else mean <= AIMS[name]
        print(f"{titles[name]} {AIMS[name]}: {mean:.3f} (95 % t over {len(values)} seeds: {low:.3f} to {high:.3f})"
              f" {'reached' if reached[name] else 'NOT reached'}")  # fmt: skip
    return reached


def main() -> None:
    """Ask for what is missing, then compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=200, help="an arm and seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=96, help="limit of a reply")
    parser.add_argument("--temperature", type=float, default=0.8, help="low: only the prompt makes texts differ")
    parser.add_argument("--minutes", type=float, default=4.0, help="asking stops after that; give the command again")
    parser.add_argument("--folder", type=Path, default=OUT / "diversity", help="where the replies are kept")
    options = parser.parse_args()
    requests = requests_of(options.documents, options.seeds, options.tokens, options.temperature)
    store = open_store(options.folder)
    wanted = [request for seed in range(1, options.seeds + 1) for arm in ARMS for request in requests[arm, seed]]
    missing = [request for request in wanted if not isinstance(stored_outcomes(store).get(request.key), Reply)]
    if missing:
        ask(missing, options.folder, options.minutes)
    replies = stored_outcomes(store)
    left = sum(not isinstance(replies.get(request.key), Reply) for request in wanted)
    if left:
        raise SystemExit(f"{left:,} of {len(wanted):,} replies are missing; give the command again")
    found = {key: measure(texts) for key, texts in texts_at_equal_tokens(requests, replies).items()}
    told(found)
    figures = {arm: compared(found, arm) for arm in ARMS if arm != "axes"}
    reached = {arm: judged(arm, values) for arm, values in figures.items()}
    (OUT / "diversity.json").write_text(json.dumps({"figures": figures, "reached": reached}, indent=1))
    raise SystemExit(0 if all(reached["plain"].values()) else 1)


if __name__ == "__main__":
    main()
