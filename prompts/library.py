"""The library: domains with their topics, forms with their templates, and the axes of diversity. All of it is data.

English stands at the top of the folder; every other language is a folder of the same shape, named by its code, so that
a Chinese prompt is written in Chinese and not translated word by word. Adding a language needs no Python either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pydantic import ValidationError

from corpus.errors import RecipeError
from corpus.ids import digest
from prompts.domain import Domain
from prompts.form import Audience, Form
from prompts.templates import check, template_hash
from prompts.tree import read_yaml

HOME = Path(__file__).parent
BASE = "en"
LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True)
class Library:
    """Everything a plan draws from, in one language; `of` gives the same in another."""

    domains: Mapping[str, Domain]
    forms: Mapping[str, Form]
    audiences: Mapping[str, Audience]
    styles: Mapping[str, str]
    templates: Mapping[str, str]
    levels: Mapping[str, str] = field(default_factory=dict)
    """What a level is called in a prompt."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lists that forced words and function names are drawn from."""
    steps: Mapping[str, str] = field(default_factory=dict)
    """Templates of what operators ask, by file name."""
    rubrics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a revision looks for."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """How the pieces of a document are put together."""
    rotations: Mapping[str, str] = field(default_factory=dict)
    """Sentences that ask for another beginning, for any form."""
    language: str = BASE
    others: Mapping[str, Library] = field(default_factory=dict)

    def of(self, language: str) -> Library:
        """The library in a language. Raises `RecipeError` when there is none."""
        if language == self.language:
            return self
        if language not in self.others:
            known = ", ".join(sorted([self.language, *self.others]))
            raise RecipeError(f"the library has no language `{language}`", hint=f"known: {known}")
        return self.others[language]

    def rubric(self, name: str) -> tuple[str, ...]:
        """The lines of a rubric. Raises `RecipeError` when there is none of this name."""
        if name not in self.rubrics:
            raise RecipeError(f"there is no rubric `{name}` in `{self.language}`",
                              hint=f"known: {', '.join(self.rubrics)}")  # fmt: skip
        return self.rubrics[name]

    def page(self, name: str, values: Mapping[str, str]) -> str:
        """A page of `pages.yaml` with its names filled in; values stay values."""
        if name not in self.pages:
            raise RecipeError(f"pages.yaml has no `{name}` in `{self.language}`")
        try:
            return Template(self.pages[name]).substitute(values).strip()
        except (KeyError, ValueError) as error:
            raise RecipeError(f"pages.yaml: {name}: {error}", hint=f"known names: {', '.join(values)}") from None

    def ways(self, form: Form) -> list[tuple[str, str]]:
        """In which ways a form can be asked for: (template, sentence added to its opening), its own way first."""
        templates = [(name, "") for name in (form.template, *form.variants)]
        return templates + [(form.template, text) for text in self.rotations.values()]

    def hashes(self) -> dict[str, str]:
        """Template name to hash, and one hash for all other data: part of the fingerprint of what is generated."""
        found = {name: template_hash(text) for name, text in sorted(self.templates.items())}
        found |= {f"steps/{name}": template_hash(text) for name, text in sorted(self.steps.items())}
        found["library"] = digest("library", self._plain())
        for language, library in sorted(self.others.items()):
            found |= {f"{language}/{name}": value for name, value in library.hashes().items()}
        return found

    def _plain(self) -> dict[str, Any]:
        axes = ("styles", "levels", "words", "rubrics", "pages", "rotations")
        parts: dict[str, Any] = {name: dict(getattr(self, name)) for name in axes}
        for name in ("domains", "forms", "audiences"):
            parts[name] = {key: item.model_dump(mode="json") for key, item in getattr(self, name).items()}
        return parts


def load_library(extra: Path | None = None) -> Library:
    """The shipped library, with the domains, forms and templates of a folder of the user's laid over it."""
    homes = (HOME, *([extra] if extra else []))
    return _loaded(homes, tuple(_stamps(homes)))


