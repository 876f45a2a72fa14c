"""The soft labels of a run, for its students: those of the texts that stand in a mix, unchanged since the teacher wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.errors import RecipeError
from corpus.facts import Fact, counts
from corpus.label_join import LabelJoin
from corpus.manifest import load_manifest, tables_of
from corpus.soft_labels import KIND, SOFT_LABELS
from ray_jobs.label_files import EMBEDDED, teacher_folder
from ray_jobs.line import Line
from ray_jobs.recipe import Recipe

FILE = "labels.parquet"


@dataclass(frozen=True)
class MixLabels:
    """The file of the labels, the ids of the documents that have some, and what to tell of them."""

    file: Path
    ids: frozenset[str]
    facts: dict[str, Fact]

    def of(self, mix: pa.Table) -> tuple[str, ...]:
        """The file, if any document of this mix is in it."""
        there = pc.any(pc.is_in(mix["id"], pa.array(sorted(self.ids), pa.string()))).as_py()
        return (str(self.file),) if there else ()


def mix_labels(line: Line, mixes: pa.Table, home: Path) -> MixLabels:
    """Write the labels of the mixes' documents beside the students."""
    store = line.folder.child("generate")
    made = load_manifest(store)
    join, ids = LabelJoin([mixes]), set[str]()
    home.mkdir(parents=True, exist_ok=True)
    part = home / f".{FILE}"
    with pq.ParquetWriter(part, SOFT_LABELS, compression="zstd") as writer:
        for table in join.join(tables_of(store, made, KIND) if made and made.of(KIND) else ()):
            ids |= set(table["id"].to_pylist())
            writer.write_table(table.select(SOFT_LABELS.names).cast(SOFT_LABELS))
    part.replace(home / FILE)
    facts = {"labels.used": counts("Soft labels", {"labelled": join.labelled, **join.dropped}, unit="documents")}
    return MixLabels(home / FILE, frozenset(ids), facts)


def teacher_home(recipe: Recipe) -> Path:
    """The folder with the teacher's tokenizer, and its weights where they are here."""
    assert recipe.student
    named = (recipe.student.distil and recipe.student.distil.teacher) or recipe.teacher.tokenizer
    if not named and recipe.teacher.model != EMBEDDED and not Path(recipe.teacher.model).is_dir():
        raise RecipeError("student.tokenizer teacher-trimmed: the teacher's tokenizer is not here",
                          hint="set teacher.tokenizer to a folder that holds it")  # fmt: skip
    return teacher_folder(named or recipe.teacher.model)
