"""The settings of a student that no recipe speaks of: a preset, and what `--set` changes in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from corpus.errors import RecipeError
from ray_jobs.recipe_errors import explain
from trainer.config import PRESETS, StudentConfig


def student_config(preset: str, settings: Sequence[str] = (), **given: Any) -> StudentConfig:
    """`settings` are `key=value` or `section.key=value`, values in YAML; `given` are options that were set (not None)."""
    if preset not in PRESETS:
        raise RecipeError(f"no preset {preset!r}", hint=f"known: {', '.join(PRESETS)}")
    values: dict[str, Any] = PRESETS[preset].model_dump()
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise RecipeError(f"--set {setting}: no value", hint="--set model.layers=8")
        _put(values, name.removeprefix("student.").split("."), yaml.safe_load(text))
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return StudentConfig.model_validate(values)
    except ValidationError as error:
        raise RecipeError(explain(error, StudentConfig, "--set", {}, {})) from None


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(values.get(part), dict):
            values[part] = {}
        values = values[part]
    values[path[-1]] = value
