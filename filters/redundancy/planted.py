"""Pools whose redundancy is known, in the shape of a database of materials: what the pruning loop is measured with.

A material is a composition of two to four elements; its features are means, spreads and ranges of its elements'
properties (as in Magpie, which the paper's features come from), and its number is a sum over pairs of elements, as a
formation energy is. Materials come in families, near variants of one composition. In a redundant pool a few families are
there again and again; in a lone one every family is there once, and none tells of another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filters.redundancy.prune import Pool

ELEMENTS, PROPERTIES, MOST = 24, 6, 4
NOISE = 0.03  # of the number, whose spread is about 1
VARIANTS = 60.0  # how near the variants of a family are: shares differ by some hundredths


@dataclass(frozen=True)
class World:
    """Elements with properties and affinities, and families of materials made of them."""

    properties: np.ndarray  # float [elements, properties]
    affinities: np.ndarray  # float [elements, elements], symmetric
    members: np.ndarray  # int [families, 4], elements of each
    shares: np.ndarray  # float [families, 4], 0 where a family has fewer

    def __len__(self) -> int:
        return len(self.members)

    def variants(self, families: np.ndarray, draw: np.random.Generator) -> Pool:
        """One material for each of the given families (int [n])."""
        amounts = draw.gamma(np.maximum(self.shares[families] * VARIANTS, 1e-9)) * (self.shares[families] > 0)
        amounts /= amounts.sum(axis=1, keepdims=True)
        of_elements = self.properties[self.members[families]]  # [n, 4, properties]
        there = (amounts > 0)[..., None]
        mean = np.einsum("nm,nmp->np", amounts, of_elements)
        spread = np.sqrt(np.einsum("nm,nmp->np", amounts, (of_elements - mean[:, None]) ** 2))
        high, low = np.where(there, of_elements, -np.inf).max(axis=1), np.where(there, of_elements, np.inf).min(axis=1)
        pairs = self.affinities[self.members[families][:, :, None], self.members[families][:, None, :]]
        energy = 2 * np.einsum("nm,nk,nmk->n", amounts, amounts, pairs) + 0.5 * np.sin(2 * mean[:, 0])
        features = np.concatenate([mean, spread, high - low], axis=1)
        return Pool(features, energy + NOISE * draw.standard_normal(len(families)))


def world(seed: int, families: int, kinds: int = 0) -> World:
    """Elements and their affinities from `seed`, families from `seed` and `kinds`: another `kinds` gives other families of
    the same elements, for what lies outside of a pool."""
    draw, other = np.random.default_rng(seed), np.random.default_rng([seed, kinds + 1])
    properties = draw.standard_normal((ELEMENTS, PROPERTIES))
    affinities = draw.standard_normal((ELEMENTS, ELEMENTS))
    members = np.argsort(other.random((families, ELEMENTS)), axis=1)[:, :MOST]
    shares = other.gamma(4.0, size=(families, MOST)) * (np.arange(MOST) < other.integers(2, MOST + 1, (families, 1)))
    return World(properties, (affinities + affinities.T) / 2, members, shares / shares.sum(axis=1, keepdims=True))


def redundant(of: World, size: int, seed: int, *, skew: float = 1.2) -> Pool:
    """Family k as often as 1 / k^`skew`: the commonest are there hundreds of times, most once or never."""
    draw = np.random.default_rng(seed)
    return of.variants(_families(of, size, skew, draw), draw)


def share_planted(of: World, size: int, seed: int, *, skew: float = 1.2) -> float:
    """Share of the same pool whose family is there already: what could go if one of each were enough."""
    return 1 - len(np.unique(_families(of, size, skew, np.random.default_rng(seed)))) / size


def _families(of: World, size: int, skew: float, draw: np.random.Generator) -> np.ndarray:
    weights = 1 / np.arange(1, len(of) + 1) ** skew
    return draw.choice(len(of), size, p=weights / weights.sum())


def even(of: World, size: int, seed: int) -> Pool:
    """Every family as often as the others: what each of them is worth."""
    draw = np.random.default_rng(seed)
    return of.variants(draw.integers(0, len(of), size), draw)


def lone(families: int, test: int, seed: int) -> tuple[Pool, Pool]:
    """(pool, test) without redundancy: every family once, and its number the throw of a coin, so that no family tells of
    another; the test asks for `test` near variants of the pool's families.

    Materials of random families would not do: there neighbours tell of each other, and the loop finds that (a quarter of
    2,000 families, each there once, was as good as all of them).
    """
    draw = np.random.default_rng([seed, 7])
    features = draw.standard_normal((families, 3 * PROPERTIES))
    coins = draw.choice([-1.0, 1.0], families)
    asked = draw.integers(0, families, test)
    near = features[asked] + NOISE * draw.standard_normal((test, features.shape[1]))
    return Pool(features, coins), Pool(near, coins[asked])
