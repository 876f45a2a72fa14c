"""The store on an object store, by fsspec URL. An object appears whole or not at all; commits are conditional puts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import fsspec

from corpus.store import Store, checked


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
        bucket, _, key = path.partition("/")
        from botocore.exceptions import ClientError

        try:
            self._files.call_s3("put_object", Bucket=bucket, Key=key, Body=data, IfNoneMatch="*")
        except FileExistsError:
            return False
        except (ClientError, OSError) as error:
            if _is_conflict(error):
                return False
            raise
        return True

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


def _is_conflict(error: Exception) -> bool:
    """412 (it was there) and 409 (somebody else is putting it now) both mean that another writer was first."""
    seen: BaseException | None = error
    while seen is not None:
        response = getattr(seen, "response", None) or {}
        if response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (409, 412):
            return True
        seen = seen.__cause__
    return False
