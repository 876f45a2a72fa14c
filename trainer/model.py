"""The student's model: a Hugging Face causal language model from the first step, so that nothing is converted later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from corpus.errors import RecipeError, SetupError
from generator.text_only import leave_out_torchvision
from trainer.config import StudentConfig


def build(config: StudentConfig, vocab_size: int, eos: int) -> Any:
    """The model to train, in float32: the weights of `init`, else new ones that depend on `config.seed` alone.

    New ones have a vocabulary padded to a multiple of 64. Raises `RecipeError` where `init` does not fit the tokens.
    """
    quiet()
    if config.init:
        return _continued(config, vocab_size)
    from transformers import AutoModelForCausalLM

    settings = _settings_of(config, eos)
    settings.vocab_size = -(-vocab_size // 64) * 64
    settings.bos_token_id = settings.eos_token_id = eos
    settings.pad_token_id, settings.use_cache = None, False
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = AutoModelForCausalLM.from_config(settings, dtype=torch.float32)
    return model.float()


def load_model(source: str | Path, **options: Any) -> Any:
    """A causal language model by folder or hub name, in float32, never with code of its own; quantised students too."""
    quiet()
    from transformers import AutoModelForCausalLM

    from trainer.compression.quantise import is_quantised, load_quantised
    from trainer.gguf_file import FILE, load_gguf

    if (Path(source) / FILE).is_file():
        return load_gguf(Path(source))
    if is_quantised(Path(source)):
        return load_quantised(Path(source))
    try:
        return AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, trust_remote_code=False, **options)
    except (OSError, ValueError) as error:
        raise SetupError(f"{source}: no causal language model there: {str(error).splitlines()[0]}") from error


def device_of(config: StudentConfig) -> torch.device:
    """The device that the config names; `auto` takes the GPU when there is one."""
    if config.device != "auto":
        return torch.device(config.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def quiet() -> None:
    """Before the first import of transformers: no torchvision, and no bars that break into the run's own progress."""
    leave_out_torchvision()
    from transformers.utils import logging

    logging.disable_progress_bar()


def _continued(config: StudentConfig, vocab_size: int) -> Any:
    from trainer.compression.constrained import constrained

    model = constrained(load_model(config.init), Path(config.init))
    rows = model.get_input_embeddings().weight.shape[0]
    if vocab_size > rows:
        raise RecipeError(f"{config.init}: {rows:,} embeddings for a tokenizer of {vocab_size:,} tokens")
    if (longest := getattr(model.config, "max_position_embeddings", None)) and longest < config.model.context:
        raise RecipeError(
            f"student.model.context {config.model.context} is more than the {longest} positions of {config.init}"
        )
    model.config.use_cache = False
    return model.train()


def _settings_of(config: StudentConfig, eos: int) -> Any:
    """A configuration of transformers: the architecture that is named, else a Llama of the recipe's shape."""
    from transformers import AutoConfig, LlamaConfig

    if config.architecture:
        try:
            return AutoConfig.from_pretrained(config.architecture, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise SetupError(f"{config.architecture}: no model configuration there: {error}") from error
    shape = config.model
    return LlamaConfig(
        hidden_size=shape.d_model,
        intermediate_size=shape.ff,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads or shape.heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=shape.tied,
        bos_token_id=eos,
        eos_token_id=eos,
    )
