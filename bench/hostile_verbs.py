"""Every verb of `hornbook filter` as it is called on a hostile file, and what it needs beside that file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pyarrow.parquet as pq

from bench.hostile_baits import GOOD
from corpus.ids import document_id
from filters.classifier import Kind
from ray_jobs.classifier_files import contrast, train_files

AROUND = 300  # good rows before the hostile one, and as many after it
QUESTION = "How far does a brook fall on its way to the lake, if it springs from a ridge of three hundred metres and meets two weirs?"
NAME = "bait.jsonl"  # of every hostile file: the ids of its rows are known before it is written
READS_ALL: dict[str, str] = {
    "score": "score {file} --with gopher,repetition,c4,fineweb,code,chinese,language,sensitive,toxic --out {out}",
    "score, fastText": "score {file} --with quality --classifier {fasttext} --toxic {words} --out {out}",
    "clean": "clean {file} --out {out}",
    "redact": "redact {file} --out {out}",
    "decontaminate": "decontaminate {file} --against {exam} --out {out}",
    "facts, of the text": "facts {file} --out {out}",
    "facts, of the source": "facts {file} --text-field source --source-field text --out {out}",
    "dedup": "dedup {file} --out {out}",
    "dedup, lines": "dedup {file} --unit line --out {out}",
    "dedup, paragraphs": "dedup {file} --unit paragraph --out {out}",
    "dedup, passages": "dedup {file} --unit passage --out {out}",
    "classifier train, fastText": "classifier train --teaches {file} --other {good} --kind fasttext --out {out}",
    "redundancy score, loss": "redundancy score {file} --by loss --out {out}",
}
"""What looks at every character of a text."""

READS_SOME: dict[str, str] = {
    "score, classifier of words": "score {file} --with quality --classifier {words} --out {out}",
    "dedup, meaning": "dedup {file} --unit meaning --out {out}",
    "judge": "judge {file} --endpoint {judge} --model stub --out {out}",
    "blend": "blend {file} --tokens 100000 --out {out}",
    "mix-search": "mix-search {file} {good} --target {good} --tokens 100000 --mixes 8",
    "classifier train, words": "classifier train --teaches {file} --other {good} --out {out}",
    "classifier evaluate": "classifier evaluate --teaches {file} --other {good} --source-field part",
    "classifier check": "classifier check {file} --classifier {words} --label-field label --teaches yes",
    "redundancy score, copies": "redundancy score {file} --by copies --out {out}",
    "redundancy score, prototype": "redundancy score {file} --by prototype --out {out}",
    "redundancy prune": "redundancy prune {file} --scores {scores} --keep 0.5 --by spread --out {out}",
    "redundancy grow": "redundancy grow {file} --scores {scores} --doubt random --until 0.2 --out {out}",
    "redundancy measure": "redundancy measure {file} --scores {scores} --dimensions 4",
}
"""What reads the beginning of a text, or does what another verb of the first kind does."""

VERBS = READS_ALL | READS_SOME


def good_row(number: int, part: str = "") -> str:
    """A row that every verb takes."""
    label = "yes" if number % 2 else "no"
    return json.dumps({"text": f"Row {number}. {GOOD}", "source": GOOD, "label": label, "part": f"{part}{number % 3}"})


@contextmanager
def setting(folder: Path) -> Iterator[dict[str, str]]:
    """The words that fill the calls, all but `file`: what is there is made in `folder`, but for what `train` makes, and a
    judge listens."""
    names = {name: str(folder / f"{name}.{kind}") for name, kind in
             (("good", "jsonl"), ("exam", "jsonl"), ("scores", "parquet"), ("words", "bin"), ("fasttext", "bin"), ("out", "parquet"))}  # fmt: skip
    Path(names["good"]).write_text("\n".join(good_row(number, "good") for number in range(2 * AROUND)) + "\n", "utf-8")
    question = {"id": "1", "question": QUESTION, "code": "def f(a):\n    return sorted(a)[:3]"}
    Path(names["exam"]).write_text(json.dumps(question) + "\n", "utf-8")
    ids = [document_id("files", NAME, row) for row in range(1, 2 * AROUND + 2)]
    pq.write_table(pa.table({"id": ids, "score": [row % 7 / 7 for row in range(len(ids))]}), names["scores"])
    with judge() as url:
        yield names | {"judge": url}


def train(words: Mapping[str, str]) -> None:
    """The two classifiers that some of the calls name."""
    kinds: tuple[Kind, ...] = ("words", "fasttext")
    for kind in kinds:
        examples, _ = contrast([words["good"]], [words["good"]], "text", None)
        train_files(examples, kind, words[kind], "", 17)


@contextmanager
def judge() -> Iterator[str]:
    """An endpoint whose points follow from the bytes that it is asked."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps(_points(sum(asked) % 6)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def _points(points: int) -> dict[str, object]:
    likely = [{"token": str(points), "logprob": -0.1, "bytes": None}]
    token = {**likely[0], "top_logprobs": likely}
    choice = {"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": str(points)},
              "logprobs": {"content": [token], "refusal": None}}  # fmt: skip
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "stub", "choices": [choice]}
