"""A publication that was touched does not verify, whatever was touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.config import PublishConfig
from corpus.errors import RecipeError
from corpus.folder import VOUCHER
from corpus.hub import publish
from corpus.ids import digest
from corpus.verify import verify
from tests.fakes.runs import make_run, manifests_of


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("published")
    run = make_run(place / "run")
    publish(run, manifests_of(run), PublishConfig(), recipe={}, folder=place / "out")
    return place / "out"


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "copy"))


def shard(folder: Path) -> Path:
    return min(folder.glob("data/*/train-*.parquet"))


def alter_row(path: Path) -> None:
    """Another word in one text, everything else as it was."""
    table = pq.read_table(path)
    texts = table["text"].to_pylist()
    texts[3] = texts[3].replace("page", "sheet")
    pq.write_table(
        table.set_column(table.schema.get_field_index("text"), "text", pa.array(texts, pa.large_string())), path
    )


def test_what_was_published_verifies(folder: Path) -> None:
    assert verify(folder) == []


def test_one_altered_row_is_found(folder: Path) -> None:
    alter_row(shard(folder))
    problems = verify(folder)
    assert any("bytes are not the published ones" in line for line in problems)
    assert any("hash over all rows" in line for line in problems)


def test_one_altered_row_is_found_even_when_the_checksums_were_mended(folder: Path) -> None:
    import hashlib

    path = shard(folder)
    alter_row(path)
    outer = json.loads((folder / VOUCHER).read_text())
    facts = outer["hornbook"]["files"][path.relative_to(folder).as_posix()]
    facts |= {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    outer["checksum"] = digest(outer["hornbook"])
    (folder / VOUCHER).write_text(json.dumps(outer))
    assert [line[:22] for line in verify(folder)] == ["the hash over all rows"]


@pytest.mark.parametrize("part", ["README.md", "hornbook.json", "data", "rejected"])
def test_every_flipped_byte_is_found(folder: Path, part: str) -> None:
    path = folder / part if (folder / part).is_file() else min((folder / part).rglob("*.parquet"))
    data = path.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 25)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x11]) + data[at + 1 :])
        assert verify(folder), f"{part}, byte {at}"
    path.write_bytes(data)
    assert verify(folder) == []


def test_a_missing_and_an_added_shard_are_found(folder: Path) -> None:
    path = shard(folder)
    path.rename(path.with_name("train-00009-of-00009.parquet"))
    problems = " ".join(verify(folder))
    assert "missing" in problems
    assert "not part of the publication" in problems


def test_a_folder_without_its_voucher_is_no_publication(folder: Path) -> None:
    (folder / VOUCHER).unlink()
    assert verify(folder) == ["hornbook.json: missing, so this is not a complete publication"]


def test_hidden_files_of_tools_are_no_part_of_it(folder: Path) -> None:
    (folder / ".gitattributes").write_text("")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x.parquet").write_text("")
    assert verify(folder) == []


def test_an_altered_row_on_the_hub_is_found(state: Any, client: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    client(do="publish", run=run.url, repo="me/altered")
    assert client(do="verify", target="me/altered") == {"problems": []}
    files = dict(state.head("me/altered").files)
    name = next(name for name in sorted(files) if name.startswith("data/"))
    (tmp_path / "shard.parquet").write_bytes(files[name])
    alter_row(tmp_path / "shard.parquet")
    state.add("me/altered", {**files, name: (tmp_path / "shard.parquet").read_bytes()})
    assert len(client(do="verify", target="me/altered")["problems"]) == 2


def test_a_name_that_is_neither_folder_nor_repository_is_refused() -> None:
    with pytest.raises(RecipeError, match="neither a folder nor a repository"):
        verify("no-such-folder")
