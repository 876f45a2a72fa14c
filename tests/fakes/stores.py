"""One store of each kind: a folder, fsspec's memory, and a bucket of a real S3-compatible server (moto's)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest

from corpus.store import Store, open_store


@contextmanager
def s3_bucket(name: str) -> Iterator[str]:
    """URL of an empty bucket on a server of its own, which the environment names meanwhile."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    patch = pytest.MonkeyPatch()
    host, port = server.get_host_and_port()
    for key, value in {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                       "AWS_DEFAULT_REGION": "us-east-1"}.items():  # fmt: skip
        patch.setenv(key, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    fsspec.filesystem("s3").mkdir(name)
    yield f"s3://{name}"
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    patch.undo()
    server.stop()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """URL of an empty bucket."""
    with s3_bucket("stores") as url:
        yield url


@pytest.fixture(params=["local", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store."""
    if request.param == "local":
        return open_store(tmp_path / "store")
    base = "memory://stores" if request.param == "memory" else request.getfixturevalue("s3")
    return open_store(f"{base}/{uuid.uuid4().hex}")
