"""The recipe section that says what is written."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Section
from generator.operators.config import OperatorConfig
from prompts.form import Draw

Axis = Literal["language", "domain", "form", "audience", "style", "topic"]


class CoverageConfig(Section):
    """What a cell of the plan is, how far a cell is followed, and when it has said what it has to say."""

    cells: tuple[Axis, ...] = Field(default=("language", "domain", "form"), min_length=1)
    """Axes that make a cell; documents that agree on them are of one cell."""
    replacements: float = Field(default=0.5, ge=0, le=20)
    """Slots that may replace those that stayed empty, as a share of the cell's target; after that the cell is short,
    and the report names the cause."""
    wave: int = Field(default=512, ge=1)
    """New slots that a wave holds at most: before each, the cells are looked at again."""
    least: int = Field(default=24, ge=4)
    """Documents of a cell that are looked at before it can be saturated, and the last ones that are."""
    repeats: float = Field(default=0.5, gt=0, le=1)
    """Share of near duplicates among them from which a cell is saturated."""
    novelty: float = Field(default=0.3, ge=0, lt=1)
    """Share of a text's four-word sequences that are new to its cell, on the mean of the last ones: below it the cell
    is saturated."""


class CollapseConfig(Section):
    """When texts of a template look alike, and what is done then."""

    act: Literal["rotate", "retire", "report", "ignore"] = "rotate"
    """`rotate`: ask in another way, and retire the template when none is left; `retire` it at once, its documents go to
    others; `report` only; `ignore`: do not look."""
    window: int = Field(default=64, ge=8)
    """The last texts of a template that are looked at together."""
    least: int = Field(default=24, ge=8)
    """Texts of a template before it is judged."""
    share: float = Field(default=0.1, gt=0, lt=1)
    """Share that one opening or one sentence skeleton may have; the alarm needs more than chance would explain then."""


class GenerateConfig(Section):
    """What the teacher writes, how much of it, and how a reply is judged before any filter sees it."""

    documents: int = Field(default=200, ge=1)
    """Slots to fill; each ends filled or short with a named cause."""
    per_cell: int | None = Field(default=None, ge=1)
    """Documents to accept in every cell of `coverage.cells`, instead of `documents` in all."""
    budget: dict[str, int] = Field(default_factory=dict)
    """Documents by cell, instead of `documents` in all: keys are the values of `coverage.cells` with `/` between them, such
    as `biology` or `biology/story`; cells that are not named get none. The closed loop of `hornbook lab loop` sets it."""
    languages: tuple[str, ...] = Field(default=("en",), min_length=1)
    """Languages to write in, by code; `zh` needs a teacher that writes Chinese."""
    domains: tuple[str, ...] = ()
    """Domains of the library by id; all when empty."""
    forms: tuple[str, ...] = ()
    """Forms by id; all that suit a domain when empty."""
    audiences: tuple[str, ...] = ()
    """Audiences by id; all when empty."""
    styles: tuple[str, ...] = ()
    """Styles by id; all when empty."""
    seeds: tuple[str, ...] = ()
    """Sources whose documents are rewritten, by the forms that rewrite; only those that pass the recipe's filters."""
    private_seeds: Literal["mask", "leave_out", "send"] = "mask"
    """Personal data and secrets in seeds: put the kind in their place, leave such seeds out, or send them as they are,
    which an endpoint that is not on this machine refuses. Counted in the manifest."""
    library: str | None = None
    """Folder with more domains, forms and templates, laid over the shipped ones."""
    words: tuple[int, int] | None = None
    """Length asked for in words, instead of each form's own; in characters 1.7 times as much where a language has no spaces."""
    operators: tuple[OperatorConfig, ...] = ()
    """What happens to a text before it is a document: further requests, one operator after the other."""
    structured: Literal["schema", "prompt"] = "schema"
    """How a reply in JSON is asked for: by a schema that the endpoint holds the teacher to, or by the prompt's words
    alone, for endpoints without `response_format`. It is read as strictly in both."""
    attempts: int = Field(default=2, ge=1, le=10)
    """Attempts a slot has; retries are a wave of their own."""
    truncated: Literal["reject", "trim", "continue"] = "trim"
    """A reply cut off at its limit: reject it, trim it to its last whole sentence, or ask the teacher to go on from
    where it stopped and trim what is still cut off then (recorded in the lineage). To continue needs an endpoint that
    goes on with a last message of its own, as vLLM does."""
    continuations: int = Field(default=2, ge=1, le=20)
    """How often a reply is continued, with `truncated: continue`."""
    accept: bool = True
    """Judge each document by the recipe's cheap filters (all but quality) and against near duplicates as it arrives, so
    that a slot whose text would be dropped later is asked again now."""
    verify: Literal["none", "code", "where_possible"] = "none"
    """`code` runs the solution and the tests of forms that hold an exercise, in a jail, and drops what does not hold; a
    machine without a jail ends the run before a token is spent. `where_possible` keeps such texts there, marked
    `unverified:code` in their lineage; their code is never run without a jail."""
    min_words: int = Field(default=40, ge=1)
    """Shorter replies are rejected."""
    max_tokens: int = Field(default=512, ge=16)
    """Room of a reply. A demand, not an identity: raising it later re-asks only what was cut off."""
    draw: dict[str, Draw] = Field(default_factory=dict)
    """Sampling of single forms by id: `temperature`, `top_p`, `max_tokens`; before the form's own and before `teacher`'s."""
    coverage: CoverageConfig = CoverageConfig()
    """Cells of the plan, their replacements and their saturation."""
    collapse: CollapseConfig = CollapseConfig()
    """The alarm for templates whose texts look alike."""
