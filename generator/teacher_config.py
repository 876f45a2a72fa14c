"""The recipe section that says who writes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Section

EMBEDDED = "embedded"
EMBEDDED_LANGUAGES = ("en",)


class BatchConfig(Section):
    """How requests are handed in with `backend: batch`."""

    requests: int = Field(default=10_000, ge=1, le=50_000)
    """Requests in one batch; a provider takes 50,000 and 200 MB at most."""
    poll_s: float = Field(default=60.0, gt=0)
    """How often an open batch is looked after."""


class ServerConfig(Section):
    """A vLLM server that Hornbook starts itself."""

    port: int = Field(default=0, ge=0, le=65535)
    """Port on 127.0.0.1; a free one when 0."""
    max_num_seqs: int = Field(default=64, ge=1)
    """Requests that run at once."""
    max_model_len: int = Field(default=2048, ge=128)
    """Tokens of prompt and reply together."""
    kv_space_gib: int = Field(default=1, ge=1)
    """Memory for the key-value cache of the CPU build."""
    dtype: str = "auto"
    """Number format of the weights. `auto` is vLLM's own choice; on a CPU that would emulate bfloat16, float32."""
    startup_timeout_s: float = Field(default=600.0, gt=0)
    """How long it may take to be ready."""
    extra: tuple[str, ...] = ()
    """More flags for `vllm serve`, passed through as they are."""


class PriceConfig(Section):
    """What the teacher costs: by tokens, by the hour of a GPU, or both. Not part of any identity."""

    currency: str = "USD"
    """Label of every amount; any text."""
    prompt_per_million: float = Field(default=0.0, ge=0)
    """Price of a million prompt tokens."""
    completion_per_million: float = Field(default=0.0, ge=0)
    """Price of a million completion tokens."""
    gpu_hour: float = Field(default=0.0, ge=0)
    """Price of one GPU for an hour."""
    gpus: int = Field(default=1, ge=0)
    """GPUs that serve the teacher; forecasts tell GPU-hours with it."""

    @property
    def named(self) -> bool:
        """Whether anything has a price."""
        return bool(self.prompt_per_million or self.completion_per_million or self.gpu_hour)


class TeacherConfig(Section):
    """An OpenAI-compatible teacher: the embedded one, a model that Hornbook serves, or endpoints by URL."""

    model: str = EMBEDDED
    """`embedded` (SmolLM2-135M-Instruct, in a package), a local folder, or a model's name."""
    revision: str = "main"
    """Revision of the model; part of every request's identity."""
    endpoints: tuple[str, ...] = ()
    """Base URLs such as https://host/v1; when empty, Hornbook serves the model itself."""
    registry: str | None = None
    """File or URL that `hornbook teacher serve --register` keeps; the endpoints in it are asked."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; never the key itself."""
    terms: str = ""
    """Terms of use of an endpoint that is not on this machine; needed for one."""
    licence: str = "Apache-2.0"
    """Licence of what the teacher writes."""
    languages: tuple[str, ...] = ()
    """Languages that it writes well. Slots in another one are not asked and are short by `language`. When not set, every
    language is asked for; of the embedded teacher, which was trained on English, English alone."""
    tokenizer: str | None = None
    """Folder with a `tokenizer.json` that counts all budgets; the served model's own when not set."""
    temperature: float = Field(default=0.8, ge=0, le=2)
    """Sampling temperature."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Nucleus sampling."""
    top_logprobs: int = Field(default=0, ge=0, le=1000)
    """Soft labels: so many log-probabilities are kept for each token that the teacher writes, in the same call; 0 keeps
    none. Needs vLLM (which names tokens by id), started with `--max-logprobs` above 20 where more are asked for. A
    demand, not an identity: raising it later re-asks what carries fewer."""
    concurrency: int = Field(default=96, ge=1)
    """Requests in flight, over all askers. Half as many again as the server runs at once keep its queue from running
    dry when many replies end together."""
    timeout_s: float = Field(default=300.0, gt=0)
    """Longest time for one reply."""
    stall_s: float = Field(default=20.0, gt=0)
    """A reply is sent for again when it is this late and twice as late as 99 % of its fellows; with `stream`, when no
    token came for this long."""
    stream: bool = False
    """Take replies token by token: finds a stall sooner and keeps gateways from closing a silent connection, for about
    10 times the client's processor time."""
    backend: Literal["online", "batch"] = "online"
    """`batch` hands requests in at the endpoint's batch API: hours instead of minutes, usually for half the price."""
    batch: BatchConfig = Field(default_factory=BatchConfig)
    """How batches are handed in."""
    retries: int = Field(default=5, ge=0)
    """Sendings again after a failure of the machinery; such a failure never uses up a slot's attempt."""
    server: ServerConfig = Field(default_factory=ServerConfig)
    """The server that Hornbook starts when there is no endpoint."""
    price: PriceConfig = Field(default_factory=PriceConfig)
    """What it costs, for forecasts, caps and the ledger."""

    def writes(self, language: str) -> bool:
        """Whether texts in this language are asked for."""
        known = self.languages or (EMBEDDED_LANGUAGES if self.model == EMBEDDED else ())
        return not known or language in known

    @model_validator(mode="after")
    def _labels_come_whole(self) -> TeacherConfig:
        if self.top_logprobs and (self.stream or self.backend == "batch"):
            raise ValueError("`top_logprobs` needs replies that come whole: leave out `stream` and `backend: batch`")
        return self
