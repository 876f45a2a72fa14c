"""Classifiers of others, by name, by repository or by path; none comes with Hornbook.

    quality.bin                                   a file that Hornbook wrote, or a fastText file with its labels
    dclm                                          a published one by its short name
    owner/name:file.bin@__label__hq=1             a fastText file on the hub, and what its labels are worth
    path/to/file.bin@__label__High=1,__label__Mid=0.5

Only files that score whole corpora are opened here; a transformer with a head of its own judges a sample better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import RecipeError, SetupError
from filters.classifier import Classifier, load_scorer
from filters.fasttext_classifier import load_fasttext_classifier


@dataclass(frozen=True, slots=True)
class Published:
    """A fastText file in a repository of the hub, and what its labels are worth."""

    repo: str
    file: str
    points: Mapping[str, float]
    about: str


PUBLISHED: dict[str, Published] = {
    "dclm": Published(
        "mlfoundations/fasttext-oh-eli5",
        "openhermes_reddit_eli5_vs_rw_v2_bigram_200k_train.bin",
        {"__label__hq": 1.0},
        "DCLM (Li et al. 2024): instructions and explanations against web; its baseline kept what scores 0.018112 or more",
    ),
}
Fetch = Callable[[str, str], Path]  # repository, file → where it lies here


def open_classifier(named: str, fetch: Fetch) -> Classifier:
    """The classifier of a name, a repository or a path; `fetch` brings a file of the hub.

    Raises `RecipeError` for a name that cannot be read, `SetupError` where there is no such file or it cannot be fetched.
    """
    place, _, told = named.partition("@")
    points = _points(named, told)
    if Path(place).is_file():
        return load_fasttext_classifier(Path(place), points) if points else load_scorer(Path(place))
    if place in PUBLISHED:
        known = PUBLISHED[place]
        return load_fasttext_classifier(fetch(known.repo, known.file), points or known.points)
    repo, _, file = place.partition(":")
    if file and repo.count("/") == 1:
        path = fetch(repo, file)
        return load_fasttext_classifier(path, points) if points else load_scorer(path)
    raise SetupError(
        f"there is no classifier `{place}`: no such file, and no name of a published one",
        hint=f"a file, owner/name:file.bin, or one of {', '.join(PUBLISHED)}",
    )


def _points(named: str, told: str) -> dict[str, float]:
    points = {}
    for pair in told.split(",") if told else ():
        label, _, value = pair.partition("=")
        try:
            points[label.strip()] = float(value)
        except ValueError:
            raise RecipeError(f"{named}: `{pair}` says no points of a label", hint="@__label__hq=1,__label__mid=0.5") from None  # fmt: skip
    return points
