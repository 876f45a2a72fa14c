"""`hornbook new domain TOPIC`: a first domain file, by the teacher of a recipe or as a skeleton to fill."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from corpus.errors import RecipeError
from generator.chat import chat_with
from generator.teacher_config import TeacherConfig
from prompts.draft import domain_id, draft, skeleton
from prompts.library import load_library
from prompts.topics import Grown, Growth


def new_domain(
    title: str, language: str, kind: Literal["prose", "code"], teacher: TeacherConfig | None
) -> tuple[Path, Grown | None]:
    """Write `domains/ID.yaml` (below the language's folder) and say what a teacher's draft left out."""
    library = load_library().of(language)
    path = Path("domains" if language == "en" else f"{language}/domains") / f"{domain_id(title)}.yaml"
    if path.exists():
        raise RecipeError(f"{path} exists", hint="move it, or name the topic otherwise")
    text, grown = skeleton(title, library, kind), None
    if teacher is not None:
        text, grown = _drafted(title, library.language, kind, teacher)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path, grown


def _drafted(title: str, language: str, kind: Literal["prose", "code"], teacher: TeacherConfig) -> tuple[str, Grown]:
    from generator.teachers.openai_endpoint import open_teacher

    if not teacher.endpoints:
        raise RecipeError("a draft needs `teacher.endpoints`", hint="without --recipe a skeleton is written")
    library = load_library().of(language)
    known = [topic.title for domain in library.domains.values() for topic in domain.leaves]
    with chat_with(open_teacher(teacher, teacher.endpoints[0], teacher.model), teacher) as ask:
        return draft(title, library, ask, Growth(), kind, known)
