"""Classifiers of others, by name, by repository or by path; none comes with Hornbook.

    quality.bin                                   a file that Hornbook wrote, or a fastText file with its labels
    dclm                                          a published one by its short name
    owner/name:file.bin@__label__hq=1             a fastText file on the hub, and what its labels are worth
    path/to/file.bin@__label__High=1,__label__Mid=0.5
    fineweb-edu                                   a published transformer by its short name
    owner/name@top=5, path/to/folder@good=1       a transformer with a head: where its one output ends, or its labels' worth

fastText scores whole corpora; a transformer is far slower and judges a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import RecipeError, SetupError
from filters.classifier import Classifier, load_scorer
from filters.fasttext_classifier import load_fasttext_classifier
from generator.local_classifier import FILES, is_transformer, load_transformer


@dataclass(frozen=True, slots=True)
class Published:
    """A classifier in a repository of the hub, and what its labels are worth; without a file it is a transformer."""

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
    "fineweb-edu": Published(
        "HuggingFaceFW/fineweb-edu-classifier",
        "",
        {"top": 5.0},
        "FineWeb-Edu (Penedo et al. 2024): educational value of web pages, 0 to 5; it kept what is rounded to 3 or more, .5 here",
    ),
}
Fetch = Callable[[str, str], Path]  # repository, file → where it lies here


def open_classifier(named: str, fetch: Fetch) -> Classifier:
    """The classifier of a name, a repository or a path; `fetch` brings a file of the hub.

    Raises `RecipeError` for a name that cannot be read, `SetupError` where there is no such file or it cannot be fetched.
    """
    place, _, told = named.partition("@")
    points = _points(named, told)
    if Path(place).is_dir() and is_transformer(Path(place)):
        return load_transformer(Path(place), points)
    if Path(place).is_file():
        return _file(Path(place), points)
    if place in PUBLISHED:
        known = PUBLISHED[place]
        return _fetched(known.repo, known.file, points or known.points, fetch)
    repo, _, file = place.partition(":")
    if repo.count("/") == 1 and (file or points):
        return _fetched(repo, file, points, fetch)
    raise SetupError(
        f"there is no classifier `{place}`: no such file, and no name of a published one",
        hint=f"a file, owner/name:file.bin, owner/name@top=5, or one of {', '.join(PUBLISHED)}",
    )


def _fetched(repo: str, file: str, points: Mapping[str, float], fetch: Fetch) -> Classifier:
    if file:
        return _file(fetch(repo, file), points)
    places = [fetch(repo, name) for name in FILES]  # the hub's cache keeps files of one revision in one folder
    return load_transformer(places[0].parent, points)


def _file(path: Path, points: Mapping[str, float]) -> Classifier:
    return load_fasttext_classifier(path, points) if points else load_scorer(path)


def _points(named: str, told: str) -> dict[str, float]:
    points = {}
    for pair in told.split(",") if told else ():
        label, _, value = pair.partition("=")
        try:
            points[label.strip()] = float(value)
        except ValueError:
            raise RecipeError(f"{named}: `{pair}` says no points of a label", hint="@__label__hq=1,__label__mid=0.5") from None  # fmt: skip
    return points
