"""A stand-in for the Hub: enough of its protocol for the real clients to publish a dataset and to load it.

It keeps repositories in memory, and can go down at its n-th request, before or after having done what it was asked.
It proves the client's path, not the Hub's own rules (quotas, rights, Xet).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse

REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"


@dataclass
class Commit:
    """One state of a repository."""

    oid: str
    files: dict[str, bytes]


@dataclass
class State:
    """All that the server remembers; tests read and set it directly."""

    repos: dict[str, list[Commit]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    cut_at: int | None = None  # from this request on (0 is the next) every connection is dropped
    cut_after_work: bool = False  # whether the first dropped request still has its effect
    before_commit: Any = None  # called with the repository's name before a commit is looked at
    after_commit: Any = None  # and after it was made

    def head(self, repo: str) -> Commit:
        """What a reader of `main` sees."""
        return self.repos[repo][-1]

    def add(self, repo: str, files: dict[str, bytes]) -> Commit:
        """Make a commit that leaves exactly `files`."""
        oid = hashlib.sha1(f"{repo}{len(self.repos.get(repo, []))}{sorted(files)}".encode()).hexdigest()
        self.repos.setdefault(repo, []).append(Commit(oid, files))
        return self.repos[repo][-1]


class HubServer:
    """`with HubServer() as hub:` serves on a free loopback port; `hub.url` is the endpoint."""

    def __init__(self) -> None:
        self.state = State()
        handler = type("Handler", (_Handler,), {"state": self.state})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        handler.url = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> HubServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: State
    url: str
    protocol_version = "HTTP/1.1"
    lock = threading.RLock()

    def log_message(self, *_: object) -> None:
        """Quiet: tests read `state.requests`."""

    def handle_any(self) -> None:
        """Serve one request, or drop the connection when the fault says so."""
        path = unquote(urlparse(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.lock:
            self.state.requests.append(f"{self.command} {path}")
            drop = self._dropped()
            if drop == "before":
                self.close_connection = True
                return
            status, headers, data = self._route(path, body)
            if drop == "after":
                self.close_connection = True
                return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_HEAD = handle_any

    def _dropped(self) -> str:
        state = self.state
        if state.cut_at is None:
            return ""
        state.cut_at -= 1
        if state.cut_at >= 0:
            return ""
        return "after" if state.cut_at == -1 and state.cut_after_work else "before"

    def _route(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        for pattern, method in _ROUTES:
            if (match := re.fullmatch(pattern, f"{self.command} {path}")) is not None:
                return getattr(self, method)(body, **match.groupdict())
        return 404, {"X-Error-Code": "EntryNotFound"}, b"{}"

    def _json(self, value: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()

    def _at(self, repo: str, rev: str) -> Commit | None:
        commits = self.state.repos.get(repo, [])
        return next((item for item in reversed(commits) if rev in ("main", item.oid)), None)

    def create(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked = json.loads(body)
        repo = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if repo in self.state.repos:
            return self._json({"url": f"{self.url}/datasets/{repo}"}, 409)
        self.state.add(repo, {".gitattributes": b"*.parquet filter=lfs\n"})
        self.state.private[repo] = asked.get("visibility") == "private"
        return self._json({"url": f"{self.url}/datasets/{repo}"})

    def info(self, _: bytes, repo: str, rev: str | None = None) -> tuple[int, dict[str, str], bytes]:
        commit = self._at(repo, rev or "main")
        if commit is None:
            return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
        names = [{"rfilename": name} for name in sorted(commit.files)]
        return self._json({"id": repo, "sha": commit.oid, "siblings": names, "private": False, "tags": []})

    def tree(self, _: bytes, repo: str, rev: str, folder: str | None = None) -> tuple[int, dict[str, str], bytes]:
        commit, start = self._at(repo, rev), f"{folder}/" if folder else ""
        names = [name for name in sorted(commit.files) if name.startswith(start)] if commit else []
        if not names:
            return 404, {"X-Error-Code": "EntryNotFound"}, b"{}"
        deep = "recursive=true" in self.path.lower()
        rows = {name: self._entry(name, commit.files[name]) for name in names if deep or "/" not in name[len(start) :]}
        inner = {start + name[len(start) :].split("/")[0] for name in names if "/" in name[len(start) :]}
        rows |= {name: {"type": "directory", "path": name, "oid": "0" * 40, "size": 0} for name in inner}
        return self._json([rows[name] for name in sorted(rows)])

    def _entry(self, name: str, data: bytes) -> dict[str, Any]:
        return {"type": "file", "path": name, "size": len(data), "oid": _oid(data)}

    def yaml(self, _: bytes) -> tuple[int, dict[str, str], bytes]:
        return self._json({"errors": [], "warnings": []})

    def preupload(self, body: bytes, repo: str, rev: str) -> tuple[int, dict[str, str], bytes]:
        head = self.state.head(repo).files
        rows = []
        for item in json.loads(body)["files"]:
            mode = "lfs" if item["path"].endswith(".parquet") else "regular"
            known = head.get(item["path"])
            oid = None if known is None else hashlib.sha256(known).hexdigest() if mode == "lfs" else _oid(known)
            rows.append({"path": item["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return self._json({"files": rows})

    def batch(self, body: bytes, repo: str) -> tuple[int, dict[str, str], bytes]:
        rows = []
        for item in json.loads(body)["objects"]:
            row = {"oid": item["oid"], "size": item["size"]}
            if item["oid"] not in self.state.blobs:
                row["actions"] = {"upload": {"href": f"{self.url}/blob/{item['oid']}"},
                                  "verify": {"href": f"{self.url}/verify"}}  # fmt: skip
            rows.append(row)
        return self._json({"transfer": "basic", "objects": rows})

    def blob(self, body: bytes, oid: str) -> tuple[int, dict[str, str], bytes]:
        if hashlib.sha256(body).hexdigest() != oid:
            return 400, {}, b""
        self.state.blobs[oid] = body
        return 200, {}, b""

    def verified(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        return self._json({}, 200 if json.loads(body)["oid"] in self.state.blobs else 404)

    def commit(self, body: bytes, repo: str, rev: str) -> tuple[int, dict[str, str], bytes]:
        if self.state.before_commit:
            self.state.before_commit(repo)
        head, *changes = [json.loads(line) for line in body.splitlines() if line]
        if head["value"].get("parentCommit") not in (None, self.state.head(repo).oid):
            return self._json({"error": "A commit has happened since. Please refresh and try again."}, 412)
        files = dict(self.state.head(repo).files)
        for change in changes:
            value = change["value"]
            if change["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif change["key"] == "lfsFile":
                files[value["path"]] = self.state.blobs[value["oid"]]
            elif change["key"] == "deletedFile":
                files.pop(value["path"])
        oid = self.state.add(repo, files).oid
        if self.state.after_commit:
            self.state.after_commit(repo)
        return self._json({"commitUrl": f"{self.url}/datasets/{repo}/commit/{oid}", "commitOid": oid, "success": True})

    def resolve(self, _: bytes, repo: str, rev: str, name: str) -> tuple[int, dict[str, str], bytes]:
        commit = self._at(repo, rev)
        if commit is None or name not in commit.files:
            code = "EntryNotFound" if commit else "RepoNotFound"
            return 404, {"X-Error-Code": code, "X-Repo-Commit": commit.oid if commit else ""}, b""
        data = commit.files[name]
        etag = hashlib.sha256(data).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit.oid, "X-Linked-Size": str(len(data)),
                   "X-Linked-Etag": f'"{etag}"', "Accept-Ranges": "bytes"}  # fmt: skip
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if asked is None:
            return 200, headers, data
        start, end = int(asked[1]), int(asked[2] or len(data) - 1)
        part = data[start : end + 1]
        return 206, {**headers, "Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(data)}"}, part


def _oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


_ROUTES = [
    (r"POST /api/repos/create", "create"),
    (r"POST /api/validate-yaml", "yaml"),
    (rf"GET /api/(datasets|models)/{REPO}(/revision/(?P<rev>[^/]+))?", "info"),
    (rf"GET /api/(datasets|models)/{REPO}/tree/(?P<rev>[^/]+)(/(?P<folder>.+))?", "tree"),
    (rf"POST /api/(datasets|models)/{REPO}/preupload/(?P<rev>[^/]+)", "preupload"),
    (rf"POST /api/(datasets|models)/{REPO}/commit/(?P<rev>[^/]+)", "commit"),
    (rf"POST (/datasets)?/{REPO}\.git/info/lfs/objects/batch", "batch"),
    (r"PUT /blob/(?P<oid>\w+)", "blob"),
    (r"POST /verify", "verified"),
    (rf"(GET|HEAD) (/datasets)?/{REPO}/resolve/(?P<rev>[^/]+)/(?P<name>.+)", "resolve"),
]
