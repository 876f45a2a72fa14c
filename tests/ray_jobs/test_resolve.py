from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import RecipeError
from ray_jobs.resolve import resolve

PLAIN = """\
name: mine
generate:
  documents: 10
student:
  tokens: 1000
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_set_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    name = write(tmp_path, PLAIN)
    assert resolve(name, [], {}).recipe.generate.documents == 10
    environment = {"HORNBOOK__GENERATE__DOCUMENTS": "20"}
    assert resolve(name, [], environment).recipe.generate.documents == 20
    resolved = resolve(name, ["generate.documents=30"], environment)
    assert resolved.recipe.generate.documents == 30
    assert resolved.origin("generate.documents") == "--set"
    assert resolved.origin("student.tokens") == f"{name}:5"
    assert resolved.origin("seed") == "default"


@pytest.mark.parametrize(
    "key, nearest",
    [("documnets: 5", "documents"), ("truncate: trim", "truncated"), ("atempts: 3", "attempts")],
)
def test_an_unknown_key_names_its_nearest_valid_one_with_file_and_line(tmp_path: Path, key: str, nearest: str) -> None:
    name = write(tmp_path, f"name: mine\ngenerate:\n  {key}\n")
    with pytest.raises(RecipeError, match=rf"mine\.yaml:3: generate\.\w+ = .*unknown key; did you mean `{nearest}`\?"):
        resolve(name, [], {})


def test_an_unknown_key_inside_a_named_source_is_found(tmp_path: Path) -> None:
    name = write(tmp_path, "name: mine\nsources:\n  web:\n    kind: machine\n    licenze: MIT\n")
    with pytest.raises(RecipeError, match=r":5: sources\.web\.licenze = 'MIT': unknown key; did you mean `licence`"):
        resolve(name, [], {})


def test_a_bad_value_from_set_names_set_not_the_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"--set: generate\.documents = 'many'"):
        resolve(write(tmp_path, PLAIN), ["generate.documents=many"], {})


@pytest.mark.parametrize(
    "text, said",
    [
        ("name: mine\nname: other\n", "name stands here and on line 1"),
        ("name: [\n", "not valid YAML"),
        ("- a\n- b\n", "mapping of keys"),
        ("a: &x 1\nb: *x\n", "aliases"),
        ("name: mine\nx: !!python/object:os.system {}\n", "constructor"),
        ("name: mine\n", "needs `generate`, `sources` or both"),
        ("name: Mine!\nsources: {a: {kind: machine}}\n", "name = 'Mine!'"),
    ],
)
def test_a_malformed_recipe_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        resolve(write(tmp_path, text), [], {})
    assert said in str(caught.value)


def test_an_unknown_recipe_lists_the_shipped_ones() -> None:
    with pytest.raises(RecipeError) as caught:
        resolve("nowhere", [], {})
    assert "demo" in caught.value.hint


def test_every_shipped_recipe_is_valid() -> None:
    for path in (Path(__file__).parents[2] / "recipes").glob("*.yaml"):
        assert resolve(str(path), [], {}).recipe.name


def test_a_standard_endpoint_variable_never_reroutes_the_embedded_teacher(tmp_path: Path) -> None:
    environment = {"OPENAI_BASE_URL": "https://elsewhere.test/v1"}
    assert resolve(write(tmp_path, PLAIN), [], environment).recipe.teacher.endpoints == ()
    named = write(tmp_path, PLAIN + "teacher:\n  model: big\n")
    assert resolve(named, [], environment).recipe.teacher.endpoints == ("https://elsewhere.test/v1",)
