"""A student as one GGUF file, for llama.cpp and what is built on it: small devices, no Python.

Weights in 8 or 4 bits (blocks of 32 with a scale), embeddings too; norms whole. The tokenizer travels as tokens and
merges; how text is split before the merges is told by name only, and none of the names has digits in pairs, as the
tokenizers trained here have: numbers of three digits and more may be cut otherwise there. A trimmed teacher's tokenizer
keeps the teacher's splitting.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from corpus.errors import RecipeError, SetupError
from trainer import files
from trainer.tokenizer import TOKENIZER, TOKENIZER_CONFIG, load_tokenizer, start_token
from trainer.trimmed import KEPT

FILE = "model.gguf"
NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
NORMAL, CONTROL, UNUSED = 1, 3, 5  # kinds of tokens in the format


def write_gguf(model: Any, tokenizer: Path, out: Path, kind: str = "Q8_0") -> Path:
    """Write the folder `out`: `model.gguf`, and configuration and tokenizer beside it. `kind`: Q8_0, Q4_0 or F16.

    Raises `RecipeError` for other than Llama or a width that is no multiple of 32, `SetupError` without the package gguf.
    """
    gguf = _package()
    config = model.config
    if config.model_type != "llama" or config.hidden_size % 32 or config.intermediate_size % 32:
        raise RecipeError(
            f"GGUF blocks: a Llama whose widths are multiples of 32, not {config.model_type} of {config.hidden_size}"
        )
    with files.whole_folder(out, replace=True) as folder:
        writer = gguf.GGUFWriter(folder / FILE, "llama")
        _describe(writer, config)
        _vocabulary(writer, tokenizer, config.vocab_size)
        for name, value in model.state_dict().items():
            if name != "lm_head.weight" or not config.tie_word_embeddings:
                _add(gguf, writer, name, value, config, kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        model.config.save_pretrained(folder)
        for name in (TOKENIZER, TOKENIZER_CONFIG):
            shutil.copyfile(tokenizer / name, folder / name)
    return out


def load_gguf(folder: Path) -> Any:
    """The model of a folder that `write_gguf` wrote, in float32, with the weights that are in the file."""
    from transformers import AutoConfig, AutoModelForCausalLM

    gguf = _package()
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    stored = {item.name: item for item in gguf.GGUFReader(folder / FILE).tensors}
    values = {}
    for name in model.state_dict():
        found = stored.get(_name(name)) or stored["token_embd.weight"]  # a tied output is not stored twice
        value = torch.from_numpy(np.array(gguf.quants.dequantize(found.data, found.tensor_type), dtype=np.float32))
        values[name] = _turned(name, value, config, back=True)
    model.load_state_dict(values)
    return model


def _package() -> Any:
    try:
        import gguf
    except ImportError:
        raise SetupError("the package gguf is not installed", hint="pip install gguf") from None
    return gguf


def _describe(writer: Any, config: Any) -> None:
    rope = getattr(config, "rope_parameters", None) or {}
    writer.add_name("Hornbook student")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(_head(config))
    writer.add_key_length(_head(config))
    writer.add_value_length(_head(config))
    writer.add_rope_freq_base(float(rope.get("rope_theta", 10_000.0)))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _vocabulary(writer: Any, folder: Path, size: int) -> None:
    """Tokens and merges; outputs beyond the tokenizer (padding to 64) are unused tokens."""
    whole = json.loads((folder / TOKENIZER).read_text("utf-8"))
    vocabulary = {token: number for token, number in whole["model"]["vocab"].items()}
    special = {item["content"]: item["id"] for item in whole["added_tokens"]}
    names = {number: token for token, number in (vocabulary | special).items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2" if (folder / KEPT).is_file() else "llama-bpe")
    writer.add_token_list([names.get(number, f"[PAD{number}]") for number in range(size)])
    kinds = {number: CONTROL for number in special.values()}
    writer.add_token_types([kinds.get(number, NORMAL if number in names else UNUSED) for number in range(size)])
    writer.add_token_merges([item if isinstance(item, str) else " ".join(item) for item in whole["model"]["merges"]])
    start = start_token(load_tokenizer(folder), folder)
    writer.add_bos_token_id(start)
    writer.add_eos_token_id(start)
    writer.add_add_bos_token(True)


def _add(gguf: Any, writer: Any, name: str, value: torch.Tensor, config: Any, kind: str) -> None:
    data = _turned(name, value.detach().float().cpu(), config, back=False).contiguous().numpy()
    if data.ndim == 1:
        writer.add_tensor(_name(name), data)
        return
    form = gguf.GGMLQuantizationType[kind]
    packed = data.astype(np.float16) if kind == "F16" else gguf.quants.quantize(data, form)
    writer.add_tensor(_name(name), packed, raw_dtype=form)


def _name(name: str) -> str:
    """`model.layers.3.mlp.up_proj.weight` as `blk.3.ffn_up.weight`."""
    base = name.removesuffix(".weight")
    if ".layers." in name:
        number, _, part = base.partition(".layers.")[2].partition(".")
        return f"blk.{number}.{NAMES[part]}.weight"
    return f"{NAMES[base]}.weight"


def _turned(name: str, value: torch.Tensor, config: Any, *, back: bool) -> torch.Tensor:
    """llama.cpp turns pairs of neighbouring numbers where transformers turns numbers half a head apart."""
    if "q_proj" not in name and "k_proj" not in name:
        return value
    heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
    shape = (heads, _head(config) // 2, 2) if back else (heads, 2, _head(config) // 2)
    return value.reshape(*shape, -1).transpose(1, 2).reshape(value.shape)


def _head(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
