"""A few real rows at once, by the model in this process where there is no endpoint; nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from generator.local import LocalTeacher, ensure_embedded_teacher
from generator.plan import Slot
from generator.reply import Reply, Teacher
from generator.request import Demands, Request
from generator.retell import Told, retell
from generator.teachers.openai_endpoint import OpenAITeacher
from ray_jobs.cluster import cache_folder
from ray_jobs.line import run_folder
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe

ROOM = 200  # tokens of an in-process reply: a person waits for it


def preview_rows(recipe: Recipe, count: int) -> Iterator[str]:
    """Every prompt and reply of the first `count` slots, and the verdict, as text."""
    if recipe.generate is None:
        raise RecipeError("this recipe has no `generate` section, so there is nothing to preview")
    config, plan = recipe.generate, plan_for(recipe, run_folder(recipe))
    teacher, in_process = _teacher(recipe)
    with asyncio.Runner() as runner:

        def answer(request: Request) -> Reply:
            if in_process:
                request = replace(request, demands=Demands(min(ROOM, config.max_tokens), request.demands.timeout_s))
            return runner.run(teacher.complete(request))

        try:
            for slot in plan.slots[:count]:
                yield _shown(slot, *retell(slot, 0, plan.cast, plan.request, answer, config))
        finally:
            runner.run(teacher.close())


def _shown(slot: Slot, steps: Sequence[Told], end: Document | Rejection | None) -> str:
    word = f"rejected: {end.reason} ({end.detail})" if isinstance(end, Rejection) else "kept"
    cell = slot.cell
    parts = [f"── {cell.domain} · {cell.topic} · {cell.form} · {cell.audience} · {cell.style}"]
    parts += [_step(told, alone=len(steps) == 1) for told in steps]
    if isinstance(end, Document):
        parts.append(f"── the document\n\n{end.text}")
    replies = [told.outcome for told in steps if isinstance(told.outcome, Reply)]
    tokens, seconds = (sum(getattr(item, name) for item in replies) for name in ("completion_tokens", "seconds"))
    finish = f", finish reason {replies[-1].finish_reason}" if replies else ""
    return "\n\n".join([*parts, f"── {word}; {tokens} tokens in {seconds:.0f} s{finish}"]) + "\n"


def _step(told: Told, *, alone: bool) -> str:
    prompt = "\n".join(message["content"] for message in told.request.messages)
    said = told.outcome.text if isinstance(told.outcome, Reply) else ""
    return f"{prompt}\n\n── reply\n\n{said}" if alone else f"── {told.step}\n\n{prompt}\n\n── reply\n\n{said}"


def _teacher(recipe: Recipe) -> tuple[Teacher, bool]:
    if recipe.teacher.endpoints:
        return OpenAITeacher(recipe.teacher.endpoints[0], served_model=recipe.teacher.model), False
    if recipe.teacher.model == "embedded":
        return LocalTeacher(ensure_embedded_teacher(cache_folder())), True
    raise RecipeError("preview needs teacher.endpoints or the embedded teacher", hint="hornbook teacher serve MODEL")
