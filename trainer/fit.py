"""From texts to a student: pack, line up the soft labels where there are some, train. What every caller does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from trainer.config import StudentConfig
from trainer.packing import open_shards, pack
from trainer.taught import pack_taught, teach
from trainer.team import current_team
from trainer.train import RESULT, Progress, TrainResult, train

PACKED, LABELS = "packed", "labels"


def fit(
    config: StudentConfig, texts: Sequence[str], tokenizer: Path, out: Path, *, sources: Sequence[str] | None = None,
    languages: Sequence[str] | None = None, labels: Sequence[Path] = (), teacher: Path | None = None,
    progress: Callable[[Progress], None] = lambda _: None, should_stop: Callable[[], bool] = lambda: False,
) -> TrainResult:  # fmt: skip
    """Train on `texts` in the folder `out`, from where it stopped; see `trainer.train.train`.

    `sources` and `languages` name those of each text: the loss is told by them too. `labels`: files of soft labels
    (`corpus.soft_labels`), used where `config.distil` is set. In a team the first member packs for all.
    """
    team, done = current_team(), (out / RESULT).is_file()
    if team.leads and not done:
        if config.distil:
            pack_taught(texts, labels, tokenizer, out / PACKED, sources, languages)
            teach(config, open_shards(out / PACKED), tokenizer, texts, labels, out / LABELS, teacher)
        else:
            pack(texts, tokenizer, out / PACKED, sources=sources, languages=languages)
    team.wait()
    corpus = open_shards(out / PACKED)
    taught = teach(config, corpus, tokenizer, texts, labels, out / LABELS, teacher) if config.distil else None
    return train(config, corpus.folder, tokenizer, out, taught=taught, progress=progress, should_stop=should_stop)
