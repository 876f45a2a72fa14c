"""`hornbook new domain` drafts a file that the library reads, and never writes over one."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import RecipeError
from prompts.library import load_library
from ray_jobs.new_domain import new_domain


def test_a_skeleton_is_written_where_a_library_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path, grown = new_domain("Marine Biology", "en", "prose", None)
    assert (str(path), grown) == ("domains/marine_biology.yaml", None)
    with pytest.raises(RecipeError, match="exists"):
        new_domain("Marine Biology", "en", "prose", None)


def test_a_skeleton_joins_the_library_once_a_person_has_filled_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path, _ = new_domain("Marine Biology", "en", "prose", None)
    filled = path.read_text("utf-8").replace("topics: []\n# topics:", "topics:").replace("\n#   ", "\n  ")
    path.write_text(filled, "utf-8")
    domain = load_library(tmp_path).of("en").domains["marine_biology"]
    assert (domain.title, [topic.title for topic in domain.leaves]) == ("Marine Biology", ["Why it rains"])


def test_a_draft_without_an_endpoint_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from generator.teacher_config import TeacherConfig

    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="endpoints"):
        new_domain("Marine Biology", "en", "prose", TeacherConfig())
    assert not (tmp_path / "domains").exists()
