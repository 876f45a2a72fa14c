"""A provider's batch API in a thread: files go in, batches run when the test says so, results come out as files.

`with BatchServer() as provider: … provider.url`. A batch is done after `polls` looks at it; `refused` names texts whose
lines come back as errors, `lost` texts whose lines do not come back at all.
"""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from tests.fakes.teacher_text import reply_body

BOUNDARY = re.compile(rb'boundary="?([^";]+)"?')


class BatchServer:
    """What a provider keeps, and what it was asked to do."""

    def __init__(self, *, polls: int = 1, status: str = "completed") -> None:
        self.polls, self.status = polls, status
        self.refused: tuple[str, ...] = ()
        self.lost: tuple[str, ...] = ()
        self.deaf_after_create = False  # the answer to the next creation is cut off, after the batch was made
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.looks: dict[str, int] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                self._send(server.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = server.post(self.path, self.headers.get("content-type", ""), body)
                if answer is None:
                    self.close_connection = True
                    return
                self._send(answer)

            def _send(self, payload: bytes) -> None:
                self.send_response(200 if payload else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Base URL for an OpenAI client."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> BatchServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def paid(self) -> list[str]:
        """Ids of all requests of all batches, in the order of being handed in."""
        return [line["custom_id"] for batch in self.batches.values() for line in self._lines(batch)]

    def get(self, path: str) -> bytes:
        """A page."""
        path, _, _ = path.partition("?")
        if path == "/v1/batches":
            told = [self._told(item) for item in self.batches.values()]
            return orjson.dumps({"object": "list", "data": told, "has_more": False})
        if path.startswith("/v1/batches/"):
            batch = self.batches[path.rsplit("/", 1)[1]]
            self.looks[batch["id"]] = self.looks.get(batch["id"], 0) + 1
            if self.looks[batch["id"]] >= self.polls and batch["status"] == "in_progress":
                self._finish(batch)
            return orjson.dumps(self._told(batch))
        if found := re.fullmatch(r"/v1/files/([\w-]+)/content", path):
            return self.files[found.group(1)]
        return b""

    def post(self, path: str, kind: str, body: bytes) -> bytes | None:
        """Take a file or a batch in; None cuts the connection."""
        if path == "/v1/files":
            name = f"file-{len(self.files)}"
            self.files[name] = _uploaded(kind, body)
            return orjson.dumps({"id": name, "object": "file", "bytes": 1, "created_at": 0, "filename": "x.jsonl",
                                 "purpose": "batch", "status": "processed"})  # fmt: skip
        asked = orjson.loads(body)
        batch = {"id": f"batch-{len(self.batches)}", "status": "in_progress", "metadata": asked["metadata"],
                 "input_file_id": asked["input_file_id"], "output_file_id": None, "error_file_id": None}  # fmt: skip
        self.batches[batch["id"]] = batch
        if self.deaf_after_create:
            self.deaf_after_create = False
            return None
        return orjson.dumps(self._told(batch))

    def _lines(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.files[batch["input_file_id"]].split(b"\n") if line.strip()]

    def _finish(self, batch: dict[str, Any]) -> None:
        batch["status"] = self.status
        if self.status == "failed":
            return
        good, bad = [], []
        for line in self._lines(batch):
            prompt = line["body"]["messages"][-1]["content"]
            if any(word in prompt for word in self.lost):
                continue
            if any(word in prompt for word in self.refused):
                error = {"error": {"message": "too long", "code": "context_length_exceeded"}}
                bad.append(
                    {"custom_id": line["custom_id"], "response": {"status_code": 400, "body": error}, "error": None}
                )
            else:
                answer = {"status_code": 200, "request_id": "r", "body": reply_body(line["body"])}
                good.append({"id": "x", "custom_id": line["custom_id"], "response": answer, "error": None})
        for name, lines in (("output_file_id", good[::-1]), ("error_file_id", bad)):
            if lines:
                batch[name] = f"file-{len(self.files)}"
                self.files[batch[name]] = b"\n".join(map(orjson.dumps, lines)) + b"\n"

    def _told(self, batch: dict[str, Any]) -> dict[str, Any]:
        total = len(self._lines(batch))
        done = 0 if batch["status"] == "in_progress" else total
        errors = {"object": "list", "data": [{"code": "x", "message": "no such model"}]}
        return {
            **batch, "object": "batch", "endpoint": "/v1/chat/completions", "completion_window": "24h", "created_at": 0,
            "request_counts": {"total": total, "completed": done, "failed": 0},
            "errors": errors if batch["status"] == "failed" else None,
        }  # fmt: skip


def _uploaded(kind: str, body: bytes) -> bytes:
    """The file inside a form."""
    found = BOUNDARY.search(kind.encode())
    assert found is not None
    for part in body.split(b"--" + found.group(1)):
        head, _, content = part.partition(b"\r\n\r\n")
        if b'name="file"' in head:
            return content.removesuffix(b"\r\n")
    raise AssertionError("the form holds no file")
