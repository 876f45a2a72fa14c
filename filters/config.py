"""The recipe sections that say what is kept and how it is blended."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Section

ProfileName = Literal["prose", "fineweb", "code", "synthetic", "chinese"]
Policy = Literal["drop", "mask", "report"]


class Limit(Section):
    """The range in which a statistic is fine; a side that is not set is open."""

    at_least: float | None = None
    """Smallest value that is kept."""
    at_most: float | None = None
    """Largest value that is kept."""


class CleanConfig(Section):
    """What cleaning changes in the texts that were read. What it did is kept beside each document."""

    characters: bool = True
    """Undo mojibake, make line ends plain, take out what cannot be seen, compose to NFC, and give letters, digits and
    punctuation the width that the script has."""
    boilerplate: bool = True
    """Take out lines of a page's frame: menus, cookie banners, share buttons, copyright lines."""
    repeats: bool = True
    """Take out long paragraphs that the same document has said already."""
    leave: tuple[str, ...] = ("python-code",)
    """Sources or domains that are left as they are: program text."""

    @property
    def any(self) -> bool:
        """Whether it edits anything at all."""
        return self.characters or self.boilerplate or self.repeats


class DuplicatesConfig(Section):
    """Exact and near duplicates: MinHash over word shingles, every candidate verified by exact Jaccard similarity."""

    threshold: float = Field(default=0.8, gt=0, le=1)
    """Exact Jaccard similarity from which two texts count as one."""
    shingle: int = Field(default=5, ge=1, le=20)
    """Words in a shingle (FineWeb: 5); shorter texts are only compared exactly."""
    bands: int = Field(default=14, ge=1, le=64)
    """Bands of the index (FineWeb: 14); texts that share a band are compared."""
    rows: int = Field(default=8, ge=1, le=32)
    """Hashes in a band (FineWeb: 8); 14 × 8 finds a pair of similarity .8 with probability .924."""
    bucket: int = Field(default=24, ge=2)
    """Up to this many texts in a bucket all pairs are compared; in larger ones, such as licence texts, each is compared
    with the first and with its neighbour, so that the work stays linear."""


class DecontaminateConfig(Section):
    """Benchmarks that no kept text and no prompt may hold."""

    against: tuple[str, ...] = ()
    """Benchmarks: JSONL or Parquet files, `humaneval`, `mbpp`, `gsm8k`, `arc_easy`, `arc_challenge`, `mmlu` and others
    by short name, or `owner/name:config:split` on the hub. None when empty."""
    ngram: int = Field(default=5, ge=3, le=20)
    """Words that match in a row (decon: 5; GPT-3 took 13 and misses short items)."""
    coverage: float = Field(default=0.5, gt=0, le=1)
    """Share of an item's words, weighted by how rare they are, from which a text counts as contaminated."""
    code: float = Field(default=0.85, gt=0, le=1)
    """Similarity of two functions' syntax trees from which a text counts as contaminated (phi-1: .80 to .95)."""
    paraphrase: float = Field(default=0.75, gt=0, le=1)
    """Cosine similarity from which a sampled text is named as a possible paraphrase; nothing is dropped for it. By MiniLM
    2 % of other questions of a benchmark come as near."""


class FactsConfig(Section):
    """Facts against the seed: how much a text that was written from a source may say that the source does not."""

    numbers: int | None = Field(default=None, ge=0)
    """Most numbers that the source does not support; not looked at when not set."""
    names: int | None = Field(default=None, ge=0)
    """Most names that the source does not support; not looked at when not set."""
    claims: float | None = Field(default=None, ge=0, le=1)
    """Largest share of sentences with mostly other words than the source's; not looked at when not set."""

    @property
    def asked(self) -> bool:
        """Whether anything is looked at."""
        return any(limit is not None for limit in (self.numbers, self.names, self.claims))


class ToxicConfig(Section):
    """Abusive, adult and advertising text, by how dense its words stand and by a classifier. A limit that is null is off."""

    abuse: float | None = Field(default=0.015, gt=0)
    """Largest density of abusive words: five strong ones in 300 words, one in fewer than fifty."""
    adult: float | None = Field(default=0.02, gt=0)
    """Largest density of pornographic words; those of medicine are no part of the list."""
    advert: float | None = Field(default=0.02, gt=0)
    """Largest density of advertising phrases."""
    classifier: str = ""
    """File of a classifier that `hornbook filter classifier train` learned, toxic text as its first kind; none if empty."""
    least: float = Field(default=0.9, gt=0, le=1)
    """Probability by that classifier from which a text is toxic."""


