"""Only replies count; a conversation teaches each of its replies; the middle of the losses is what is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import RecipeError
from tests.trainer.conftest import texts
from trainer.batches import IGNORED, gather
from trainer.config import StudentConfig
from trainer.fitting import Documents
from trainer.instructions import Example, examples_of, middle, pack_examples, reply_nats
from trainer.packing import TokenShards
from trainer.tokenizer import load_tokenizer
from trainer.train import train


def test_every_token_of_a_reply_counts_and_no_other(tokenizer: Path, tmp_path: Path) -> None:
    examples = [Example("What moves?\n", "The river."), Example("And what is small?\n", "A stone, a letter.")]
    shards = pack_examples(examples, tokenizer, tmp_path / "packed")
    reader, plan = load_tokenizer(tokenizer), Documents(shards.offsets, 64)
    batch = gather(shards, plan.places(0, 0, plan.windows), masked=True)
    counted = batch.targets[batch.targets != IGNORED].tolist()
    replies = [[*reader.encode(item.reply, add_special_tokens=False).ids, shards.pack["eos"]] for item in examples]
    assert sorted(counted) == sorted(token for reply in replies for token in reply)


def test_a_conversation_gives_an_example_for_each_reply() -> None:
    row = {"messages": [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B."}, {"role": "user", "content": "C?"},
                        {"role": "assistant", "content": "D."}]}  # fmt: skip
    first, second = examples_of(row, "x")
    assert first == Example("### User:\nA?\n\n### Assistant:\n", "B.")
    assert second == Example("### User:\nA?\n\n### Assistant:\nB.\n\n### User:\nC?\n\n### Assistant:\n", "D.")
    (third,) = examples_of({"instruction": "Add.", "input": "1 + 1", "output": "2"}, "x")
    assert third.question == "### User:\nAdd.\n1 + 1\n\n### Assistant:\n"


@pytest.mark.parametrize("row", [{"text": "no instruction"}, {"messages": [{"role": "robot", "content": "x"}]}])
def test_what_is_no_instruction_is_named_with_its_place(row: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=r"file\.jsonl:3: "):
        list(examples_of(row, "file.jsonl:3"))


def test_replies_the_model_knows_have_less_loss_and_the_middle_is_between(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    model = train(config.model_copy(update={"tokens": 40 * 128}), shards.folder, tokenizer, tmp_path).model
    known, noise = texts(3), ["zq xv jk wq " * 6] * 3
    nats = reply_nats(model, [Example("", text) for text in (*known, *noise)])
    assert nats[:3].max() < nats[3:].min()


def test_the_middle_leaves_out_both_ends() -> None:
    nats = np.array([9.0, 1.0, 5.0, 4.0, 6.0, 0.5, 8.0, 5.5, 3.0, 7.0])
    kept = middle(nats, 0.4)
    assert sorted(nats[kept]) == [4.0, 5.0, 5.5, 6.0]
    assert middle(nats, 0.01).size == 1
