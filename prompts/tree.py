"""Topic trees as files: read, written in one canonical form, and merged without near-duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from corpus.errors import RecipeError
from prompts.domain import Domain, Topic
from prompts.near import near_pairs

NEAR = (
    0.75  # "Lossy compression" and "Lossless compression" are 0.68 alike, "Present value" and "Net present value" 0.70
)
POINTS = 5  # a topic that takes over a near-duplicate's points keeps at most so many
SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # plain values only, in both
WIDTH = 180  # columns: one line for the points of a topic


@dataclass(frozen=True, slots=True)
class Merged:
    """A topic that was dropped, the one that stands for it, and how alike their titles are (0 to 1)."""

    title: str
    kept: str
    likeness: float


class _Tidy(yaml.SafeDumper):
    """Lists of plain values on one line, everything else in blocks; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


def read_yaml(text: str) -> Any:
    """Plain values of a YAML text, by libyaml where it is there (ten times faster for the whole library, measured)."""
    return yaml.load(text, Loader=SAFE)


def dump_domain(domain: Domain) -> str:
    """The YAML file of a domain: reading it back gives the same domain, and writing that the same bytes."""
    plain = domain.model_dump(mode="json", exclude_defaults=True, exclude={"id", "language"})
    head = {name: plain[name] for name in ("title", "kind", "forms")}
    return _yaml(head) + _yaml({"topics": plain["topics"]})


def parse_domain(text: str, name: str, language: str = "en") -> Domain:
    """The domain that a YAML text holds; `name` is its id. Raises `RecipeError` that names the key."""
    try:
        found = read_yaml(text)
        return Domain.model_validate({"id": name, "language": language, **(found if isinstance(found, dict) else {})})
    except yaml.YAMLError as error:
        raise RecipeError(f"{name}: not valid YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def read_domain(path: Path, language: str = "en") -> Domain:
    """The domain of a file."""
    return parse_domain(path.read_text("utf-8"), path.stem, language)


def merge_topics(
    topics: Sequence[Topic], known: Iterable[str] = (), likeness: float = NEAR
) -> tuple[list[Topic], list[Merged]]:
    """The topics without those whose title is near a `known` title or an earlier topic's, and what became of the rest.

    The earlier topic stays and takes the later one's seeds, and of its points those that it lacks, up to five.
    """
    before = list(dict.fromkeys(known))
    titles = [*before, *(topic.title for topic in topics)]
    stands_for: dict[int, tuple[int, float]] = {}
    for first, second, alike in near_pairs(titles, likeness):
        if second >= len(before) and first not in stands_for and second not in stands_for:
            stands_for[second] = (first, alike)
    kept = {index: topic for index, topic in enumerate(topics, len(before)) if index not in stands_for}
    for second, (first, _) in stands_for.items():
        if first in kept:
            kept[first] = _joined(kept[first], topics[second - len(before)])
    gone = [Merged(titles[second], titles[first], alike) for second, (first, alike) in sorted(stands_for.items())]
    return list(kept.values()), gone


def _joined(kept: Topic, gone: Topic) -> Topic:
    points = tuple(dict.fromkeys([*kept.points, *gone.points]))[: max(POINTS, len(kept.points))]
    seeds = tuple(dict.fromkeys([*kept.seeds, *gone.seeds]))
    return kept.model_copy(update={"points": points, "seeds": seeds})


def _yaml(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Tidy, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=None)
