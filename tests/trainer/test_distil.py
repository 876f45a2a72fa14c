"""Soft labels move the loss as they are said to: exactly where that can be computed, within a few percent where drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from trainer.distil import Dense, Entries, Soft, entries_of
from trainer.distil_config import DistilConfig
from trainer.loss import Hard

V, N, K = 40, 6, 9


@pytest.fixture
def student() -> torch.Tensor:
    return torch.randn(N, V, generator=torch.Generator().manual_seed(1)) * 2


@pytest.fixture
def teacher() -> torch.Tensor:
    """Log-probabilities, peaked like those of a language model."""
    return torch.log_softmax(torch.randn(N, V, generator=torch.Generator().manual_seed(2)) * 3, 1)


def targets(seed: int = 3) -> torch.Tensor:
    return torch.randint(0, V, (N,), generator=torch.Generator().manual_seed(seed))


def config(**values: object) -> DistilConfig:
    return DistilConfig.model_validate({"alpha": 1.0, **values})


def full(student: torch.Tensor, teacher: torch.Tensor, **values: object) -> tuple[torch.Tensor, torch.Tensor]:
    rule = Dense(
        targets(), lambda rows: teacher[rows], torch.ones(N), config(targets="full", teacher="there", **values)
    )
    total, _, gradient = rule(student, slice(0, N))
    return total, gradient


def cached(teacher: torch.Tensor, k: int = K) -> tuple[torch.Tensor, torch.Tensor]:
    logs, ids = teacher.topk(k, dim=1)
    return ids, logs


@pytest.mark.parametrize("kind", ["topk", "tail", "unbiased"])
def test_at_alpha_nothing_is_left_of_the_labels_bit_for_bit(
    student: torch.Tensor, teacher: torch.Tensor, kind: str
) -> None:
    settings = config(targets=kind, alpha=0.0)
    rule = Soft(targets(), entries_of(*cached(teacher), targets(), settings), settings)
    (soft, _, mine), (hard, _, plain) = (each(student, slice(0, N)) for each in (rule, Hard(targets())))
    assert torch.equal(soft, hard)
    assert torch.equal(mine, plain)


def test_the_expected_gradient_of_the_unbiased_target_is_that_of_the_whole_distribution(
    student: torch.Tensor, teacher: torch.Tensor
) -> None:
    """Exactly: summed over every token that the teacher may have drawn, with its probability."""
    settings, expected = config(targets="unbiased"), torch.zeros(N, V)
    for token in range(V):
        drawn = torch.full((N,), token)
        gradient = Soft(drawn, entries_of(*cached(teacher), drawn, settings), settings)(student, slice(0, N))[2]
        expected += teacher.exp()[:, token, None] * gradient
    assert torch.allclose(expected, full(student, teacher)[1], atol=1e-5)


def sampled(teacher: torch.Tensor, draws: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and logarithms of frequencies, as `teacher label --draws` keeps them."""
    found = torch.multinomial(teacher.exp(), draws, replacement=True, generator=torch.Generator().manual_seed(seed))
    counts = torch.zeros(N, V).scatter_add_(1, found, torch.ones(found.shape))
    weights, ids = counts.sort(1, descending=True)
    return ids[:, :draws], (weights / draws).log()[:, :draws]


def test_the_mean_gradient_of_drawn_targets_comes_to_that_of_the_whole_distribution(
    student: torch.Tensor, teacher: torch.Tensor
) -> None:
    settings, mean = config(targets="sampled"), torch.zeros(N, V)
    for seed in range(1000):
        rule = Soft(targets(), entries_of(*sampled(teacher, 12, seed), targets(), settings), settings)
        mean += rule(student, slice(0, N))[2] / 1000
    whole = full(student, teacher)[1]
    assert (mean - whole).norm() / whole.norm() < 0.05


def test_the_likeliest_entries_scaled_to_one_are_biased(student: torch.Tensor, teacher: torch.Tensor) -> None:
    settings = config(targets="topk")
    rule = Soft(targets(), entries_of(*cached(teacher, 4), targets(), settings), settings)
    whole = full(student, teacher)[1]
    assert (rule(student, slice(0, N))[2] - whole).norm() / whole.norm() > 0.1


