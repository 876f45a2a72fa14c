"""The card of a published student: its data, how it was made, its scores; computed from what stages wrote, never typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from corpus.manifest import Manifest
from corpus.markdown import escape, fact_text, number, table
from corpus.scrub import clean

LINEAGE = ("read", "clean", "score", "generate", "filter", "blend", "train", "evaluate")
QUOTED = ("blend", "arms", "student", "labels.used", "soft_labels")  # facts of the run that the card shows


def render_model_card(title: str, facts: Mapping[str, Any], manifests: Mapping[str, Manifest], licence: str) -> str:
    """The `README.md` of a model, its YAML header included.

    `facts`: `shape`, `training` and, where there are some, `teacher`, `compression` and `scores`, plain JSON each;
    `manifests`: of the run whose data it read, by stage.
    """
    parts = [_header(licence, facts), f"# {escape(title)}", _lead(facts, manifests), _figures("Shape", facts["shape"]),
             _figures("Training", facts["training"]), _lineage(manifests), *_quoted(manifests)]  # fmt: skip
    for name, told in (("teacher", "Soft labels"), ("compression", "Compression")):
        if facts.get(name):
            parts.append(_figures(told, facts[name]))
    if facts.get("scores"):
        parts.append(_scores(facts["scores"]))
    parts.append(_limits(bool(facts.get("scores")) or "evaluate" in manifests))
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(licence: str, facts: Mapping[str, Any]) -> str:
    values = {"license": licence.lower() if licence != "unknown" else "other", "library_name": "transformers",
              "pipeline_tag": "text-generation", "tags": ["hornbook", *(["compressed"] if facts.get("compression") else [])]}  # fmt: skip
    return f"---\n{yaml.safe_dump(values, sort_keys=False)}---"


def _lead(facts: Mapping[str, Any], manifests: Mapping[str, Manifest]) -> str:
    training = facts["training"]
    data = f" on the data of the run `{next(iter(manifests.values())).name}`" if manifests else ""
    return (f"A student of {number(training['parameters'])} parameters, trained{data} on {number(training['tokens'])} tokens "
            f"with Hornbook. It loads in transformers and vLLM.")  # fmt: skip


def _figures(title: str, values: Mapping[str, Any]) -> str:
    rows = [[name, clean(str(value))] for name, value in values.items() if not isinstance(value, Mapping | list)]
    return f"## {title}\n\n" + table(["", ""], rows)


def _lineage(manifests: Mapping[str, Manifest]) -> str:
    """Where its text came from, stage by stage."""
    rows = []
    for stage in LINEAGE:
        if (made := manifests.get(stage)) is not None:
            licences = ", ".join(f"{name} ({count:,})" for name, count in sorted(made.licences.items()))
            kept = f"{made.balance.kept:,} of {made.balance.taken + made.balance.made:,}"
            rows.append([stage, kept, licences, f"`{made.fingerprint[:12]}`"])
    return "## Data\n\n" + table(["stage", "kept", "licences", "fingerprint"], rows) if rows else ""


def _quoted(manifests: Mapping[str, Manifest]) -> list[str]:
    found = [made.facts[name] for name in QUOTED for made in manifests.values() if name in made.facts]
    return [f"### {escape(fact['title'])}\n\n{text}" for fact in found if (text := fact_text(fact))]


def _scores(scores: Mapping[str, Any]) -> str:
    rows = [[name, clean(str(value))] for name, value in _flat(scores)]
    return "## Scores\n\n" + table(["what", "value"], rows)


def _flat(values: Any, path: str = "") -> Sequence[tuple[str, Any]]:
    if isinstance(values, Mapping):
        return [pair for name, inner in values.items() for pair in _flat(inner, f"{path} {name}".strip())]
    if isinstance(values, list):
        if all(isinstance(item, Mapping) and "name" in item for item in values):
            return [
                pair
                for item in values
                for pair in _flat({k: v for k, v in item.items() if k != "name"}, f"{path} {item['name']}")
            ]
        return []
    return [(path, f"{values:.4g}" if isinstance(values, float) else values)] if len(str(values)) < 120 else []


def _limits(scored: bool) -> str:
    measured = "" if scored else " Nothing was measured on it for this card."
    return ("## Limits\n\nA small model learns the form of its data sooner than the facts in it: check what it says." + measured)  # fmt: skip
