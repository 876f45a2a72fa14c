"""From soft labels in files to a lesson: which documents they belong to, the tokenizer they need, the tokens as drawn.

A labelled document is packed as the tokens that its labels stand at: a model may draw `a` and `b` where a tokenizer
would write `ab`. They must spell the text, byte for byte; a cache that does not is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from corpus.errors import RecipeError, StateError
from corpus.soft_labels import SOFT_LABELS, Labelled, labels_from, text_hash
from trainer.beside import LocalDistributions
from trainer.config import StudentConfig
from trainer.label_shards import check_origin, lay_out, renumbering
from trainer.lesson import Beside, Cached
from trainer.packing import Encoded, TokenShards, encoded, pack_encoded
from trainer.precision import precision
from trainer.step import Lesson
from trainer.tokenizer import load_tokenizer
from trainer.trimmed import count_tokens, trim

AT_ONCE = 64  # rows of labels in memory


@dataclass(frozen=True)
class Taught:
    """A lesson to be made once the student is there, and the hash of what is in it."""

    make: Callable[[Any, torch.device], Lesson]
    identity: str


def rows_of(files: Sequence[Path], texts: Sequence[str]) -> Iterator[tuple[int, Labelled]]:
    """Each labelled row with the number of the text it belongs to, once for each time that the text is there."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        numbers[text_hash(text)].append(number)
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(AT_ONCE, columns=SOFT_LABELS.names):
            for row in labels_from(pa.Table.from_batches([batch])):
                yield from ((number, row) for number in numbers.get(row.text_hash, ()))


def trim_for(teacher: Path, texts: Sequence[str], files: Sequence[Path], size: int, out: Path) -> Path:
    """The teacher's tokenizer with all tokens of labelled texts and the likeliest of the rest; its folder."""
    if (out / "tokenizer.json").is_file():
        return out
    wanted = count_tokens(teacher, texts).astype(np.float64)
    needed = np.zeros(len(wanted))
    for _, row in rows_of(files, texts):
        needed += np.bincount(row.labels.token_ids, minlength=len(wanted))[: len(wanted)]
        mass = np.exp(row.labels.top_logprobs.ravel().astype(np.float64))
        wanted += np.bincount(row.labels.top_ids.ravel(), weights=mass, minlength=len(wanted))[: len(wanted)]
    return trim(teacher, needed, wanted, size, out).parent


def pack_taught(
    texts: Sequence[str], files: Sequence[Path], tokenizer: Path, out: Path, sources: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
) -> TokenShards:  # fmt: skip
    """Pack texts, the labelled ones as the tokens of their labels. Raises `StateError` when these do not spell the text."""
    reader = load_tokenizer(tokenizer)
    new, drawn = renumbering(tokenizer, reader.get_vocab_size()), {}
    for number, row in rows_of(files, texts):
        check_origin(row, tokenizer)
        ids = new[row.labels.token_ids].tolist()
        if min(ids, default=0) < 0 or reader.decode(ids, skip_special_tokens=False) != texts[number]:
            raise StateError(f"labels of document {row.id}: their tokens do not spell its text (off by one?)",
                             hint="label the text again")  # fmt: skip
        drawn[number] = ids
    return pack_encoded(_with_drawn(texts, drawn, reader), tokenizer, out, sources=sources, languages=languages)


def teach(
    config: StudentConfig, corpus: TokenShards, tokenizer: Path, texts: Sequence[str], files: Sequence[Path], out: Path,
    teacher: Path | None = None,
) -> Taught:  # fmt: skip
    """The lesson of a recipe with `distil`; `teacher`: the folder that `distil.teacher` names, where it has another name.

    Raises `RecipeError` where the recipe asks for what these labels cannot give.
    """
    distil = config.distil
    assert distil is not None
    if distil.targets == "full":
        folder = teacher or Path(distil.teacher)
        return Taught(
            lambda model, device: _beside(config, folder, tokenizer, model, device, corpus.pack["vocab_size"]),
            distil.teacher,
        )
    if not files:
        raise RecipeError(f"student.distil.targets {distil.targets} needs soft labels, and there are none",
                          hint="generate with teacher.top_logprobs, or hand in the file of `hornbook teacher label`")  # fmt: skip
    labels = lay_out(rows_of(files, texts), corpus, tokenizer, out)
    cached = Cached(labels, distil)
    return Taught(lambda model, device: cached, labels.identity)


def _beside(
    config: StudentConfig, folder: Path, tokenizer: Path, model: Any, device: torch.device, tokens: int
) -> Lesson:
    assert config.distil is not None
    width = model.get_output_embeddings().weight.shape[0]
    teacher = LocalDistributions(folder, tokenizer, width, device, precision("auto", device))
    return Beside(teacher, model, config.distil, config.seed, tokens)


def _with_drawn(texts: Sequence[str], drawn: dict[int, list[int]], reader: Any) -> Iterator[Encoded]:
    for number, item in enumerate(encoded(texts, reader)):
        yield Encoded(drawn[number], item.bytes) if number in drawn else item
