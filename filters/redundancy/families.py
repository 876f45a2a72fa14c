"""Two families of regressors, so that a choice made by one is judged by the other as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from corpus.errors import RecipeError


class Regressor(Protocol):
    """What scikit-learn's regressors are: `features` float [n, d], `labels` float [n]."""

    def fit(self, features: np.ndarray, labels: np.ndarray) -> Any:
        """Learn."""
        ...

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Labels of `features`, float [n]."""
        ...


Family = Callable[[int], Regressor]  # a fresh regressor for a seed


def forest(seed: int) -> Regressor:
    """A random forest as in the paper: 100 trees, a third of the features at a split."""
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(100, max_features=1 / 3, random_state=seed, n_jobs=1)


def extra(seed: int) -> Regressor:
    """Extremely randomised trees: another way to grow a forest, fast enough to judge every point of a curve."""
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(100, random_state=seed, n_jobs=1)


def boosted(seed: int) -> Regressor:
    """Gradient boosting by histograms, the paper's second family (it used XGBoost: 1,000 trees at rate .25)."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=200, learning_rate=0.1, random_state=seed)


FAMILIES: dict[str, Family] = {"forest": forest, "extra": extra, "boosted": boosted}


def family(name: str) -> Family:
    """A family by name. Raises `RecipeError` for one that is not known."""
    if name not in FAMILIES:
        raise RecipeError(f"there is no family `{name}`", hint=f"known: {', '.join(FAMILIES)}")
    return FAMILIES[name]


def rmse(model: Regressor, features: np.ndarray, labels: np.ndarray) -> float:
    """Root mean square error, in the unit of the labels; nan over nothing."""
    return float(np.sqrt(np.mean((model.predict(features) - labels) ** 2))) if len(labels) else float("nan")
