"""Publishing is one commit or nothing, and what was published comes back the same."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.config import PublishConfig
from corpus.errors import RecipeError, SetupError
from corpus.folder import VOUCHER
from corpus.hub import publish
from corpus.ids import digest
from corpus.manifest import dataset_hash
from corpus.soft_labels import text_hash
from corpus.store import Store
from corpus.verify import verify
from tests.fakes.runs import make_run, manifests_of

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_run(tmp_path_factory.mktemp("run") / "tiny@1")


@pytest.fixture(scope="module")
def next_run(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A later version with fewer domains, so that files of the first must go."""
    return make_run(tmp_path_factory.mktemp("run") / "tiny@2", written=12, web=0, version="2")


def rows_of(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """Published rows straight from the Parquet files, not through any reader of ours."""
    tables = [pq.read_table(io.BytesIO(data)) for name, data in sorted(files.items()) if name.startswith("data/")]
    return sorted((row for table in tables for row in table.to_pylist()), key=lambda row: row["id"])


def kept_rows(run: Store) -> list[dict[str, Any]]:
    part = manifests_of(run)["filter"].of("documents")[0]
    return [
        row
        for row in pq.read_table(io.BytesIO(run.child("filter").read(part.name))).to_pylist()
        if row["source"] == "synthetic"
    ]


def test_everything_arrives_in_one_commit_and_loads_back_the_same(state: Any, client: Ask, run: Store) -> None:
    done = client(do="publish", run=run.url, repo="me/whole")
    assert "error" not in done, done
    assert [len(commit.files) > 1 for commit in state.repos["me/whole"]] == [False, True]  # created, then one commit
    published = rows_of(state.head("me/whole").files)
    wanted = kept_rows(run)
    assert [(row["id"], row["text"]) for row in published] == [(row["id"], row["text"]) for row in wanted]
    assert (done["rows"], done["revision"], done["changed"]) == (len(wanted), state.head("me/whole").oid, True)
    assert done["hash"] == dataset_hash([__import__("pyarrow").Table.from_pylist(wanted)])
    assert state.private["me/whole"] is True


def test_publishing_again_makes_no_commit(state: Any, client: Ask, run: Store) -> None:
    first = client(do="publish", run=run.url, repo="me/again")
    state.requests.clear()
    second = client(do="publish", run=run.url, repo="me/again")
    assert (second["changed"], second["revision"]) == (False, first["revision"])
    assert not [name for name in state.requests if "/commit/" in name or name.startswith("PUT")]


def test_a_new_version_is_one_more_commit_and_old_shards_are_gone(
    state: Any, client: Ask, run: Store, next_run: Store
) -> None:
    client(do="publish", run=run.url, repo="me/versions", config={"include_web": True})
    before = state.head("me/versions")
    state.add("me/versions", {**before.files, "LICENSE": b"theirs", ".gitattributes": b""})
    done = client(do="publish", run=next_run.url, repo="me/versions")
    assert "error" not in done, done
    files = state.head("me/versions").files
    assert len(rows_of(files)) == done["rows"] == len(kept_rows(next_run))
    assert not [name for name in files if "package-readme" in name]
    assert files["LICENSE"] == b"theirs"
    assert client(do="verify", target="me/versions") == {"problems": []}
    assert client(do="verify", target="me/versions", revision=before.oid) == {"problems": []}


def test_a_commit_by_somebody_else_in_between_is_a_conflict(state: Any, client: Ask, run: Store) -> None:
    client(do="publish", run=run.url, repo="me/busy", config={"include_web": True})

    def intrude(repo: str) -> None:
        state.before_commit = None
        state.add(repo, {**state.head(repo).files, "notes.md": b"mine"})

    state.before_commit = intrude
    done = client(do="publish", run=run.url, repo="me/busy")
    assert (done["error"], done["exit"]) == ("StateError", 6)
    assert state.head("me/busy").files["notes.md"] == b"mine"


def test_rows_that_come_back_other_than_they_went_are_an_error(state: Any, client: Ask, run: Store) -> None:
    def tamper(repo: str) -> None:
        head = state.head(repo)
        name = next(name for name in sorted(head.files) if name.startswith("data/"))
        table = pq.read_table(io.BytesIO(head.files[name]))
        sink = io.BytesIO()
        pq.write_table(table.slice(1), sink)
        head.files[name] = sink.getvalue()

    state.after_commit = tamper
    done = client(do="publish", run=run.url, repo="me/tampered")
    assert (done["error"], done["exit"]) == ("StateError", 6)
    assert "came back" in done["message"]


@pytest.mark.parametrize("after", [False, True], ids=["before it is done", "after it is done"])
def test_cut_at_every_request_no_half_dataset_is_ever_visible(
    state: Any, client: Ask, run: Store, next_run: Store, after: bool
) -> None:
    repo = f"me/cut-{after}".lower()
    client(do="publish", run=run.url, repo=repo)
    old = state.head(repo)
    state.requests.clear()
    client(do="publish", run=next_run.url, repo=f"{repo}-free")
    client(do="publish", run=next_run.url, repo=repo)
    new = state.head(repo)
    steps = 0
    for step in range(200):
        state.repos[repo] = [old]
        state.blobs.clear()
        state.cut_at, state.cut_after_work = step, after
        cut = client(do="publish", run=next_run.url, repo=repo)
        reached, state.cut_at = state.cut_at < 0, None
        assert state.head(repo).files in (old.files, new.files), f"cut at request {step}"
        assert len(state.repos[repo]) <= 2
        if not reached:
            assert "error" not in cut
            break
        assert cut.get("exit") == 3, (step, cut)
        again = client(do="publish", run=next_run.url, repo=repo)
        assert "error" not in again, again
        assert state.head(repo).files == new.files
        steps += 1
    assert steps >= 10
    assert not reached


def test_a_folder_appears_whole_and_verifies(client: Ask, run: Store, tmp_path: Path) -> None:
    done = client(do="publish", run=run.url, folder=str(tmp_path / "out"))
    assert "error" not in done, done
    files = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
        for path in (tmp_path / "out").rglob("*.parquet")
    }
    assert len(rows_of(files)) == done["rows"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert client(do="publish", run=run.url, folder=str(tmp_path / "out"))["changed"] is False


def test_a_folder_that_is_not_ours_is_left_alone(run: Store, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RecipeError, match="not a publication"):
        publish(run, manifests_of(run), PublishConfig(), recipe={}, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_failure_while_writing_leaves_the_old_folder(
    run: Store, next_run: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "out"
    publish(run, manifests_of(run), PublishConfig(), recipe={}, folder=place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("corpus.publication.write_voucher", full)
    with pytest.raises(OSError, match="no space"):
        publish(next_run, manifests_of(next_run), PublishConfig(), recipe={}, folder=place)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    assert list(tmp_path.iterdir()) == [place]


def test_a_repository_with_foreign_data_is_refused(state: Any, client: Ask, run: Store) -> None:
    state.add("me/foreign", {"train.csv": b"a,b"})
    done = client(do="publish", run=run.url, repo="me/foreign")
    assert (done["error"], done["exit"]) == ("RecipeError", 2)
    assert state.head("me/foreign").files == {"train.csv": b"a,b"}


def test_without_a_token_nothing_is_asked_of_the_hub(
    run: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(SetupError) as caught:
        publish(run, manifests_of(run), PublishConfig(repo="me/x"), recipe={})
    assert "HF_TOKEN" in caught.value.hint


def test_rows_of_unknown_licence_are_refused_unless_allowed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", licence="unknown")
    config = PublishConfig(include_web=True)
    with pytest.raises(RecipeError, match=r"16 rows have no known licence \(pages: 16\)"):
        publish(run, manifests_of(run), config, recipe={}, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    publish(run, manifests_of(run), PublishConfig(), recipe={}, folder=tmp_path / "written")
    allowed = config.model_copy(update={"allow_unknown_licence": True})
    done = publish(run, manifests_of(run), allowed, recipe={}, folder=tmp_path / "out")
    assert done.rows == 64


def test_rejected_rows_carry_no_text_unless_asked_and_sensitive_ones_never(run: Store, tmp_path: Path) -> None:
    publish(run, manifests_of(run), PublishConfig(), recipe={}, folder=tmp_path / "silent")
    silent = pq.read_table(tmp_path / "silent" / "rejected")
    assert "text" not in silent.column_names
    assert "detail" not in silent.column_names
    publish(run, manifests_of(run), PublishConfig(rejected_text=True), recipe={}, folder=tmp_path / "spoken")
    rows = pq.read_table(tmp_path / "spoken" / "rejected").to_pylist()
    assert {row["reason"] for row in rows if row["text"]} == {"gopher.words", "duplicate.near", "quality"}
    assert all(not row["text"] for row in rows if row["reason"] == "sensitive" or row["score_sensitive_secret"])
    assert any(row["score_sensitive_secret"] and row["reason"] != "sensitive" for row in rows)


def test_scores_lie_beside_their_rows(run: Store, tmp_path: Path) -> None:
    publish(run, manifests_of(run), PublishConfig(), recipe={}, folder=tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "data").to_pylist()
    assert rows
    assert all(row["score_gopher_words"] == len(row["text"].split()) for row in rows)


def test_shards_stay_below_the_limit_and_keep_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    from corpus.folder import Shards

    monkeypatch.setattr("corpus.folder._GROUP_BYTES", 1 << 14)
    table = pa.table({"id": [f"{n:032x}" for n in range(5_000)], "text": [digest(n) * 4 for n in range(5_000)]})
    shards = Shards(tmp_path, "data/x", "train", 1 << 16)
    for start in range(0, 5_000, 700):
        shards.write(table.slice(start, 700))
    files = shards.close()
    assert len(files) > 2
    assert max((tmp_path / name).stat().st_size for name in files) < 1.6 * (1 << 16)
    found = pa.concat_tables(pq.read_table(tmp_path / name) for name in sorted(files))
    assert found.equals(table)


def test_nothing_private_is_in_any_published_file(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    recipe = {
        "name": "tiny",
        "store": "/home/somebody/runs",
        "sources": {"a": {"paths": ["/home/somebody/data/a.jsonl", "https://user:pass@example.org/x.parquet"]}},
        "teacher": {"model": "/srv/models/big", "endpoints": ["http://10.0.0.7:8000/v1"], "api_key_env": "MY_KEY"},
        "title": "key sk-abcdefghijklmnopqrstuvwx and hf_abcdefghijklmnopqrstuvwx",
    }
    publish(run, manifests_of(run), PublishConfig(), recipe=recipe, folder=tmp_path / "out")
    text = "".join((tmp_path / "out" / name).read_text() for name in (VOUCHER, "README.md"))
    for secret in ("/home/", "/srv/", "user:pass", "10.0.0.7", "MY_KEY", "sk-abc", "hf_abc", "SAMPLE TEXT"):
        assert secret not in text
    assert "a.jsonl" in text
    assert json.loads((tmp_path / "out" / VOUCHER).read_text())["hornbook"]["stages"]["filter"]["config"]


def test_soft_labels_are_a_config_of_their_own_and_hold_for_the_published_texts(tmp_path: Path) -> None:
    import datasets

    labelled, folder = make_run(tmp_path / "tiny@1", labels=True), tmp_path / "out"
    config = PublishConfig(soft_labels=True)
    publish(labelled, manifests_of(labelled), config, recipe={}, title="tiny", folder=folder)
    assert verify(folder) == []
    documents, labels = (
        {row["id"]: row for part in datasets.load_dataset(str(folder), name, cache_dir=str(tmp_path / name)).values() for row in part}
        for name in ("default", "soft_labels")
    )  # fmt: skip
    assert documents.keys() - labels.keys() == {digest("written", 1)}, "the text of one was edited since"
    assert all(row["text_hash"] == text_hash(documents[name]["text"]) for name, row in labels.items())
    one = next(iter(labels.values()))
    assert (one["token_ids"], one["top_ids"], one["k"]) == ([5, 6, 7], [5, 9] * 3, 2)
    assert "`soft_labels`" in (folder / "README.md").read_text()
    assert any("missing" in problem for problem in _without_labels(folder))


def _without_labels(folder: Path) -> list[str]:
    next((folder / "soft_labels").iterdir()).unlink()
    return verify(folder)


def test_soft_labels_that_are_not_there_are_no_empty_config(run: Store, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no soft labels"):
        publish(
            run, manifests_of(run), PublishConfig(soft_labels=True), recipe={}, title="tiny", folder=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()
