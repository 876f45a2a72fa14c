"""From a file, the environment and `--set` to one recipe, with the origin of every value.

Precedence: defaults < file < environment < `--set`. The environment is `HORNBOOK__TEACHER__MODEL=…` for
`teacher.model`, and the standard `OPENAI_BASE_URL` where a recipe names a teacher but no endpoint.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from corpus.errors import RecipeError
from ray_jobs.recipe import Recipe
from ray_jobs.recipe_errors import explain
from ray_jobs.recipe_yaml import Lines, parse_yaml

ENVIRONMENT_PREFIX = "HORNBOOK__"


@dataclass(frozen=True)
class Resolved:
    """A recipe with, for each value that is not a default, where it came from."""

    recipe: Recipe
    file: str
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin(self, path: str) -> str:
        """`file:line`, an environment variable, `--set`, or `default`."""
        return self.origins.get(path, "default")


def find_recipe(name: str) -> Path:
    """A path, or the name of a shipped recipe such as `demo`."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = Path(__file__).parent.parent / "recipes" / f"{path.stem}.yaml"
    if path.suffix in ("", ".yaml") and len(path.parts) == 1 and shipped.is_file():
        return shipped
    known = ", ".join(sorted(item.stem for item in shipped.parent.glob("*.yaml")))
    raise RecipeError(f"no recipe at {name}", hint=f"give a path, or one of the shipped recipes: {known}")


def resolve(name: str, settings: Iterable[str] = (), environment: Mapping[str, str] | None = None) -> Resolved:
    """Read, merge and check a recipe. Raises `RecipeError` that names file, line, key, value and what would be right."""
    path = find_recipe(name)
    shown = name if Path(name).is_file() else f"{path.stem} (shipped)"
    values, lines = parse_yaml(path.read_bytes(), shown)
    origins = {key: f"{shown}:{line}" for key, line in lines.items()}
    for key, value, origin in _overrides(os.environ if environment is None else environment, settings, values):
        _put(values, key, value, origin)
        origins[key] = origin
    return Resolved(_validate(values, shown, lines, origins), shown, origins)


def _validate(values: dict[str, Any], file: str, lines: Lines, origins: Mapping[str, str]) -> Recipe:
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise RecipeError(
            explain(error, Recipe, file, lines, origins), hint="`hornbook schema` prints every key"
        ) from None


def _overrides(
    environment: Mapping[str, str], settings: Iterable[str], values: Mapping[str, Any]
) -> Iterable[tuple[str, Any, str]]:
    teacher = values.get("teacher") or {}
    named = isinstance(teacher, dict) and teacher.get("model", "embedded") != "embedded"
    if named and not teacher.get("endpoints") and (url := environment.get("OPENAI_BASE_URL")):
        yield "teacher.endpoints", [url], "environment OPENAI_BASE_URL"
    for variable in sorted(environment):
        if variable.startswith(ENVIRONMENT_PREFIX):
            key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            yield key, _scalar(environment[variable], variable), f"environment {variable}"
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign or not key.strip():
            raise RecipeError(
                f"--set {setting}: not of the form a.b=value", hint="for example --set student.tokens=200000"
            )
        yield key.strip(), _scalar(text, f"--set {key}"), "--set"


def _scalar(text: str, where: str) -> Any:
    """A YAML scalar or flow collection, so that numbers, booleans and lists mean what they mean in the file."""
    try:
        return yaml.safe_load(text) if text.strip() else ""
    except yaml.YAMLError:
        raise RecipeError(f"{where}: {text!r} is not a YAML value") from None


def _put(values: dict[str, Any], key: str, value: Any, origin: str) -> None:
    *parents, last = key.split(".")
    place = values
    for parent in parents:
        inner = place.setdefault(parent, {})
        if inner is None:
            inner = place[parent] = {}
        if not isinstance(inner, dict):
            raise RecipeError(f"{origin}: {key}: `{parent}` is a value, not a section")
        place = inner
    place[last] = value
