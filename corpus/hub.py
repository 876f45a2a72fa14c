"""Publishing: everything in one commit of a Hub repository, or a folder that appears whole; then read back.

Nothing of a publication is visible before its commit: shards are uploaded as blobs that no branch names. The commit
names its parent, so that of two publishers one is told. What was published is loaded again at that revision and must
give the same rows and the same hash.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.config import PublishConfig
from corpus.errors import RecipeError, SetupError, StateError
from corpus.folder import CARD, DEFAULT, LABELS, REJECTED, VOUCHER, read_voucher
from corpus.local_store import sync
from corpus.manifest import Manifest, dataset_hash
from corpus.publication import Wanted, write_publication
from corpus.store import Store

_CONFLICT = (409, 412)  # the Hub's answers to a parent commit that is no longer the head
_REFUSED = (401, 403)
# What may lie in a repository that holds no dataset yet.
_HARMLESS = (".gitattributes", CARD, "LICENSE")


@dataclass(frozen=True, slots=True)
class Publication:
    """Where it is, and what was read back from there."""

    url: str
    revision: str  # commit on the Hub; empty for a folder
    rows: int
    rejected: int
    dataset_hash: str
    changed: bool  # False when the same publication was there already


def publish(run: Store, manifests: Mapping[str, Manifest], config: PublishConfig, *, recipe: Mapping[str, Any],
            title: str = "", repo: str | None = None, folder: Path | None = None) -> Publication:  # fmt: skip
    """Publish a run to `repo` (else `config.repo`) or to `folder`, and prove it by reading it back.

    `manifests` maps stage to manifest in the order of the stages. Raises `RecipeError` when there is nothing that may
    be published or the place holds something else, `SetupError` when the Hub cannot be reached or refuses, and
    `StateError` when another writer was there first or what was read back differs.
    """
    repo = None if folder else repo or config.repo
    if not (repo or folder):
        raise RecipeError("publish where to?", hint="name a repository with --repo user/name, or a folder with --to")
    if "filter" not in manifests:
        raise StateError(
            "the run has no finished filter stage, so there is nothing to publish", hint="run it to its end"
        )
    title = title or manifests["filter"].name
    wanted = Wanted(run, manifests, config.model_copy(update={"repo": repo}), title, recipe)
    return _to_folder(wanted, folder) if folder else _to_hub(wanted, str(repo))


def download(repo: str, revision: str | None, into: Path) -> Path:
    """All files of a dataset repository at a revision. Raises `RecipeError` when there is no such repository."""
    from huggingface_hub import snapshot_download

    with hub_errors(repo):
        return Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_dir=into))


def fetch_file(repo: str, name: str) -> Path:
    """One file of a model repository, from the local cache where it is there. Raises `RecipeError` where there is no such
    repository or file, `SetupError` where the hub cannot be reached."""
    from huggingface_hub import errors, hf_hub_download

    try:
        return Path(hf_hub_download(repo, name))
    except (errors.RepositoryNotFoundError, errors.EntryNotFoundError, errors.HFValidationError) as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            raise _unreached(repo, name, error) from error
        raise RecipeError(
            f"there is no {name} in {repo}, or the token may not see it", hint="check the name"
        ) from error
    except (errors.HfHubHTTPError, errors.HTTPError, ConnectionError, TimeoutError) as error:
        raise _unreached(repo, name, error) from error


def _unreached(repo: str, name: str, error: BaseException) -> SetupError:
    return SetupError(
        f"{repo}: the hub did not answer, and {name} is not in the local cache ({type(error).__name__})",
        hint=f"fetch it where the hub is in reach (`hf download {repo} {name}`) and give its path",
    )


def _to_folder(wanted: Wanted, folder: Path) -> Publication:
    """A folder that appears whole: written beside its place, synced, then renamed."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    before = _voucher_there(folder)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        body = write_publication(wanted, staging)
        staging.chmod(0o755)  # mkdtemp's is for secrets
        changed = before != (staging / VOUCHER).read_bytes()
        if changed:
            _read_back(str(staging), None, body)
            _swap(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return _publication(str(folder), "", body, changed)


def _voucher_there(folder: Path) -> bytes | None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if not (folder / VOUCHER).is_file():
        raise RecipeError(f"{folder} holds something that is not a publication", hint="name another folder")
    return (folder / VOUCHER).read_bytes()


def _swap(staging: Path, folder: Path) -> None:
    """Put `staging` in the place of `folder`. Between two renames there is no folder; never a mixed one."""
    for path in staging.rglob("*"):
        sync(path)
    sync(staging)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    if folder.exists():
        folder.rename(aside / "before")
    staging.rename(folder)
    sync(folder.parent)
    shutil.rmtree(aside)


def _to_hub(wanted: Wanted, repo: str) -> Publication:
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # else the client leaves the plain protocol at once
    from huggingface_hub import HfApi, get_token

    if not get_token():
        raise SetupError(
            "there is no Hub token",
            hint="set HF_TOKEN to a fine-grained token that may write this one repository, or run `hf auth login`",
        )
    api = HfApi()
    with tempfile.TemporaryDirectory(prefix="hornbook-publish-") as place:
        staging = Path(place)
        body = write_publication(wanted, staging)
        with hub_errors(repo):
            api.create_repo(repo, repo_type="dataset", private=wanted.config.private, exist_ok=True)
            info = api.dataset_info(repo)
            before = _published_before(repo, str(info.sha), [item.rfilename for item in info.siblings or []])
            changed = before != (staging / VOUCHER).read_bytes()
            revision = _commit(api, repo, str(info.sha), staging, before) if changed else str(info.sha)
        with hub_errors(repo), _named_loading(repo, revision):
            _read_back(repo, revision, body)
    return _publication(f"{api.endpoint}/datasets/{repo}", revision, body, changed)


def _published_before(repo: str, head: str, names: list[str]) -> bytes | None:
    """The voucher at `head`; None in a repository that holds no data yet."""
    from huggingface_hub import hf_hub_download

    if VOUCHER in names:
        with tempfile.TemporaryDirectory() as place:
            return Path(
                hf_hub_download(repo, VOUCHER, repo_type="dataset", revision=head, local_dir=place)
            ).read_bytes()
    if others := [name for name in names if name not in _HARMLESS]:
        raise RecipeError(f"{repo} holds another dataset ({others[0]}, …)", hint="publish into a repository of its own")
    return None


def _commit(api: Any, repo: str, head: str, staging: Path, before: bytes | None) -> str:
    """One commit on top of `head`: every file of the publication, and none of the last one's that it has no more."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    names = sorted(path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file())
    old = read_voucher(before, f"{repo}/{VOUCHER}")["files"] if before else {}
    operations = [CommitOperationAdd(name, staging / name) for name in names]
    gone = [CommitOperationDelete(name) for name in sorted(set(old) - set(names))]
    body = read_voucher((staging / VOUCHER).read_bytes(), VOUCHER)
    message = f"{body['name']}@{body['version']}: {body['rows']:,} documents, {body['dataset_hash'][:12]}"
    done = api.create_commit(
        repo, [*operations, *gone], commit_message=message, repo_type="dataset", parent_commit=head
    )  # fmt: skip
    return str(done.oid)


def _read_back(place: str, revision: str | None, body: Mapping[str, Any]) -> None:
    """Load the publication as a stranger would. Raises `StateError` when rows or hash are not what was published."""
    import datasets

    with tempfile.TemporaryDirectory(prefix="hornbook-read-back-") as cache, _quiet():
        settings = {"revision": revision, "cache_dir": cache}
        everything = datasets.load_dataset(place, DEFAULT, **settings)
        tables = [part.data.table.select(["id", "text"]) for part in everything.values()]
        rows, found = sum(table.num_rows for table in tables), dataset_hash(tables)
        beside = {"rejected": REJECTED, "labelled": LABELS}
        counts = {
            name: sum(part.num_rows for part in datasets.load_dataset(place, config, **settings).values())
            for name, config in beside.items()
            if body[name]
        }
        del everything, tables
    back = {"rows": rows, **{name: counts.get(name, 0) for name in beside}, "dataset_hash": found}
    wanted = {name: body[name] for name in back}
    if back != wanted:
        raise StateError(
            f"{place}: published were {_listed(wanted)}, and at revision {revision} came back {_listed(back)}",
            hint="do not use this revision; publish again",
        )


def _listed(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {fact:,}" if isinstance(fact, int) else f"{name} {fact}" for name, fact in facts.items())


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of the datasets library, which count what nobody asked about."""
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    before = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not before:
            enable_progress_bars()


def _publication(url: str, revision: str, body: Mapping[str, Any], changed: bool) -> Publication:
    return Publication(url, revision, body["rows"], body["rejected"], body["dataset_hash"], changed)


@contextmanager
def hub_errors(repo: str) -> Iterator[None]:
    """Raises what the Hub's client raises under our names; told apart by type and status."""
    from huggingface_hub import errors

    try:
        yield
    except errors.RepositoryNotFoundError as error:
        raise RecipeError(f"there is no dataset {repo}, or the token may not see it", hint="check the name") from error
    except errors.HfHubHTTPError as error:
        raise _refusal(repo, error) from error
    except (errors.HTTPError, errors.LocalEntryNotFoundError, ConnectionError, TimeoutError) as error:
        raise _silence(repo, error) from error
    except RuntimeError as error:  # what the client raises around a failed upload of one file
        cause = error.__cause__
        if isinstance(cause, errors.HfHubHTTPError):
            raise _refusal(repo, cause) from error
        raise (_silence(repo, cause) if isinstance(cause, errors.HTTPError) else error) from error
    except errors.HFValidationError as error:
        raise RecipeError(f"{repo!r} is no name of a repository", hint="repositories are called user/name") from error


@contextmanager
def _named_loading(repo: str, revision: str) -> Iterator[None]:
    """What the datasets library makes of a Hub that went away: it is there, and not proven yet."""
    import datasets

    try:
        yield
    except (datasets.exceptions.DatasetsError, FileNotFoundError, ValueError) as error:
        raise SetupError(
            f"{repo}: published as {revision}, and could not be read back: {type(error).__name__}: {error}",
            hint=f"run `hornbook verify {repo} --revision {revision}` when the Hub answers",
        ) from error


def _silence(repo: str, error: BaseException) -> SetupError:
    return SetupError(
        f"{repo}: the Hub did not answer: {type(error).__name__}",
        hint="run the same command again when it does; a publication is one commit, so nothing is there by halves",
    )


def _refusal(repo: str, error: Any) -> SetupError | StateError:
    status = error.response.status_code if error.response is not None else 0
    if status in _CONFLICT:
        return StateError(
            f"{repo}: somebody else committed meanwhile; nothing was published",
            hint="look at the repository's history, then publish again",
        )
    if status in _REFUSED:
        return SetupError(
            f"{repo}: the Hub refuses the token ({status})",
            hint="use a fine-grained token with write access to this repository",
        )
    return SetupError(f"{repo}: the Hub answered {status}", hint="try again later")