def _stamps(homes: Sequence[Path]) -> Iterator[tuple[str, int, int]]:
    """Every file of the library as it is now: who edits one gets another library."""
    for home in homes:
        for path in sorted(home.rglob("*")):
            if path.suffix in (".yaml", ".j2"):
                known = path.stat()
                yield str(path), known.st_mtime_ns, known.st_size


@lru_cache(maxsize=4)  # a run asks for its library at every stage, and reading it takes half a second
def _loaded(homes: tuple[Path, ...], stamps: tuple[tuple[str, int, int], ...]) -> Library:
    languages = sorted({path.name for home in homes for path in home.iterdir() if _is_language(path)})
    others = {name: _load_language([home / name for home in homes], name, {}) for name in languages}
    return _load_language(homes, BASE, others)


def _is_language(path: Path) -> bool:
    return path.is_dir() and LANGUAGE.fullmatch(path.name) is not None


def _load_language(homes: Sequence[Path], language: str, others: Mapping[str, Library]) -> Library:
    domains = {item.id: item for item in _items(homes, "domains", Domain, {"language": language})}
    forms = {item.id: item for item in _items(homes, "forms", Form, {})}
    templates, steps = _templates(homes, "templates"), _templates(homes, "steps")
    audiences = {key: _valid(Audience, value, "audiences.yaml") for key, value in _axis(homes, "audiences")}
    library = Library(
        domains, forms, audiences, dict(_axis(homes, "styles")), templates, dict(_axis(homes, "levels")),
        {name: tuple(words) for name, words in _axis(homes, "words")}, steps,
        {name: tuple(lines) for name, lines in _axis(homes, "rubrics")}, dict(_axis(homes, "pages")),
        dict(_axis(homes, "rotations")), language, others,
    )  # fmt: skip
    _check_names(library)
    return library


def _templates(homes: Sequence[Path], folder: str) -> dict[str, str]:
    found = {path.name: path.read_text("utf-8") for home in homes for path in _files(home / folder, "*.j2")}
    for name, text in found.items():
        check(text, name)
    return found


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def _items(homes: Sequence[Path], folder: str, kind: Any, given: Mapping[str, str]) -> Iterator[Any]:
    for home in homes:
        for path in _files(home / folder, "*.yaml"):
            yield _valid(kind, {"id": path.stem, **given, **_yaml(path)}, path.name)


def _axis(homes: Sequence[Path], name: str) -> Iterator[tuple[str, Any]]:
    for home in homes:
        if (home / f"{name}.yaml").is_file():
            yield from _yaml(home / f"{name}.yaml").items()


def _valid(kind: Any, values: Any, name: str) -> Any:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _yaml(path: Path) -> dict[str, Any]:
    try:
        found = read_yaml(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise RecipeError(f"{path.name}: not valid YAML: {error}") from None
    if not isinstance(found, dict):
        raise RecipeError(f"{path.name}: a mapping is expected")
    return found


def _check_names(library: Library) -> None:
    known = f"known: {', '.join(sorted(library.forms))}"
    for form in library.forms.values():
        for name in filter(None, (form.template, *form.variants)):
            if name not in library.templates:
                raise RecipeError(f"form {form.id}: no template {name}")
        for name in form.audiences:
            if name not in library.audiences:
                raise RecipeError(f"form {form.id}: no audience {name}")
    for domain in library.domains.values():
        for name in domain.forms:
            if name not in library.forms:
                raise RecipeError(f"domain {domain.id}: no form {name}", hint=known)
            if library.forms[name].kind == "code" and domain.kind != "code":
                raise RecipeError(f"domain {domain.id}: {name} is a form for domains of kind `code`")
        if not domain.leaves:
            raise RecipeError(f"domain {domain.id}: it has no topics yet", hint="add some under `topics`")
