"""The library: domains with their topics, forms with their templates, and the axes of diversity. All of it is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from corpus.config import Section
from corpus.errors import RecipeError
from prompts.templates import check, template_hash

HOME = Path(__file__).parent


class Topic(Section):
    """What one text is about."""

    title: str
    points: tuple[str, ...]
    """What the text must cover."""


class Domain(Section):
    """A field of knowledge."""

    id: str
    title: str
    kind: Literal["prose", "code"]
    language: str = "en"
    forms: tuple[str, ...]
    """Forms that suit the field."""
    topics: tuple[Topic, ...]


class Form(Section):
    """A kind of text."""

    id: str
    title: str
    kind: Literal["prose", "code"]
    words: tuple[int, int]
    """Length asked for; the reply has room for about twice as much."""
    template: str
    idea: str
    """The published idea that the form follows."""
    openings: tuple[str, ...]
    """Ways to begin, one drawn for each slot, so that texts do not all start alike."""


@dataclass(frozen=True)
class Library:
    """Everything a plan draws from."""

    domains: Mapping[str, Domain]
    forms: Mapping[str, Form]
    audiences: Mapping[str, str]
    styles: Mapping[str, str]
    templates: Mapping[str, str]

    def hashes(self) -> dict[str, str]:
        """Template name to hash: part of the fingerprint of what is generated."""
        return {name: template_hash(text) for name, text in sorted(self.templates.items())}


def load_library(extra: Path | None = None) -> Library:
    """The shipped library, with the domains, forms and templates of a folder of the user's laid over it."""
    homes = [HOME, *([extra] if extra else [])]
    axes: dict[str, dict[str, str]] = {"audiences": {}, "styles": {}}
    domains: dict[str, Domain] = {}
    forms: dict[str, Form] = {}
    templates: dict[str, str] = {}
    for home in homes:
        domains.update({item.id: item for item in _load_all(home / "domains", Domain)})
        forms.update({item.id: item for item in _load_all(home / "forms", Form)})
        templates.update({path.name: path.read_text("utf-8") for path in sorted((home / "templates").glob("*.j2"))})
        for name, known in axes.items():
            if (home / f"{name}.yaml").is_file():
                known.update(_yaml(home / f"{name}.yaml"))
    for name, text in templates.items():
        check(text, name)
    _check_names(domains, forms, templates)
    return Library(domains, forms, axes["audiences"], axes["styles"], templates)


def _load_all(folder: Path, kind: Any) -> list[Any]:
    return [_load(path, kind) for path in sorted(folder.glob("*.yaml"))]


def _load(path: Path, kind: Any) -> Any:
    try:
        return kind.model_validate({"id": path.stem, **_yaml(path)})
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _yaml(path: Path) -> dict[str, Any]:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise RecipeError(f"{path.name}: not valid YAML: {error}") from None


def _check_names(domains: Mapping[str, Domain], forms: Mapping[str, Form], templates: Mapping[str, str]) -> None:
    for form in forms.values():
        if form.template not in templates:
            raise RecipeError(f"form {form.id}: no template {form.template}")
    for domain in domains.values():
        for name in domain.forms:
            if name not in forms:
                raise RecipeError(f"domain {domain.id}: no form {name}", hint=f"known: {', '.join(sorted(forms))}")
