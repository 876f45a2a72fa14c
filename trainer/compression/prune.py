"""Structured pruning: whole layers, feed-forward neurons or attention heads go, and a smaller Llama remains.

What is kept was found on text: neurons by the size of what they write, heads likewise, layers by how little they turn the
stream (Men et al. 2024, "ShortGPT": 1 − cosine of what goes in and comes out). The result is an ordinary model that vLLM
serves; training it on a little (`init`, better with `distil` from the unpruned one) heals it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from corpus.errors import RecipeError

STEP = 32  # neurons are kept in multiples of this, so that 4 bits and fast kernels fit


def prune(model: Any, windows: torch.Tensor, *, layers: float = 1.0, ff: float = 1.0, heads: float = 1.0) -> Any:
    """The model with these shares of its parts; `windows` int64 [n, context] of text decide which.

    Heads go by the groups that share a key and a value; their number has to divide the width, as transformers asks, so
    it may come out lower than the share. Raises `RecipeError` for other than Llama.
    """
    if model.config.model_type != "llama":
        raise RecipeError(f"a model of type {model.config.model_type} cannot be pruned, only Llama")
    found = _importance(model, windows)
    config = copy.deepcopy(model.config)
    config.head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    group = config.num_attention_heads // config.num_key_value_heads
    kept_layers = _best(found["layers"], max(1, round(layers * len(found["layers"]))))
    neurons = max(STEP, round(ff * config.intermediate_size / STEP) * STEP)
    groups = _heads(config, heads)
    config.num_hidden_layers, config.intermediate_size = len(kept_layers), min(neurons, config.intermediate_size)
    config.num_key_value_heads, config.num_attention_heads = groups, groups * group
    smaller: Any = type(model)(config).float()
    values = {name: value for name, value in model.state_dict().items() if ".layers." not in name}
    for new, old in enumerate(kept_layers):
        ff_kept = _best(found["ff"][old], config.intermediate_size)
        head_kept = _best(found["heads"][old].reshape(-1, group).sum(1), groups)
        for name, value in model.model.layers[old].state_dict().items():
            values[f"model.layers.{new}.{name}"] = _cut(name, value, ff_kept, head_kept, group, config.head_dim)
    smaller.load_state_dict(values)
    return smaller


def _heads(config: Any, share: float) -> int:
    """Groups of heads that are kept: the most that the share allows and whose heads divide the width."""
    group = config.num_attention_heads // config.num_key_value_heads
    most = max(1, round(share * config.num_key_value_heads))
    return next((count for count in range(most, 1, -1) if config.hidden_size % (count * group) == 0), 1)


def _cut(name: str, value: torch.Tensor, neurons: list[int], groups: list[int], group: int, size: int) -> torch.Tensor:
    heads = [g * group + n for g in groups for n in range(group)]
    rows: dict[str, Callable[[], torch.Tensor]] = {
        "gate_proj": lambda: value[neurons], "up_proj": lambda: value[neurons], "down_proj": lambda: value[:, neurons],
        "q_proj": lambda: value[_spread(heads, size)], "k_proj": lambda: value[_spread(groups, size)],
        "v_proj": lambda: value[_spread(groups, size)], "o_proj": lambda: value[:, _spread(heads, size)],
    }  # fmt: skip
    return next((cut() for part, cut in rows.items() if part in name), value)


@torch.no_grad()
def _importance(model: Any, windows: torch.Tensor) -> dict[str, Any]:
    """What each layer, neuron and head does to the stream of these windows."""
    size = getattr(model.config, "head_dim", None) or model.config.hidden_size // model.config.num_attention_heads
    count = model.config.num_hidden_layers
    turned, ff, heads = torch.zeros(count), [0.0] * count, [0.0] * count
    with _watched(model) as seen:
        model(input_ids=windows, use_cache=False)
    for place, layer in enumerate(model.model.layers):
        given, made = seen[f"{place}.in"], seen[f"{place}.out"]
        turned[place] = 1 - torch.nn.functional.cosine_similarity(given, made, dim=-1).mean()
        # What a neuron writes is its activation times its column, what a head writes its output through its columns.
        ff[place] = seen[f"{place}.ff"].flatten(0, 1).abs().mean(0) * layer.mlp.down_proj.weight.norm(dim=0)
        written = seen[f"{place}.heads"].flatten(0, 1).square().mean(0) * layer.self_attn.o_proj.weight.square().sum(0)
        heads[place] = written.reshape(-1, size).sum(1)
    return {"layers": turned, "ff": ff, "heads": heads}


@contextmanager
def _watched(model: Any) -> Iterator[dict[str, torch.Tensor]]:
    seen: dict[str, torch.Tensor] = {}
    hooks = []
    for place, layer in enumerate(model.model.layers):
        for part, module in (("ff", layer.mlp.down_proj), ("heads", layer.self_attn.o_proj)):
            hooks.append(module.register_forward_pre_hook(_keep(seen, f"{place}.{part}")))
        hooks.append(layer.register_forward_hook(_keep_both(seen, place)))
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _keep(seen: dict[str, torch.Tensor], name: str) -> Callable[[Any, Any], None]:
    def hook(_: Any, given: Any) -> None:
        seen[name] = given[0]

    return hook


def _keep_both(seen: dict[str, torch.Tensor], place: int) -> Callable[[Any, Any, Any], None]:
    def hook(_: Any, given: Any, made: Any) -> None:
        seen[f"{place}.in"], seen[f"{place}.out"] = given[0], made[0] if isinstance(made, tuple) else made

    return hook


def _best(scores: torch.Tensor, count: int) -> list[int]:
    """Places of the `count` highest, in their order."""
    return sorted(scores.topk(count).indices.tolist())


def _spread(places: Sequence[int], size: int) -> list[int]:
    return [place * size + n for place in places for n in range(size)]