class FilterConfig(Section):
    """What is kept. Scores are stored; these thresholds decide over them."""

    profiles: dict[str, ProfileName] = Field(
        default_factory=lambda: dict[str, ProfileName](
            {"synthetic": "synthetic", "python-code": "code", "zh": "chinese"}
        )
    )
    """Rule profile by source, by domain, or by language, in this order; `prose` where none is named."""
    limits: dict[ProfileName, dict[str, Limit | None]] = Field(default_factory=dict)
    """Limits that replace those of the shipped profiles, by statistic; null switches a rule off."""
    languages: tuple[str, ...] = ("en",)
    """Languages that are kept, as ISO 639-1 codes; when empty, each text must be in the language its row declares."""
    language_confidence: float = Field(default=0.5, ge=0, le=1)
    """Least confidence of the language model (FineWeb: .65 for web pages; technical text scores lower)."""
    quality: float = Field(default=0.5, ge=0, le=1)
    """Least score of the quality classifier for web text, 0 to 1; 0 keeps all. Of a classifier of points from 0 to 5,
    FineWeb-Edu's threshold 3 is 0.6."""
    quality_top: float | None = Field(default=None, gt=0, le=1)
    """Share of the web texts that is kept, the best by the classifier first (DCLM: 0.1), of those above `quality`."""
    classifier: str | None = None
    """A classifier that is there already: a file, `dclm`, or `owner/name:file.bin@LABEL=POINTS` on the hub. When not set,
    one is trained from the two kinds below."""
    quality_positive: tuple[str, ...] = ("python-docs", "docstrings")
    """Domains whose text serves the classifier as the teaching kind."""
    quality_negative: tuple[str, ...] = ("changelog", "licence-text")
    """Domains whose text serves it as the other kind."""
    sensitive: Literal["drop", "report"] = "drop"
    """Text with secrets or checksummed personal data: drop it, or only report it."""
    policy: dict[str, Policy] = Field(default_factory=dict)
    """Another choice for single kinds of sensitive text: `drop` the document, `mask` the finding where the text is
    read (what the teacher writes is dropped instead), or only `report` it. E-mail, phone and IP addresses are reported: licences name their authors."""
    toxic: ToxicConfig = Field(default_factory=ToxicConfig)
    """Abusive, adult and advertising text."""
    duplicates: DuplicatesConfig = Field(default_factory=DuplicatesConfig)
    """Exact and near duplicates, over all sources together."""
    decontaminate: DecontaminateConfig = Field(default_factory=DecontaminateConfig)
    """Benchmarks that are kept out of texts, prompts and seeds."""
    facts: FactsConfig = Field(default_factory=FactsConfig)
    """What texts that were written from a source may say beyond it."""


class BlendConfig(Section):
    """What the student reads."""

    by: Literal["source", "domain", "language", "band"] = "source"
    """What the weights are by. A band is a fifth of the quality score: `0.0-0.2` to `0.8-1.0`; what the teacher wrote is
    `synthetic` under `source` and `band`."""
    weights: dict[str, float] = Field(default_factory=dict)
    """Share of the token budget by source, domain, language or band; by available tokens when empty."""
    preset: str | None = None
    """Weights of a published model by role, in place of `weights`: `phi-1.5`, `phi-1.5-web`, `phi-4`, `wrap`,
    `third-rewritten`, `mindllm` (docs/blend.md says where each is from)."""
    roles: dict[str, str] = Field(default_factory=dict)
    """Which part plays which role of the preset; a part that bears the name of a role plays it."""
    order: Literal["shuffled", "blocked", "staged", "sandwiched"] = "shuffled"
    """Order of reading: mixed evenly; part after part; each part from its stage on; the first part around the others."""
    sequence: tuple[str, ...] = ()
    """Parts from first to last, for an order that is not shuffled; those not named follow by name."""
    replay: float = Field(default=0.0, ge=0, le=0.5)
    """Share of every later block that is kept for readings of earlier ones (1 to 5 % stop most forgetting)."""
    tokens: int | None = Field(default=None, ge=1)
    """Token budget by the teacher's tokenizer; all that is kept, once, when not set."""
    max_epochs: float = Field(default=4.0, ge=1)
    """Most often that a source may repeat (repeating up to 4 times costs little: Muennighoff 2023)."""
    held_out: float = Field(default=0.05, gt=0, lt=0.5)
    """Share of documents kept away from every training set, chosen by document id."""
    neutral: tuple[str, ...] = ()
    """Sources that no arm reads: the third held-out panel, beside curated-like and raw-like text, that favours neither."""

    @model_validator(mode="after")
    def _one_way_to_weigh(self) -> BlendConfig:
        if self.preset and self.weights:
            raise ValueError("give `weights` or `preset`, not both")
        if self.replay and self.order == "shuffled":
            raise ValueError("`replay` has a meaning only where one part follows another: set `order`")
        return self
