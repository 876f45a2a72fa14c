"""`lab mix`: which weights of a blend suit a target best? Small students on drawn mixes, a regression, and its check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.document import Document
from corpus.errors import RecipeError
from corpus.readers import read_files
from filters.mix_search import MixSearch, Train, Trial, search_mix
from ray_jobs.experiment import Bench
from ray_jobs.passes import passes_for
from ray_jobs.recipe import RunConfig
from trainer.config import StudentConfig

if TYPE_CHECKING:
    from trainer.lab.cell import Cell

TARGET, SPARE = "target", 1.1
PANEL_BYTES = 200_000


@dataclass(frozen=True)
class MixWanted:
    """`parts` and `target` are files; `config` is the proxy. What is drawn, held out and where it lies."""

    parts: Mapping[str, Sequence[str]]
    target: Sequence[str]
    config: StudentConfig
    mixes: int
    held_out: int
    out: Path
    workers: int


def mix_lines(wanted: MixWanted, say: Callable[[str], None]) -> list[str]:
    """Search, and what was found in words. Every proxy is committed: the same command goes on where it stopped."""
    from trainer.evaluation.panels import Panel
    from trainer.lab.cell import Exam

    pools = {name: _texts(files) for name, files in wanted.parts.items()}
    target, size = list[str](), 0
    for text in _texts(wanted.target):
        if size < PANEL_BYTES:
            target.append(text)
            size += len(text.encode())
    if shared := set(target) & {text for pool in pools.values() for text in pool}:
        raise RecipeError(f"{len(shared)} texts of the target are in a part too", hint="hold the target out")
    exam = Exam({TARGET: Panel(target, {})})
    proxies = _Proxies(wanted, pools, Bench(wanted.out, passes_for(RunConfig(workers=wanted.workers)), exam, say))
    sizes = {name: sum(len(text.encode()) for text in pool) for name, pool in pools.items()}
    found = search_mix(sizes, proxies.one, mixes=wanted.mixes, held_out=wanted.held_out, each=proxies.each)
    return _told(found)


class _Proxies:
    """Trains proxies on mixes, a batch of them at a time where there is room."""

    def __init__(self, wanted: MixWanted, pools: Mapping[str, list[str]], bench: Bench) -> None:
        from trainer.tokenizer import load_tokenizer, train_tokenizer

        self._wanted, self._pools, self._bench = wanted, pools, bench
        self._tokenizer = wanted.out / "tokenizer"
        if not (self._tokenizer / "tokenizer.json").is_file():
            train_tokenizer(
                [text for pool in pools.values() for text in pool], wanted.config.vocab_size, self._tokenizer
            )
        sample = [text for pool in pools.values() for text in pool[:100]]
        ids = load_tokenizer(self._tokenizer).encode_batch_fast(sample, add_special_tokens=False)
        per_token = sum(len(text.encode()) for text in sample) / max(1, sum(len(item.ids) for item in ids))
        self._budget = SPARE * wanted.config.tokens * per_token

    def one(self, weights: Mapping[str, float]) -> float:
        """The loss of one mix."""
        return next(iter(self.each(self.one, [weights])))

    def each(self, train: Train, mixes: Sequence[Mapping[str, float]]) -> Iterable[float]:
        """The losses of mixes, in their order."""
        records = self._bench.run([self._cell(weights) for weights in mixes])
        found = {record["arm"]: record["scores"][TARGET]["bits"] for record in records}
        return [found[_name(weights)] for weights in mixes]

    def _cell(self, weights: Mapping[str, float]) -> Cell:
        import numpy as np

        from trainer.lab.arms import fill
        from trainer.lab.cell import Cell

        draw = np.random.default_rng(self._wanted.config.seed)
        texts = [
            text for name, weight in weights.items() for text in fill(self._pools[name], weight * self._budget, draw)
        ]
        mixed = [texts[place] for place in draw.permutation(len(texts))]
        config = self._wanted.config.model_copy(update={"track": ()})
        arm = _name(weights)
        return Cell(arm, config.seed, mixed, ["mix"] * len(mixed), config, self._tokenizer, self._wanted.out / arm)


def _name(weights: Mapping[str, float]) -> str:
    from corpus.ids import digest

    return f"mix-{digest('mix', dict(weights))[:12]}"


def _told(found: MixSearch) -> list[str]:
    def line(name: str, trial: Trial) -> str:
        shares = ", ".join(f"{part} {weight:.1%}" for part, weight in trial.weights.items())
        return f"{name:<22} {trial.loss:.4f} bits per byte  {shares}"

    verdict = (
        "the proposal is better than every mix that was drawn, and than the natural proportions (one proxy each: no interval)"
        if found.better
        else "the proposal is no better than a draw of as many mixes, or than the natural proportions"
    )
    return [
        line("natural proportions", found.natural), line("best mix drawn", found.best_drawn), line("proposed, trained", found.proposed),
        f"predicted for it        {found.predicted:.4f}",
        f"rank correlation on {len(found.held_out)} mixes that were not learned from: {found.rank:+.2f}, after shuffled losses {found.shuffled:+.2f}",
        verdict,
    ]  # fmt: skip


def _texts(files: Sequence[str]) -> list[str]:
    texts = [row.text for row in read_files(files) if isinstance(row, Document)]
    if not texts:
        raise RecipeError(f"no readable document in {', '.join(files) or 'no file'}")
    return texts
