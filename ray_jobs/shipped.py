"""The recipes that come with Hornbook, and a new one made from any of them."""

from __future__ import annotations

import re
from pathlib import Path

import orjson

from corpus.errors import RecipeError
from ray_jobs.recipe import Recipe
from ray_jobs.resolve import find_recipe

SCHEMA = "recipe.schema.json"
POINTER = f"# yaml-language-server: $schema=./{SCHEMA}\n"


def schema_text() -> str:
    """The JSON schema of recipes, as the file beside the shipped ones holds it."""
    return orjson.dumps(Recipe.model_json_schema(), option=orjson.OPT_INDENT_2).decode() + "\n"


def write_recipe(path: Path, origin: str) -> Path:
    """Write `origin` under a name of its own, and beside it the schema that its first line points editors to.

    Returns the path, with `.yaml` when it had no ending. Raises `RecipeError` when there is a file already.
    """
    path = path if path.suffix else path.with_suffix(".yaml")
    text = find_recipe(origin).read_text("utf-8")
    if not text.startswith("# yaml-language-server:"):
        text = POINTER + text
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")[:64]
    text = re.sub(r"(?m)^name:.*$", f"name: {name or 'recipe'}", text, count=1)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RecipeError(f"{path} exists", hint="name another file") from None
    except OSError as error:
        raise RecipeError(f"{path} cannot be written: {error.strerror}") from None
    path.with_name(SCHEMA).write_text(schema_text(), "utf-8")
    return path
