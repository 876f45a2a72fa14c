"""The recipe's section for the student: its shape, its budget of tokens, and how it is trained."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from corpus.config import Section
from corpus.ids import digest
from trainer.distil_config import DistilConfig

# Head sizes that vLLM's CPU attention accepts (CPUAttentionBackend.get_supported_head_sizes, vLLM 0.32); its GPU
# back ends take 32, 64, 80, 96, 112, 128, 160, 192, 224 and 256 too, so a student inside this list can be served.
HEAD_SIZES = (32, 64, 80, 96, 112, 128, 160, 192, 224, 256, 512)


TRIMMED = "teacher-trimmed"


class ModelConfig(Section):
    """The shape of a Llama: pre-norm RMSNorm, rotary positions, SwiGLU, tied embeddings."""

    layers: int = Field(default=4, ge=1)
    """Transformer blocks."""
    d_model: int = Field(default=128, ge=32)
    """Width of the residual stream."""
    heads: int = Field(default=4, ge=1)
    """Attention heads; `d_model / heads` must be a head size that vLLM serves."""
    kv_heads: int | None = Field(default=None, ge=1)
    """Key and value heads (grouped-query attention); as many as `heads` when not set."""
    ff: int = Field(default=352, ge=32)
    """Width inside the feed-forward block."""
    context: int = Field(default=256, ge=8)
    """Tokens in a training window, and the longest sequence that the exported model accepts."""
    rope_theta: float = Field(default=10_000.0, gt=0)
    """Base of the rotary position frequencies."""
    tied: bool = True
    """Share the embedding with the output matrix; right below about 50 M parameters."""

    @model_validator(mode="after")
    def _servable(self) -> Self:
        if self.d_model % self.heads:
            raise ValueError(f"d_model {self.d_model} is not a multiple of heads {self.heads}")
        if self.d_model // self.heads not in HEAD_SIZES:
            raise ValueError(
                f"d_model / heads is {self.d_model // self.heads}; vLLM serves head sizes {', '.join(map(str, HEAD_SIZES))}"
            )
        if self.heads % (self.kv_heads or self.heads):
            raise ValueError(f"heads {self.heads} is not a multiple of kv_heads {self.kv_heads}")
        return self


class OptimizerConfig(Section):
    """Muon for the matrices inside the blocks, AdamW for embeddings, output matrix and norms."""

    kind: Literal["muon", "adamw"] = "muon"
    """`muon`: Muon and AdamW as above, for training from scratch; `adamw`: AdamW for everything."""
    muon_lr: float = Field(default=0.02, gt=0)
    """Peak rate of Muon."""
    adamw_lr: float = Field(default=3e-3, gt=0)
    """Peak rate of AdamW."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Decoupled decay of the matrices that AdamW holds with `kind: adamw`; never of embeddings and norms."""
    muon_weight_decay: float = Field(default=0.0, ge=0)
    """Decoupled decay of the matrices that Muon holds."""
    beta1: float = Field(default=0.9, ge=0, lt=1)
    """AdamW's first moment."""
    beta2: float = Field(default=0.95, ge=0, lt=1)
    """AdamW's second moment."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the whole gradient."""


