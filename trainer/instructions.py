"""Instruction tuning: questions and replies as token streams whose loss counts the reply alone, and which to keep.

The turns are plain text, so that every tokenizer has them; a reply ends with the end token. A conversation gives one
example for each of its replies, with all that was said before as the question. The same layout is written into the
exported tokenizer as its chat template, so vLLM and transformers ask as the student was taught.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from corpus.errors import RecipeError
from trainer import files
from trainer.batches import IGNORED
from trainer.model import load_model
from trainer.packing import Encoded, TokenShards, pack_encoded
from trainer.tokenizer import TOKENIZER_CONFIG, load_tokenizer, start_token

ROLES = {"system": "System", "user": "User", "assistant": "Assistant"}
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '### ' + message['role'].capitalize() + ':\\n' + message['content'] + '\\n\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '### Assistant:\\n' }}{% endif %}"
)
PAIRS = (("prompt", "response"), ("prompt", "completion"), ("instruction", "output"), ("question", "answer"))
AT_ONCE = 16  # examples in a forward pass


@dataclass(frozen=True, slots=True)
class Example:
    """`question` ends where the reply begins, turns and all."""

    question: str
    reply: str


def examples_of(row: Mapping[str, Any], where: str) -> Iterator[Example]:
    """The examples of a row: `messages`, or a pair such as `instruction` (with `input`) and `output`.

    Raises `RecipeError` that names the row's place for anything else.
    """
    if isinstance(row.get("messages"), Sequence):
        yield from _turns(row["messages"], where)
        return
    for asked, said in PAIRS:
        if isinstance(row.get(asked), str) and isinstance(row.get(said), str):
            more = f"\n{row['input']}" if row.get("input") else ""
            yield Example(asking([{"role": "user", "content": row[asked] + more}]), row[said])
            return
    known = ", ".join("/".join(pair) for pair in PAIRS)
    raise RecipeError(
        f"{where}: no instruction: fields {', '.join(sorted(row)) or 'none'}", hint=f"`messages`, or one of {known}"
    )


def asking(messages: Sequence[Mapping[str, str]]) -> str:
    """What the template makes of messages, up to where the assistant begins."""
    return "".join(f"### {ROLES[item['role']]}:\n{item['content']}\n\n" for item in messages) + "### Assistant:\n"


def pack_examples(examples: Iterable[Example], tokenizer: Path, out: Path) -> TokenShards:
    """Pack examples; only tokens of replies, and the end token after each, count. See `packing.pack`."""
    reader = load_tokenizer(tokenizer)

    def encoded() -> Iterator[Encoded]:
        for item in examples:
            asked, said = (reader.encode(text, add_special_tokens=False).ids for text in (item.question, item.reply))
            counted = [False] * len(asked) + [True] * (len(said) + 1)
            yield Encoded([*asked, *said], len(item.reply.encode()), counted)

    return pack_encoded(encoded(), tokenizer, out)


def reply_nats(model_folder: Path, examples: Sequence[Example]) -> np.ndarray:
    """Mean nats of each reply's tokens under a model, float64 [examples]: how far it is from what the model knows."""
    model, reader = load_model(model_folder).eval(), load_tokenizer(model_folder)
    start, context = start_token(reader, model_folder), model.config.max_position_embeddings
    found = np.zeros(len(examples))
    for first in range(0, len(examples), AT_ONCE):
        rows = [_row(reader, start, item, context) for item in examples[first : first + AT_ONCE]]
        found[first : first + AT_ONCE] = _mean_nats(model, rows, start)
    return found


def middle(nats: np.ndarray, share: float) -> np.ndarray:
    """Places of the `share` whose loss is nearest to the median, ascending: neither known already nor out of reach.

    MindLLM (arXiv 2310.15777) filters by entropy and gives no cut; that the band is the middle one is our choice.
    """
    rank = np.abs(np.argsort(np.argsort(nats, kind="stable"), kind="stable") - (len(nats) - 1) / 2)
    return np.sort(np.argsort(rank, kind="stable")[: max(1, round(share * len(nats)))])


def teach_template(model: Path) -> None:
    """Write the chat template into an exported model's tokenizer."""
    file = model / TOKENIZER_CONFIG
    settings = json.loads(file.read_text("utf-8")) | {"chat_template": TEMPLATE}
    files.write_whole(file, json.dumps(settings, indent=2).encode())


def _turns(messages: Sequence[Any], where: str) -> Iterator[Example]:
    before: list[Mapping[str, str]] = []
    for number, item in enumerate(messages):
        if not isinstance(item, Mapping) or item.get("role") not in ROLES or not isinstance(item.get("content"), str):
            raise RecipeError(
                f"{where}: messages[{number}] = {str(item)[:80]!r}: not a role ({', '.join(ROLES)}) with `content`"
            )
        if item["role"] == "assistant":
            yield Example(asking(before), item["content"])
        before.append(item)


def _row(reader: Any, start: int, item: Example, context: int) -> tuple[list[int], int]:
    """(ids, where the reply begins); the question loses its beginning where both are too long."""
    asked, said = (reader.encode(text, add_special_tokens=False).ids for text in (item.question, item.reply))
    said = said[: context - 2]
    asked = asked[max(0, len(asked) + len(said) + 1 - context) :]
    return [start, *asked, *said], 1 + len(asked)


def _mean_nats(model: Any, rows: list[tuple[list[int], int]], start: int) -> np.ndarray:
    longest = max(len(ids) for ids, _ in rows)
    given = torch.tensor([ids + [start] * (longest - len(ids)) for ids, _ in rows])
    targets = torch.tensor(
        [[IGNORED] * (begin - 1) + ids[begin:] + [IGNORED] * (longest - len(ids)) for ids, begin in rows]
    )
    with torch.inference_mode():
        logits = model(input_ids=given).logits[:, :-1].float()
    loss = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
    )
    counts = (targets != IGNORED).sum(1).clamp(min=1)
    return (loss.view(targets.shape).double().sum(1) / counts).numpy()
