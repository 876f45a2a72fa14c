"""The base of every recipe section, and the sections that `corpus` owns."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A frozen part of the recipe. Unknown keys are refused; every field carries a description for the schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class SourceConfig(Section):
    """One source of text that nobody here wrote."""

    kind: Literal["machine", "files", "dataset"]
    """`machine`: the documentation and code installed here; `files`: paths or URLs; `dataset`: a Hugging Face name."""
    paths: tuple[str, ...] = ()
    """Files, globs or URLs (JSONL, Parquet, text, WARC; gz or zst), or one dataset name."""
    text_field: str = "text"
    """Column that holds the text."""
    config: str | None = None
    """Config of a dataset."""
    split: str = "train"
    """Split of a dataset."""
    revision: str | None = None
    """Revision of a dataset; a commit hash makes the run repeatable."""
    licence: str = "unknown"
    """SPDX id for all rows that do not carry one of their own."""
    language: str = "en"
    """Language that the rows are said to be in; the language filter checks it."""
    language_field: str | None = None
    """Column that names a row's own language, as an ISO 639-1 code; `language` where it is empty."""
    domain: str = "web"
    """Label of the rows in tables and plots."""
    domain_field: str | None = None
    """Column that names a row's own domain, such as its subject or site; `domain` where it is empty."""
    documents: int | None = Field(default=None, ge=1)
    """At most this many documents, a sample that depends on the recipe's seed alone; all when not set."""


class PublishConfig(Section):
    """What leaves the house."""

    repo: str | None = None
    """Repository on the Hub, such as `user/name`."""
    private: bool = True
    """Create the repository private."""
    licence: str | None = None
    """Licence of the dataset as its owner states it; the card lists the licences of the sources beside it."""
    allow_unknown_licence: bool = False
    """Publish rows of unknown licence; they are refused otherwise."""
    include_web: bool = False
    """Publish the web rows too, not only the written ones."""
    rejected_text: bool = False
    """Publish the text of rejected rows; never that of sensitive, toxic or contaminated ones."""
    soft_labels: bool = False
    """Publish the soft labels of the published documents as a config of their own; those of edited texts are dropped."""
    shard_mb: int = Field(default=500, ge=1, le=500)
    """Size of a Parquet shard."""