class ScheduleConfig(Section):
    """The rate rises linearly and falls in the end; what it does between is the kind."""

    kind: Literal["wsd", "cosine"] = "wsd"
    """`wsd`: stays, then falls linearly, so that one run can be cut at several budgets; `cosine`: falls from the start."""
    warmup: float = Field(default=0.02, ge=0, le=1)
    """Share of the steps spent rising."""
    decay: float = Field(default=0.4, ge=0, le=1)
    """Share of the steps spent falling, with `wsd`."""
    final: float = Field(default=0.0, ge=0, le=1)
    """Rate after the last step, as a share of the peak."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.warmup + self.decay > 1:
            raise ValueError(f"warmup {self.warmup} + decay {self.decay} is more than 1")
        return self


class StudentConfig(Section):
    """One student: everything that its weights depend on, and where it may run."""

    vocab_size: int = Field(default=4096, ge=320, le=1 << 20)
    """Tokens in the tokenizer that is trained on the mix (byte-level BPE), or kept of the teacher's."""
    tokenizer: str = "mix"
    """`mix`: trained on the text of all arms; `teacher-trimmed`: the teacher's, with the tokens that the text needs, which
    distillation asks for; or a folder that holds one. With `init` it is the one that the weights came with."""
    model: ModelConfig = ModelConfig()
    """The shape of the model; with `init` or `architecture` only its `context` counts."""
    init: str = ""
    """Folder or hub name of a causal language model whose weights training goes on from (continued pretraining)."""
    architecture: str = ""
    """Folder or hub name of a causal language model whose shape is taken, with new weights; a Llama when not set."""
    mask_documents: Literal["auto", "on", "off"] = "auto"
    """Keep each document from seeing the one before it in the window. `auto`: where windows hold whole documents."""
    packing: Literal["auto", "stream", "documents"] = "auto"
    """`stream`: windows are cut from the text as it runs, nothing is padded; `documents`: whole documents are fitted into
    windows, only those longer than the context are split. No token is left out by either. `auto`: `documents` for
    distillation, whose labels were made a document at a time, else `stream`."""
    order: Literal["shuffled", "given"] = "shuffled"
    """`shuffled`: windows in an order drawn from the seed; `given`: as the texts stand, for blends that are blocked or staged;
    a recipe with such a `blend.order` does so by itself."""

    distil: DistilConfig | None = None
    """What is learned from a teacher's soft labels; leave out to learn from the text alone."""
    tokens: int = Field(default=300_000, ge=1)
    """Training tokens, the same for each arm; rounded up to whole steps."""
    batch_tokens: int = Field(default=2048, ge=8)
    """Tokens in one optimizer step; a multiple of the context."""
    micro_batch_tokens: int | None = Field(default=None, ge=8)
    """Tokens in one forward pass; the step's gradients are summed over these. The whole batch when not set."""
    optimizer: OptimizerConfig = OptimizerConfig()
    """How the weights move."""
    schedule: ScheduleConfig = ScheduleConfig()
    """How fast they move, as a function of the step alone."""
    seed: int = Field(default=0, ge=0)
    """Seed of the initial weights and of the order of the data."""
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    """Precision of the matrix products (autocast); weights, optimizer and loss are always float32. `auto` is bfloat16
    where the processor has it and float32 where it would be emulated; a resumed run keeps what it began with."""
    compile: Literal["auto", "on", "off"] = "auto"
    """`auto` compiles only runs that are long enough to win back the minute that it costs."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` takes the GPU when there is one."""
    threads: int = Field(default=1, ge=1)
    """CPU threads of one worker."""
    workers: int = Field(default=1, ge=1)
    """Processes that share each step (data parallel); Ray places them, each on a GPU of its own where there are any."""
    parallel: Literal["ddp", "fsdp"] = "ddp"
    """What each of several workers holds. `ddp`: the whole model; `fsdp`: its part of weights, gradients and optimizer states,
    for models that do not fit (FSDP2). Checkpoints are the same, so a run may go on with the other, or with other workers."""
    track: tuple[Literal["tensorboard", "wandb"], ...] = ("tensorboard",)
    """Where curves go: `tensorboard` writes them beside the student, in `tensorboard/`; `wandb` sends them to Weights & Biases,
    or keeps them in `wandb/` with WANDB_MODE=offline."""
    checkpoint_every: int = Field(default=100, ge=1)
    """Steps between checkpoints; the last two are kept."""
    log_every: int = Field(default=5, ge=1)
    """Steps between two points of the loss curve."""
    watch: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - pydantic copies it
    """Held-out files by panel, measured while the student trains: what it gains in its field, what it loses elsewhere."""
    evaluations: int = Field(default=4, ge=1)
    """Times that `watch` is measured after the start, evenly spread, the last one after the last step."""
    held_out_documents: int = Field(default=48, ge=1)
    """Documents of each panel of `watch` that are measured, the first ones."""

    @model_validator(mode="after")
    def _whole_windows(self) -> Self:
        for name in ("batch_tokens", "micro_batch_tokens"):
            value = getattr(self, name)
            if value is not None and value % self.model.context:
                raise ValueError(f"{name} {value} is not a multiple of the context {self.model.context}")
        if self.batch_tokens % (self.micro_batch_tokens or self.batch_tokens):
            raise ValueError(f"batch_tokens {self.batch_tokens} is not a multiple of {self.micro_batch_tokens}")
        if self.windows % self.workers:
            raise ValueError(f"a step's {self.windows} windows cannot be shared by {self.workers} workers alike")
        if self.parallel == "fsdp" and self.distil and self.distil.on_policy:
            raise ValueError(
                "a student in parts (parallel: fsdp) cannot write text: distil.on_policy 0, or parallel: ddp"
            )
        if self.parallel == "fsdp" and self.watch:
            raise ValueError(
                "a student in parts (parallel: fsdp) is not measured on the way: no watch, or parallel: ddp"
            )
        if self.init and self.architecture:
            raise ValueError("`init` brings its own architecture: name one of the two")
        if self.init and self.tokenizer != "mix":
            raise ValueError("`init` brings its own tokenizer: leave `tokenizer` out")
        return self

    @property
    def whole_documents(self) -> bool:
        """Whether windows are fitted with whole documents."""
        return self.packing == "documents" or (self.packing == "auto" and self.distil is not None)

    @property
    def masked(self) -> bool:
        """Whether a document is kept from seeing the one before it."""
        return self.mask_documents == "on" or (self.mask_documents == "auto" and self.whole_documents)

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return -(-self.tokens // self.batch_tokens)

    @property
    def windows(self) -> int:
        """Windows of `context` tokens in one step."""
        return self.batch_tokens // self.model.context

    def identity(self) -> str:
        """Hash of what the weights depend on; where and how often things are written down is left out."""
        apart = {"compile", "device", "threads", "workers", "parallel", "track", "checkpoint_every", "log_every", "watch",
                 "evaluations", "held_out_documents"}  # fmt: skip
        return digest("student", self.model_dump(mode="json", exclude=apart))


PRESETS: dict[str, StudentConfig] = {
    # 1.3 M parameters: minutes on one CPU core.
    "tiny": StudentConfig(),
    # About 10 M parameters: an hour on a few cores, a minute on a GPU.
    "small": StudentConfig(
        vocab_size=8192,
        model=ModelConfig(layers=8, d_model=320, heads=5, ff=864, context=512),
        tokens=50_000_000,
        batch_tokens=16_384,
        checkpoint_every=250,
    ),
    # The size of GPT-2 small, with the depth and width of SmolLM2-135M's neighbours: one GPU, hours.
    "base": StudentConfig(
        vocab_size=32_768,
        model=ModelConfig(layers=12, d_model=768, heads=12, ff=2048, context=1024),
        tokens=2_500_000_000,
        batch_tokens=524_288,
        micro_batch_tokens=32_768,
        optimizer=OptimizerConfig(muon_lr=0.02, adamw_lr=1e-3),
        compile="on",
        checkpoint_every=500,
        log_every=10,
        evaluations=20,
        held_out_documents=500,
    ),
}
