"""Publishing a student: weights, tokenizer and a card with where its text came from and what it scored."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from corpus.errors import RecipeError, StateError
from corpus.hub_models import publish_model
from corpus.manifest import Manifest
from corpus.model_card import render_model_card
from ray_jobs.drive import Drive
from ray_jobs.line import run_folder
from ray_jobs.resolve import resolve
from trainer.files import whole_folder

SHAPE = ("model_type", "num_hidden_layers", "hidden_size", "num_attention_heads", "num_key_value_heads", "intermediate_size",
         "max_position_embeddings", "vocab_size", "tie_word_embeddings")  # fmt: skip
LEFT_OUT = {"identity", "curve", "by", "checksums", "schema_version"}


def publish_student(
    student: Path, to: Path | None, repo: str, model: Path | None, run: str, scores: Path | None, licence: str
) -> str:
    """Publish to a folder or a repository of the Hub; one line that says where.

    Raises `RecipeError` when no place is named, `StateError` when training has not finished.
    """
    if not (to or repo):
        raise RecipeError("publish where to?", hint="name a repository with --repo owner/name, or a folder with --to")
    if not (student / "result.json").is_file():
        raise StateError(f"{student}: training has not finished there", hint="hornbook student train")
    with tempfile.TemporaryDirectory(prefix="hornbook-student-") as place:
        staged = Path(place) / "student"
        _write(staged, student, model or student / "model", run, scores, licence)
        if to:
            with whole_folder(to, replace=to.exists() and (to / "config.json").is_file()) as folder:
                shutil.copytree(staged, folder, dirs_exist_ok=True)
            return f"published: {to}"
        return f"published: {publish_model(staged, repo, f'A student of {student.name}')}"


def card_facts(student: Path, model: Path, scores: Path | None) -> dict[str, Any]:
    """What the folders of a student tell about it."""
    shape, packed = _json(model / "config.json"), _json(student / "packed" / "pack.json")
    training = {name: value for name, value in _json(student / "result.json").items() if name not in LEFT_OUT}
    corpus = {f"corpus {name}": packed[name] for name in ("documents", "tokens", "bytes", "identity") if name in packed}
    compression = {name: value for name, value in _json(model / "compression.json").items() if name != "folder"}
    teacher = {name: value for name, value in _json(student / "labels" / "labels.json").items() if name not in LEFT_OUT}
    return {"shape": {name: shape[name] for name in SHAPE if name in shape}, "training": training | corpus, "teacher": teacher,
            "compression": compression, "scores": _json(scores) if scores else {}}  # fmt: skip


def _write(staged: Path, student: Path, model: Path, run: str, scores: Path | None, licence: str) -> None:
    shutil.copytree(model, staged)
    card = render_model_card(student.name, card_facts(student, model, scores), _manifests(run), licence)
    (staged / "README.md").write_text(card, "utf-8")


def _manifests(run: str) -> Mapping[str, Manifest]:
    """Those of the run's stages that are finished."""
    if not run:
        return {}
    recipe = resolve(run).recipe
    drive = Drive(recipe, run_folder(recipe))
    drive.look()
    return drive.manifests


def _json(file: Path) -> dict[str, Any]:
    return orjson.loads(file.read_bytes()) if file.is_file() else {}  # type: ignore[no-any-return]
