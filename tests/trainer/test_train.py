"""Training ends with the same bits however often it is killed; damage and other data are refused."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from corpus.errors import IncompleteError, StateError
from trainer.batches import Stream, batch
from trainer.config import StudentConfig
from trainer.evaluate import bits_per_byte, paired_difference, sample
from trainer.export import export
from trainer.loss import StudentLoss
from trainer.model import build
from trainer.muon import Muon, orthogonal
from trainer.optimizers import split_parameters
from trainer.packing import TokenShards
from trainer.schedule import rate
from trainer.tokenizer import load_tokenizer
from trainer.train import train

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from pathlib import Path
from trainer.config import StudentConfig
from trainer.train import train
train(StudentConfig.model_validate_json(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]),
      progress=lambda p: print(p.step, flush=True))
"""


def weights(model: Path) -> bytes:
    return (model / "model.safetensors").read_bytes()


def test_a_stopped_run_ends_bit_for_bit_like_one_that_was_not(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    whole = train(config, shards.folder, tokenizer, tmp_path / "whole")
    seen: list[int] = []
    for stop_at in (2, 5, 9):
        with pytest.raises(IncompleteError):
            train(config, shards.folder, tokenizer, tmp_path / "cut", progress=lambda p: seen.append(p.step),
                  should_stop=lambda at=stop_at: seen[-1] >= at)  # fmt: skip
    cut = train(config, shards.folder, tokenizer, tmp_path / "cut")
    assert weights(cut.model) == weights(whole.model)
    assert cut.curve == whole.curve


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 23))])
def test_a_killed_run_ends_bit_for_bit_like_one_that_was_not(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, seed: int
) -> None:
    whole = train(config, shards.folder, tokenizer, tmp_path / "whole")
    command = [
        sys.executable,
        "-c",
        RUN,
        config.model_dump_json(),
        str(shards.folder),
        str(tokenizer),
        str(tmp_path / "cut"),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(random.Random(seed).randint(2, 10)):
        process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.02))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    cut = train(config, shards.folder, tokenizer, tmp_path / "cut")
    assert weights(cut.model) == weights(whole.model)


