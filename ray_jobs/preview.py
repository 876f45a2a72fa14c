"""A few real rows at once, by the model in this process where there is no endpoint; nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from corpus.document import Rejection
from corpus.errors import RecipeError
from generator.attempt import Turn
from generator.config import GenerateConfig
from generator.local import LocalTeacher, ensure_embedded_teacher
from generator.parse import parse_reply
from generator.plan import Slot
from generator.reply import Reply, Teacher
from generator.request import Demands, Request
from generator.teachers.openai_endpoint import OpenAITeacher
from ray_jobs.cluster import cache_folder
from ray_jobs.line import run_folder
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe

ROOM = 200  # tokens of an in-process reply: a person waits for it


def preview_rows(recipe: Recipe, count: int) -> Iterator[str]:
    """Prompt, reply and verdict of the first `count` slots, as text."""
    if recipe.generate is None:
        raise RecipeError("this recipe has no `generate` section, so there is nothing to preview")
    config, plan = recipe.generate, plan_for(recipe, run_folder(recipe))
    teacher, in_process = _teacher(recipe)
    with asyncio.Runner() as runner:
        try:
            for slot in plan.slots[:count]:
                request = plan.request(Turn(slot, 0))
                if in_process:
                    request = replace(request, demands=Demands(min(ROOM, config.max_tokens), request.demands.timeout_s))
                yield _shown(slot, request, runner.run(teacher.complete(request)), config)
        finally:
            runner.run(teacher.close())


def _shown(slot: Slot, request: Request, reply: Reply, config: GenerateConfig) -> str:
    verdict = parse_reply(slot, request, reply, config)
    word = f"rejected: {verdict.reason} ({verdict.detail})" if isinstance(verdict, Rejection) else "kept"
    cell = slot.cell
    head = f"── {cell.domain} · {cell.topic} · {cell.form} · {cell.audience} · {cell.style}"
    prompt = "\n".join(message["content"] for message in request.messages)
    end = f"── {word}; {reply.completion_tokens} tokens in {reply.seconds:.0f} s, finish reason {reply.finish_reason}"
    return f"{head}\n\n{prompt}\n\n── reply\n\n{getattr(verdict, 'text', reply.text)}\n\n{end}\n"


def _teacher(recipe: Recipe) -> tuple[Teacher, bool]:
    if recipe.teacher.endpoints:
        return OpenAITeacher(recipe.teacher.endpoints[0], served_model=recipe.teacher.model), False
    if recipe.teacher.model == "embedded":
        return LocalTeacher(ensure_embedded_teacher(cache_folder())), True
    raise RecipeError("preview needs teacher.endpoints or the embedded teacher", hint="hornbook teacher serve MODEL")
