"""The store on an object store, by fsspec URL. An object appears whole or not at all; commits are conditional puts."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import fsspec

from corpus.errors import SetupError
from corpus.store import Store, checked

CREATED, CONFLICT, TAKEN = 200, 409, 412
PAUSES_S = (0.1, 0.3, 1.0)


class ObjectStore(Store):
    """A prefix of a bucket. S3 and what speaks its protocol are asked with `If-None-Match: *`."""

    def __init__(self, url: str, filesystem: Any = None) -> None:
        self.url = url.rstrip("/")
        self._files: Any = filesystem or fsspec.core.url_to_fs(self.url)[0]
        self._root: str = self._files._strip_protocol(self.url).rstrip("/")
        self._conditional = urlsplit(self.url).scheme in ("s3", "s3a")

    def child(self, name: str) -> ObjectStore:
        return ObjectStore(f"{self.url}/{checked(name)}", self._files)

    def read(self, name: str) -> bytes:
        return self._files.cat_file(self._path(name))

    def exists(self, name: str) -> bool:
        self._files.invalidate_cache()
        return self._files.isfile(self._path(name))

    def size(self, name: str) -> int:
        return int(self._files.size(self._path(name)) or 0)

    def names(self, prefix: str = "") -> list[str]:
        self._files.invalidate_cache()
        try:
            found = self._files.find(self._root)
        except FileNotFoundError:
            return []
        skip = len(self._root) + 1
        return sorted(path[skip:] for path in found if path[skip:].startswith(prefix))

    def commit(self, name: str, data: bytes) -> bool:
        path = self._path(name)
        if not self._conditional:
            return self._create(path, data)
        for pause in (*PAUSES_S, None):
            status = self._put_if_absent(path, data)
            if status == TAKEN:
                # Our own put may have gone through while its answer was lost, and the client sent it again.
                return bool(data) and self.read(name) == data
            if status == CREATED:
                return True
            if pause is not None:
                time.sleep(pause)
        raise SetupError(f"{self.url}/{name}: the store answers 409 again and again", hint="run again")

    def _put_if_absent(self, path: str, data: bytes) -> int:
        """HTTP status of a conditional put: 200, 412 when there is an object, 409 when others write it now.

        After a 409 nobody knows whether those others will succeed, so it is asked again.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, _, key = path.partition("/")
        try:
            self._files.call_s3("put_object", Bucket=bucket, Key=key, Body=data, IfNoneMatch="*")
        except FileExistsError:
            return TAKEN
        except (BotoCoreError, ClientError, OSError) as error:
            status = _status(error)
            if status in (TAKEN, CONFLICT):
                return status
            raise SetupError(
                f"{self.url}: cannot write {path}: {error}", hint="is the store there, and may we?"
            ) from error
        return CREATED

    def replace(self, name: str, data: bytes) -> None:
        self._files.pipe_file(self._path(name), data)

    def delete(self, name: str) -> None:
        if self.exists(name):
            self._files.rm_file(self._path(name))

    def sweep(self, older_than_s: float) -> int:
        """Nothing to do: an unfinished put leaves no object."""
        return 0

    def _create(self, path: str, data: bytes) -> bool:
        try:
            self._files.pipe_file(path, data, mode="create")
        except FileExistsError:
            return False
        return True

    def _path(self, name: str) -> str:
        return f"{self._root}/{checked(name)}"


def _status(error: Exception) -> int:
    """The HTTP status behind an error of the client; 0 when there is none."""
    seen: BaseException | None = error
    while seen is not None:
        response = getattr(seen, "response", None) or {}
        if status := response.get("ResponseMetadata", {}).get("HTTPStatusCode"):
            return int(status)
        seen = seen.__cause__
    return 0
