"""Manifests as a run of the demo's size leaves them, made of seeded numbers: for tests and for drawing with."""

from __future__ import annotations

import numpy as np

from corpus import facts
from corpus.ids import digest
from corpus.manifest import Balance, Manifest
from corpus.shards import Partition

DOMAINS = ["Arithmetic", "The water cycle", "Plants and soil", "Simple machines", "Python basics", "Lists and loops"]
FORMS = ["textbook section", "worked exercise", "dialogue", "code lesson"]
ARMS = {"raw": 2.31, "filtered": 2.19, "filtered_synthetic": 2.14}
SENTENCE = "water moves through soil because each root pulls a little of it toward the leaf and then lets it go"
WORDS = SENTENCE.split()


def manifests(seed: int = 7) -> dict[str, Manifest]:
    """Six stages in the order they ran; every balance holds."""
    draw = np.random.default_rng(seed)
    made = [
        _stage(
            "read",
            [],
            Balance(made=5213, kept=4988, rejected=225),
            _read(draw),
            21.4,
            reasons={"not_text": 113, "undecodable": 61, "too_long": 51},
        ),
        _stage(
            "generate",
            [],
            Balance(made=168, kept=142, rejected=26),
            _generate(draw),
            212.8,
            reasons={"truncated": 12, "loop": 7, "too_short": 5, "refusal": 2},
        ),
        _stage("score", ["read"], Balance(taken=4988, kept=4988), {}, 12.0),
        _stage(
            "filter",
            ["read", "score", "generate"],
            Balance(taken=5130, kept=3051, rejected=2079),
            _filter(draw),
            38.1,
            reasons={
                "near_duplicate": 902,
                "gopher.words": 431,
                "language": 266,
                "quality": 231,
                "exact_duplicate": 118,
                "c4.curly": 74,
                "secret": 36,
                "personal_data": 21,
            },
        ),
        _stage(
            "blend",
            ["filter"],
            Balance(taken=3051, repeated=130, kept=2441, unused=740),
            _blend(),
            3.2,
            reasons={"budget": 611, "held_out": 129},
        ),
        _stage("student", ["blend"], Balance(taken=2441, kept=2441), _student(draw), 148.0),
    ]
    return {manifest.stage: manifest for manifest in made}


