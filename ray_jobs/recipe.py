"""The recipe: one YAML file that says what a run is. Composed from the section that each folder owns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from corpus.config import PublishConfig, Section, SourceConfig
from filters.config import BlendConfig, CleanConfig, FilterConfig
from generator.config import GenerateConfig
from generator.teacher_config import TeacherConfig
from trainer.config import StudentConfig

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
# A whole number is what everybody writes first; 1.10 would be read as 1.1, so a fraction needs its quotes.
Version = Annotated[Name, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class LimitsConfig(Section):
    """When to stop, and what counts as success."""

    tokens: int | None = Field(default=None, ge=1)
    """Teacher tokens (prompt and completion) that one run may spend; the run ends with exit code 4 at the cap."""
    money: float | None = Field(default=None, gt=0)
    """Money that one run may spend, by `teacher.price`; the run ends with exit code 4 at the cap."""
    required_yield: float = Field(default=0.0, ge=0, le=1)
    """Share of planned documents that must be kept; below it the run ends with exit code 4."""


class RunConfig(Section):
    """Where and how it runs. Not part of any identity: the same recipe elsewhere is the same run."""

    workers: int | None = Field(default=None, ge=0)
    """Ray workers on this machine; 0 runs everything in this process; all cores when not set."""
    address: str | None = None
    """Address of a Ray cluster; a local one is started when not set."""
    askers: int | None = Field(default=None, ge=1)
    """Actors that talk to the teacher. When not set: two on a cluster, and none on this machine, where the run's own process
    asks: it takes thousands of replies a second, and Ray rests meanwhile and leaves the cores to the teacher."""
    reuse: bool = True
    """Take replies that other runs in the same store have for the same requests."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Port on 127.0.0.1 where Prometheus finds /metrics while the teacher is asked; none when not set."""


class Recipe(Section):
    """A whole run, from the teacher's first token to the published dataset and the trained student."""

    name: Name
    """Name of the dataset; results lie in STORE/NAME@VERSION/."""
    version: Version = "1"
    """Version of the dataset. A changed recipe needs a new one."""
    title: str = ""
    """One line for the card and the report."""
    seed: int = Field(default=17, ge=0)
    """Seed of every choice: plan, samples, blend, student."""
    store: str = "runs"
    """Folder or URL that holds all runs."""
    teacher: TeacherConfig = Field(default_factory=TeacherConfig)
    """Who writes."""
    generate: GenerateConfig | None = None
    """What is written; leave out to curate without a teacher."""
    sources: dict[Name, SourceConfig] = Field(default_factory=dict)
    """Text that nobody here wrote, by name."""
    clean: CleanConfig | None = None
    """What cleaning changes in the texts that were read; leave out to take them as they are."""
    filters: FilterConfig = Field(default_factory=FilterConfig)
    """What is kept."""
    blend: BlendConfig = Field(default_factory=BlendConfig)
    """What the student reads, and how much of each."""
    student: StudentConfig | None = None
    """What is trained; leave out to make a dataset only."""
    publish: PublishConfig = Field(default_factory=PublishConfig)
    """What leaves the house."""
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    """When to stop."""
    run: RunConfig = Field(default_factory=RunConfig)
    """Where it runs."""

    @model_validator(mode="after")
    def _has_something_to_do(self) -> Recipe:
        if self.generate is None and not self.sources:
            raise ValueError("a recipe needs `generate`, `sources` or both")
        if unknown := sorted(set(self.blend.neutral) - set(self.sources)):
            raise ValueError(f"blend.neutral names {unknown[0]!r}, which is none of the sources")
        if "synthetic" in self.sources:
            raise ValueError("`synthetic` is the name of what the teacher writes; call the source something else")
        if self.limits.money is not None and not self.teacher.price.named:
            raise ValueError("`limits.money` needs `teacher.price`: without a price nothing costs anything")
        return self

    @property
    def texts(self) -> Literal["read", "clean"]:
        """The stage whose texts are scored, rewritten and filtered: the last one before the scores."""
        return "read" if self.cleaning is None else "clean"

    @property
    def cleaning(self) -> CleanConfig | None:
        """What is edited in the texts that are read; None where nothing is, not even a finding masked."""
        masks = "mask" in self.filters.policy.values()
        nothing = CleanConfig(characters=False, boilerplate=False, repeats=False)
        return self.clean or (nothing if masks else None)

    @property
    def label(self) -> str:
        """NAME@VERSION, the folder of the run."""
        return f"{self.name}@{self.version}"
