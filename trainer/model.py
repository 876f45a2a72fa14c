"""The student's model: a Hugging Face Llama from the first step, so that nothing is converted later."""

from __future__ import annotations

from typing import Any

import torch

from generator.text_only import leave_out_torchvision
from trainer.config import StudentConfig


def build(config: StudentConfig, vocab_size: int, eos: int) -> Any:
    """A `LlamaForCausalLM` with weights that depend on `config.seed` alone; vocabulary padded to a multiple of 64."""
    leave_out_torchvision()
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # its bars would break into the run's own progress
    shape = config.model
    settings = LlamaConfig(
        vocab_size=-(-vocab_size // 64) * 64,
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
        pad_token_id=None,
        use_cache=False,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = LlamaForCausalLM(settings)
    return model.float()


def device_of(config: StudentConfig) -> torch.device:
    """The device that the config names; `auto` takes the GPU when there is one."""
    if config.device != "auto":
        return torch.device(config.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def loss_of(model: Any, inputs: torch.Tensor, targets: torch.Tensor, dtype: str) -> torch.Tensor:
    """Summed cross-entropy in nats over all targets; products in `dtype`, log-softmax in float32."""
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=dtype == "bfloat16"):
        logits = model(input_ids=inputs).logits
    return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="sum")