def _stage(name: str, inputs: list[str], balance: Balance, found: dict, seconds: float, **more) -> Manifest:
    part = Partition(f"documents-{0:05d}.parquet", "documents", balance.kept, balance.kept * 1431, digest(name))
    return Manifest(
        name="demo",
        version="1",
        stage=name,
        fingerprint=digest("fp", name),
        inputs={i: digest("fp", i) for i in inputs},
        config={"documents": balance.kept, "teacher": {"model": "embedded", "api_key_env": "OPENAI_API_KEY"}},
        partitions=(part,),
        balance=balance,
        facts=found,
        code="3fa9c1d",
        seconds=seconds,
        created="2026-01-05T12:04:11Z",
        totals={"documents": balance.kept, "tokens": balance.kept * 412},
        dataset_hash=digest("data", name),
        licences={"Apache-2.0": balance.kept // 2, "MIT": balance.kept // 3, "PSF-2.0": balance.kept // 9},
        **more,
    )


def _read(draw: np.random.Generator) -> dict:
    groups = draw.choice(["web", "readme", "docstrings", "source code"], 4988, p=[0.1, 0.25, 0.45, 0.2])
    lengths = np.clip(draw.lognormal(5.1, 0.9, 4988), 8, 2400)
    return {"lengths": facts.histogram("Length of documents as read", "tokens", lengths, groups=groups)}


def _generate(draw: np.random.Generator) -> dict:
    want = [[7.0] * 3 + [None] for _ in DOMAINS[:4]] + [[7.0, 7.0, None, 7.0] for _ in DOMAINS[4:]]
    have = [[None if w is None else float(min(w, draw.integers(4, 10))) for w in row] for row in want]
    have[1][1] = 0.0
    return {
        "yield": facts.number("Yield of the teacher", 84.5, unit="% of replies kept"),
        "coverage": facts.grid("Documents kept, by domain and form", DOMAINS, FORMS, have, want),
        "diversity.templates": facts.table(
            "Diversity by template",
            ["template", "documents", "openings"],
            [["story.j2", 71, 0.04], ["glossary.j2", 71, 0.07]],
        ),
        "ledger": facts.table("What it cost", ["what", "forecast", "actual"], [["tokens", "31,000", "29,480"]]),
        "lengths": facts.histogram("Length of written documents", "words", draw.normal(231, 44, 142)),
        "requests": facts.counts("Requests by outcome", {"stop": 131, "length": 37, "retried": 9}),
        "samples.written": facts.samples(
            "As the teacher wrote it", [_sample(draw, i, form="dialogue") for i in range(2)]
        ),
    }


def _filter(draw: np.random.Generator) -> dict:
    verdicts = draw.choice(["kept", "rejected"], 5130, p=[0.6, 0.4])
    quality = np.where(verdicts == "kept", draw.beta(6, 3, 5130), draw.beta(2.4, 4, 5130))
    found = {
        "scores.quality": facts.histogram("Quality classifier", "score", quality, groups=verdicts),
        "scores.language": facts.histogram(
            "Language: English", "probability", draw.beta(14, 1.2, 5130), groups=verdicts
        ),
        "scores.symbols": facts.histogram("Symbols to words", "ratio", draw.gamma(1.4, 0.02, 5130), groups=verdicts),
        "scores.stop_words": facts.histogram("Stop words", "share of words", draw.beta(9, 20, 5130), groups=verdicts),
        "duplicates": facts.counts("Documents in groups of repeats", {"near": 902, "exact": 118}),
        "duplicates.jaccard": facts.histogram("How alike near repeats are", "Jaccard", draw.beta(9, 2, 902)),
        "duplicates.pairs": facts.table(
            "Nearest pairs",
            ["kept", "dropped", "Jaccard"],
            [[digest(i), digest("b", i), round(0.99 - i / 70, 3)] for i in range(5)],
        ),
        "samples.kept": facts.samples("Kept", [_sample(draw, i, verdict="kept") for i in range(8)]),
        "samples.rejected": facts.samples(
            "Rejected",
            [
                _sample(draw, i, verdict="rejected", reason=reason)
                for i, reason in enumerate(
                    ["near_duplicate", "gopher.words", "language", "quality", "secret", "c4.curly"]
                )
            ],
        ),
    }
    found["scores.quality"]["thresholds"] = {"keep above": 0.42}
    return found


def _blend() -> dict:
    rows = [["web", 2910, 1_172_300, 0.6, 0.71], ["synthetic", 141, 41_200, 0.4, 1.92]]
    return {
        "blend": facts.table(
            "Sources",
            ["source", "documents", "tokens", "weight", "epochs"],
            rows,
            caption="Epochs above 4 would mean that the student reads a source too often.",
        )
    }


def _student(draw: np.random.Generator) -> dict:
    steps = np.arange(1, 241)
    series = {
        arm: [(float(step * 4096), float(end + 5.8 / np.sqrt(step) + draw.normal(0, 0.03))) for step in steps]
        for arm, end in ARMS.items()
    }
    rows = [[arm, 983_040, end, round(end + 0.21, 3), "±0.03"] for arm, end in ARMS.items()]
    return {
        "arms": facts.table(
            "Held-out bits per byte, lower is better",
            ["arm", "tokens", "curated-like text", "raw-like text", "95 % interval"],
            rows,
            caption="A demo, not a proof: one seed, one tiny model and a few hundred thousand tokens.",
        ),
        "loss": facts.curves("Training loss", "tokens", "nats per token", series),
        "samples.student": facts.samples(
            "What the student writes", [_sample(draw, i, domain=arm) for i, arm in enumerate(ARMS)]
        ),
    }


def _sample(draw: np.random.Generator, index: int, **labels: str) -> dict:
    words = " ".join(draw.choice(WORDS, int(draw.integers(40, 260))))
    return {
        "id": digest("sample", index, sorted(labels)),
        "text": words.capitalize() + ".\n\n" + words[:180] + ".",
        "domain": DOMAINS[index % 6],
        "form": FORMS[index % 4],
        "score": round(float(draw.random()), 3),
    } | labels
