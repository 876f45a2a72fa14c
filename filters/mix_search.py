"""Weights of a blend by small proxies: train many on random mixes, learn loss from weights, propose what should be best.

After RegMix (Liu et al. 2024, arXiv 2407.01492): mixes are drawn around the sources' own proportions and around even
ones, a regression learns from them, and the mean of the best of many simulated mixes is the proposal. How far it can be trusted is measured on mixes
that it did not learn from, beside the same regression on shuffled losses; and the proposal is trained and held against the
best mix that was drawn: a search that does not beat a draw of the same number has found nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpus.errors import RecipeError
from corpus.ids import seed_from
from filters.evaluation import spearman

Train = Callable[[Mapping[str, float]], float]  # loss of a proxy trained on these weights; lower is better
Each = Callable[[Train, Sequence[Mapping[str, float]]], Iterable[float]]  # runs them, in order; side by side if it can
SIMULATED, BEST = 20_000, 100  # mixes that are predicted, and of them those whose mean is proposed (RegMix: 100)
STRENGTHS = (0.5, 1.0, 2.0, 5.0)  # of the draw around the proportions: from nearly one source to nearly them
BENDS = (1.0, 0.5, 0.0)  # powers of the proportions that are drawn around
LEAST = 8  # mixes to learn from
FLOOR = 0.02  # of a part's proportion, so that one with few tokens is tried at all


@dataclass(frozen=True, slots=True)
class Trial:
    """A mix and the loss of its proxy."""

    weights: dict[str, float]
    loss: float


@dataclass(frozen=True, slots=True)
class MixSearch:
    """What was found. `rank` is Spearman's, of predicted and true losses of mixes that were not learned from; `shuffled`
    the same after learning shuffled losses (near 0, or the figure means nothing)."""

    learned: tuple[Trial, ...]
    held_out: tuple[Trial, ...]
    rank: float
    shuffled: float
    natural: Trial
    best_drawn: Trial
    proposed: Trial
    predicted: float

    @property
    def better(self) -> bool:
        """Whether the proposal, trained, beats the best mix that was drawn and the sources' own proportions."""
        return self.proposed.loss < min(self.best_drawn.loss, self.natural.loss)


def search_mix(
    tokens: Mapping[str, int], train: Train, *, mixes: int = 32, held_out: int = 8, seed: int = 17, each: Each = map
) -> MixSearch:
    """Try `mixes` + `held_out` draws, the natural mix and the proposal; `tokens` says what each part has.

    Raises `RecipeError` for fewer than two parts with text, or fewer than eight mixes to learn from.
    """
    names = sorted(name for name, count in tokens.items() if count > 0)
    if len(names) < 2 or mixes < LEAST or held_out < 3:
        raise RecipeError(
            f"{len(names)} parts, {mixes} mixes and {held_out} held out: a search needs 2, {LEAST} and 3 at least"
        )
    share = np.array([tokens[name] for name in names], float)
    share = np.maximum(share / share.sum(), FLOOR)
    share /= share.sum()
    draws = drawn_mixes(share, mixes + held_out, seed)
    asked = [_named(names, weights) for weights in (*draws, share)]
    losses = np.array(list(each(train, asked)), float)
    if not np.isfinite(losses).all():
        raise RecipeError(f"the proxy of {asked[int(np.argmin(np.isfinite(losses)))]} has no finite loss")
    trials = [Trial(weights, float(loss)) for weights, loss in zip(asked, losses, strict=True)]
    known, unseen = slice(0, mixes), slice(mixes, mixes + held_out)
    model = fit_losses(draws[known], losses[known], seed)
    mixed = np.random.default_rng(seed_from("shuffled losses", seed)).permutation(losses[known])
    chosen = propose(model, share, seed)
    return MixSearch(
        learned=tuple(trials[known]),
        held_out=tuple(trials[unseen]),
        rank=spearman(model(draws[unseen]), losses[unseen]),
        shuffled=spearman(fit_losses(draws[known], mixed, seed)(draws[unseen]), losses[unseen]),
        natural=trials[-1],
        best_drawn=min(trials[:-1], key=lambda trial: trial.loss),
        proposed=Trial(_named(names, chosen), float(next(iter(each(train, [_named(names, chosen)]))))),
        predicted=float(model(chosen[None])[0]),
    )


def drawn_mixes(share: np.ndarray, count: int, seed: int) -> np.ndarray:
    """float [count, parts], rows of sum 1: Dirichlet draws of several strengths, in turn around `share`, around even parts
    and between the two, since the best mix of parts of very different sizes is seldom near their proportions."""
    draw = np.random.default_rng(seed_from("mixes", seed))
    found = []
    for number in range(count):
        around = share ** BENDS[number % len(BENDS)]
        strength = len(share) * STRENGTHS[number // len(BENDS) % len(STRENGTHS)]
        found.append(draw.dirichlet(np.maximum(strength * around / around.sum(), 1e-2)))
    return np.stack(found)


def fit_losses(mixes: np.ndarray, losses: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """What predicts losses (float [n]) of mixes (float [n, parts]): a Gaussian process on the roots of the weights.

    Roots, because the first tokens of a part matter most; a process, because forty mixes are few for trees.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * RBF(0.5, (0.1, 5.0)) + WhiteKernel(1e-2, (1e-6, 1.0))
    model: Any = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # a length at its bound only says that a part hardly matters
        model.fit(np.sqrt(mixes), losses)
    return lambda wanted: np.asarray(model.predict(np.sqrt(wanted)), float)


def propose(model: Callable[[np.ndarray], np.ndarray], share: np.ndarray, seed: int) -> np.ndarray:
    """The mean of the best simulated mixes, float [parts]."""
    simulated = drawn_mixes(share, SIMULATED, seed + 1)
    best = simulated[np.argsort(model(simulated), kind="stable")[:BEST]]
    return best.mean(axis=0) / best.mean(axis=0).sum()


def _named(names: Sequence[str], weights: np.ndarray) -> dict[str, float]:
    return {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)}