@pytest.mark.parametrize("loss", ["forward", "reverse", "js"])
def test_a_bucket_for_the_rest_is_a_coarser_look_at_the_same_divergence(
    student: torch.Tensor, teacher: torch.Tensor, loss: str
) -> None:
    settings = config(targets="tail", loss=loss)
    coarse = Soft(targets(), entries_of(*cached(teacher), targets(), settings), settings)(student, slice(0, N))[0]
    fine, _ = full(student, teacher, loss=loss)
    assert 0 < coarse < fine + 1e-4
    everything = Entries(*_whole(teacher), torch.zeros(N), torch.ones(N))
    same = Soft(targets(), everything, settings)(student, slice(0, N))[0]
    assert same.item() == pytest.approx(fine.item(), rel=2e-2)


def _whole(teacher: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.arange(V).expand(N, V).contiguous(), teacher.exp()


@pytest.mark.parametrize("kind, alpha", [("tail", 0.6), ("topk", 0.3), ("unbiased", 0.9)])
def test_the_gradient_is_the_slope_of_the_loss(
    student: torch.Tensor, teacher: torch.Tensor, kind: str, alpha: float
) -> None:
    settings = config(targets=kind, alpha=alpha)
    rule = Soft(targets(), entries_of(*cached(teacher), targets(), settings), settings)
    gradient = rule(student, slice(0, N))[2]
    draw = torch.Generator().manual_seed(9)
    for _ in range(5):
        way = torch.randn(N, V, generator=draw)
        up, down = (rule(student + step * way, slice(0, N))[0] for step in (1e-2, -1e-2))
        assert (up - down).item() / 2e-2 == pytest.approx((gradient * way).sum().item(), rel=1e-2, abs=2e-3)


def test_heat_flattens_both_sides_and_keeps_the_size_of_the_gradient(
    student: torch.Tensor, teacher: torch.Tensor
) -> None:
    settings = config(targets="topk", temperature=2.0)
    everything = torch.arange(V).expand(N, V)
    soft = entries_of(torch.cat([everything, everything[:, :1]], 1), torch.cat([teacher, torch.full((N, 1), -torch.inf)], 1),
                      targets(), settings)  # fmt: skip
    mine = Soft(targets(), soft, settings)(student, slice(0, N))
    total, gradient = full(student, teacher, temperature=2.0)
    assert mine[0].item() == pytest.approx(total.item(), rel=1e-4)
    assert torch.allclose(mine[2], gradient, atol=1e-5)


def test_a_token_without_labels_is_learned_from_the_text(student: torch.Tensor, teacher: torch.Tensor) -> None:
    ids, logs = cached(teacher)
    logs[2:4] = -torch.inf
    settings = config(targets="unbiased")
    gradient = Soft(targets(), entries_of(ids, logs, targets(), settings), settings)(student, slice(0, N))[2]
    plain = Hard(targets())(student, slice(0, N))[2]
    assert torch.allclose(gradient[2:4], plain[2:4])
    assert not torch.allclose(gradient[:2], plain[:2], atol=1e-2)


@pytest.mark.parametrize("wrong", [
    {"loss": "reverse", "targets": "sampled"}, {"temperature": 2.0, "targets": "tail"}, {"targets": "full"},
    {"on_policy": 0.5, "targets": "topk", "teacher": "x"},
])  # fmt: skip
def test_what_cannot_be_computed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"needs|in this process"):
        DistilConfig.model_validate(wrong)


def test_the_last_cached_entry_depends_on_what_was_drawn_and_is_left_out() -> None:
    ids, logs = torch.tensor([[1, 2, 7]]), torch.tensor([[0.5, 0.3, 0.01]]).log()
    found = entries_of(ids, logs, torch.tensor([7]), config(targets="unbiased"))
    assert found.ids.tolist() == [[1, 2, 7]]
    assert np.allclose(found.weights, [[0.5, 0.3, 1.0]])
