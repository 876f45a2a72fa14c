"""The recipe sections of the filters: what is scored, which limits decide, and how the kept text is blended."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Section

FilterName = Literal["gopher", "repetition", "c4", "fineweb", "code", "language", "sensitive", "quality"]
ProfileName = Literal["prose", "code", "synthetic"]
Policy = Literal["drop", "mask", "report"]

ALL_FILTERS: tuple[FilterName, ...] = (
    "gopher",
    "repetition",
    "c4",
    "fineweb",
    "code",
    "language",
    "sensitive",
    "quality",
)


class Limit(Section):
    """The range in which a statistic is fine; a side that is not set is open."""

    at_least: float | None = None
    """Smallest value that is kept."""
    at_most: float | None = None
    """Largest value that is kept."""


class LanguageConfig(Section):
    """Which languages stay. The model is fastText's lid.176 in its compressed form."""

    allowed: tuple[str, ...] = ()
    """ISO 639-1 codes that are kept; when empty, a document must be in the language that its row declares."""
    min_score: float = Field(default=0.65, ge=0, le=1)
    """Least certainty of the label (FineWeb and CCNet use 0.65); below it the document is dropped as unsure."""
    cheap_characters: int = Field(default=300, ge=80)
    """Characters of the first, cheap look; five times faster than whole documents at the same label (FILTERS 4.3)."""
    sure_score: float = Field(default=0.8, ge=0, le=1)
    """A first look below this certainty is repeated on the whole text."""


class SensitiveConfig(Section):
    """What happens to text that holds secrets or personal data."""

    policy: dict[str, Policy] = Field(default_factory=dict)
    """Per kind: `drop` the document, `mask` the finding (a recorded edit of its own step), or only `report` it. Kinds
    that are not named: secrets, private keys, credentials in URLs, cards, IBANs and identity numbers drop; e-mail,
    phone and IP addresses report, because licences and changelogs name their authors on purpose."""


class QualityConfig(Section):
    """The fastText quality classifier: how it is trained and where its score decides."""

    at_least: float | None = Field(default=None, ge=0, le=1)
    """Least P(positive) that is kept; when not set the score is stored and nothing is dropped by it."""
    profiles: tuple[ProfileName, ...] = ("prose",)
    """Profiles in which the score may drop a document."""
    dim: int = Field(default=32, ge=4, le=300)
    """Size of the vectors; 32 was as accurate as the default 100 on two classes, at half the time (FILTERS 4.3)."""
    buckets: int = Field(default=200_000, ge=1000)
    """Hash buckets of the word pairs; the default of two million gives a file of 1 GB for the same accuracy."""
    word_ngrams: int = Field(default=2, ge=1, le=5)
    """Longest word n-gram (DCLM: 2)."""
    epochs: int = Field(default=5, ge=1)
    """Passes over the training text (fastText's and DCLM's default)."""
    max_characters: int = Field(default=20_000, ge=200)
    """Characters of a document that the classifier reads."""
    held_out: float = Field(default=0.2, gt=0, lt=1)
    """Share of the groups (or documents) kept apart to measure F1 and AUC."""
    seed: int = 0
    """Seed of training and split."""


class DuplicateConfig(Section):
    """Exact and near duplicates: MinHash over word shingles, banded, every pair verified by exact Jaccard."""

    threshold: float = Field(default=0.7, gt=0, le=1)
    """Jaccard similarity from which two documents count as the same; the curve's middle is at 0.72."""
    shingle: int = Field(default=5, ge=1, le=20)
    """Words in a shingle (FineWeb: 5)."""
    bands: int = Field(default=14, ge=1, le=64)
    """Bands of the signature (FineWeb: 14); a shared band makes two documents candidates."""
    rows: int = Field(default=8, ge=1, le=32)
    """Hashes in a band (FineWeb: 8)."""
    bucket: int = Field(default=24, ge=2)
    """Up to this many documents in a bucket all pairs are compared; in larger ones, such as licence texts, each is
    compared with the first and with its neighbour, so that the work stays linear."""
    seed: int = 42
    """Seed of the hash functions."""


class FilterConfig(Section):
    """What is measured on every document, and which limits decide."""

    filters: tuple[FilterName, ...] = ALL_FILTERS
    """Filters that run; a rule whose filter does not run cannot drop anything."""
    profiles: dict[str, ProfileName] = Field(default_factory=lambda: {"synthetic": "synthetic"})
    """Profile by the document's source, else by its domain; `prose` for all others."""
    limits: dict[ProfileName, dict[str, Limit | None]] = Field(default_factory=dict)
    """Limits that replace those of the shipped profiles, by statistic; null switches a rule off."""
    language: LanguageConfig = LanguageConfig()
    """Language identification."""
    sensitive: SensitiveConfig = SensitiveConfig()
    """Secrets and personal data."""
    quality: QualityConfig = QualityConfig()
    """The quality classifier."""
    duplicates: DuplicateConfig = DuplicateConfig()
    """Exact and near duplicates."""


class BlendConfig(Section):
    """How much of each source goes into the mix."""

    tokens: int | None = Field(default=None, ge=1)
    """Token budget of the mix; when not set, everything once."""
    weights: dict[str, float] = Field(default_factory=dict)
    """Share of the budget by source, in any unit; when empty, the natural proportions."""
    max_epochs: float = Field(default=4.0, gt=0)
    """A source is repeated at most this often: to about four times, repeated tokens are worth nearly as much as new
    ones (Muennighoff et al. 2023, section 5)."""
    fill: bool = True
    """Let other sources take what a source at its cap cannot give, so that the budget is met; else stay short."""
    held_out: float = Field(default=0.02, ge=0, lt=1)
    """Share of documents, chosen by id before blending, that is never trained on."""