def test_a_damaged_checkpoint_is_named(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    steps: list[int] = []
    with pytest.raises(IncompleteError):
        train(
            config,
            shards.folder,
            tokenizer,
            tmp_path,
            progress=lambda p: steps.append(p.step),
            should_stop=lambda: steps[-1] >= 4,
        )
    path = sorted(tmp_path.glob("step-*"))[-1] / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(StateError, match=r"model\.safetensors"):
        train(config, shards.folder, tokenizer, tmp_path)


def test_another_recipe_in_the_same_folder_is_refused(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    train(config, shards.folder, tokenizer, tmp_path)
    with pytest.raises(StateError, match="another recipe"):
        train(config.model_copy(update={"seed": 9}), shards.folder, tokenizer, tmp_path)


def test_a_batch_depends_on_seed_and_step_alone(shards: TokenShards) -> None:
    alone = batch(1, 7, shards, windows=4, context=32)
    for step in range(8):
        walked = batch(1, step, shards, windows=4, context=32)
    assert np.array_equal(alone[0], walked[0])
    assert np.array_equal(alone[0][:, 1:], alone[1][:, :-1])
    assert not np.array_equal(alone[0], batch(2, 7, shards, windows=4, context=32)[0])


def test_windows_in_the_given_order_walk_along_the_text(shards: TokenShards) -> None:
    plan = Stream(shards.pack["tokens"], 32, given=True)
    walked = np.concatenate([plan.places(5, step, 4).inputs.ravel() for step in range(3)])
    assert np.array_equal(walked, np.arange(3 * 4 * 32))
    epoch = (shards.pack["tokens"] - 1) // 32
    assert plan.places(5, 0, epoch + 1).inputs[-1, 0] == 0  # from the start again
    assert np.array_equal(plan.places(5, 1, 4).inputs, plan.places(6, 1, 4).inputs)


def test_the_model_is_causal(config: StudentConfig) -> None:
    model = build(config, 320, 0).eval()
    ids = torch.randint(0, 320, (1, 16))
    changed = ids.clone()
    changed[0, 10:] = 1
    with torch.inference_mode():
        a, b = model(input_ids=ids).logits, model(input_ids=changed).logits
    assert torch.allclose(a[0, :10], b[0, :10], atol=1e-6)
    assert not torch.allclose(a[0, 10:], b[0, 10:], atol=1e-3)


def test_it_can_learn_sixty_four_tokens_by_heart(config: StudentConfig) -> None:
    model = build(config, 320, 0)
    ids = torch.randint(0, 320, (2, 33), generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    loss_of = StudentLoss(model, "float32")
    for _ in range(80):
        loss = loss_of(ids[:, :-1], ids[:, 1:])[0] / 64
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2


def test_muon_holds_the_matrices_inside_the_blocks_only(config: StudentConfig) -> None:
    model = build(config, 320, 0)
    matrices, others = split_parameters(model)
    assert len(matrices) == 2 * 7
    assert all(item.ndim == 2 for item in matrices)
    assert sum(item.numel() for item in matrices) + sum(item.numel() for item in others) == sum(
        item.numel() for item in model.parameters()
    )


def test_the_rate_rises_stays_and_falls(config: StudentConfig) -> None:
    shape = config.schedule.model_copy(update={"warmup": 0.1, "decay": 0.4})
    rates = [rate(step, 100, shape) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert set(rates[10:60]) == {1.0}
    assert rates[60:] == sorted(rates[60:], reverse=True)
    assert 0 < rates[-1] < 0.05


def test_bits_per_byte_agree_with_a_sum_by_hand_and_the_export_with_the_training_model(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    result = train(config, shards.folder, tokenizer, tmp_path)
    text = "The river turns under the stone."
    found = bits_per_byte(result.model, [text])
    model = AutoModelForCausalLM.from_pretrained(result.model)
    ids = AutoTokenizer.from_pretrained(result.model)(text, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        logs = model(input_ids=ids).logits.log_softmax(-1)
    nats = -sum(float(logs[0, place, ids[0, place + 1]]) for place in range(ids.shape[1] - 1))
    assert found.mean == pytest.approx(nats / np.log(2) / len(text.encode()), abs=1e-4)
    assert paired_difference(found, found, 0) == (0.0, 0.0, 0.0)
    assert sample(result.model, ["The river"], 5, seed=1) == sample(result.model, ["The river"], 5, seed=1)


def test_the_export_computes_what_the_training_model_computes(
    config: StudentConfig, tokenizer: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    size = load_tokenizer(tokenizer).get_vocab_size()
    model = build(config, size, eos=0)
    with torch.no_grad():
        for parameter in model.parameters():  # logits of a fresh model are near nothing, and so would be any error
            parameter.mul_(2.0)
    ids = torch.randint(0, size, (4, config.model.context), generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        here = model(input_ids=ids).logits
        there = AutoModelForCausalLM.from_pretrained(export(model, tokenizer, tmp_path / "model"))(input_ids=ids).logits
    difference = float((here - there).abs().max())
    print(f"largest difference of a logit: {difference:.1e}, of logits up to {float(here.abs().max()):.1f}")
    assert difference <= 1e-5
    assert float(here.abs().max()) > 1.0


def test_long_documents_are_scored_whole(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    model = train(config, shards.folder, tokenizer, tmp_path).model
    long = "The river turns under the stone and the light. " * 30
    found = bits_per_byte(model, ["Short one.", long, ""])
    assert found.bytes.tolist() == [10, len(long), 0]
    assert found.nats[2] == 0
    assert found.nats[1] > 10 * found.nats[0] > 0


def test_a_run_keeps_the_precision_that_it_began_with(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped on a processor with bfloat16, resumed on one without."""
    monkeypatch.setattr("trainer.train.precision", lambda wanted, device: "bfloat16")
    whole = train(config, shards.folder, tokenizer, tmp_path / "whole")
    seen: list[int] = []
    with pytest.raises(IncompleteError):
        train(config, shards.folder, tokenizer, tmp_path / "cut", progress=lambda p: seen.append(p.step),
              should_stop=lambda: seen[-1] >= 5)  # fmt: skip
    monkeypatch.setattr("trainer.train.precision", lambda wanted, device: "float32")
    assert weights(train(config, shards.folder, tokenizer, tmp_path / "cut").model) == weights(whole.model)
    assert weights(train(config, shards.folder, tokenizer, tmp_path / "other").model) != weights(whole.model)


def test_muon_gives_the_bits_of_the_library_in_bfloat16_and_orthogonal_updates_in_float32() -> None:
    draw = torch.Generator().manual_seed(3)
    start = [torch.randn(shape, generator=draw) for shape in ((8, 20), (20, 8), (8, 8))]
    ours, theirs = ([torch.nn.Parameter(item.clone()) for item in start] for _ in range(2))
    mine = Muon(ours, lr=0.02, weight_decay=0.1, dtype=torch.bfloat16)
    library = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1)
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=draw)
            other.grad = one.grad.clone()
        mine.step()
        library.step()
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))
    values = torch.linalg.svdvals(orthogonal(start[0], torch.float32))
    assert 0.5 < values.min() < values.max() < 1.3
