"""A real worker process is killed at random instants; an oracle that does not use our readers counts what is left."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest
import xxhash

from tests.crash.figures import record

ROOT = Path(__file__).parents[2]
WORKER = """
import sys, time
from corpus.journal import JournalWriter, read_journal
from corpus.store import open_store
store = open_store(sys.argv[1])
total = int(sys.argv[2])
done = {record["item"] for record in read_journal(store)}
writer = JournalWriter(store, "w")
print("ready", flush=True)
for item in range(total):
    if item not in done:
        writer.append({"item": item, "text": f"text of {item} " * 5})
        if item % 3 == 0:
            writer.sync()
            print(item, flush=True)
            time.sleep(0.003)  # so that the work outlasts the kills, however quick the disk is
writer.close()
print("end", flush=True)
"""


def oracle(folder: Path) -> Counter[int]:
    """Items in the raw frames of every segment, tails cut."""
    found: Counter[int] = Counter()
    for path in sorted([*folder.glob("*.seg"), *folder.glob("*.open")]):
        data, place = path.read_bytes(), 0
        while place + 12 <= len(data):
            length, checksum = struct.unpack_from("<IQ", data, place)
            payload = data[place + 12 : place + 12 + length]
            if len(payload) < length or xxhash.xxh3_64_intdigest(payload) != checksum:
                break
            found[orjson.loads(payload)["item"]] += 1
            place += 12 + length
    return found


def kill_until_done(folder: Path, kills: int, total: int, seed: int) -> int:
    """Kill the worker `kills` times, then let it finish. Every item that it called durable must be there at once."""
    draw, killed = random.Random(seed), 0
    while True:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(total)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        if killed < kills:
            time.sleep(draw.uniform(0, 0.03))
            process.send_signal(signal.SIGKILL)
        said = process.communicate()[0].split()
        promised = {int(word) for word in said if word.isdigit()}
        assert promised <= set(oracle(folder)), f"seed {seed}, kill {killed}: a durable record is gone"
        if "end" in said:
            return killed
        killed += 1


@pytest.mark.timeout(240)
def test_kills_of_a_worker_lose_and_repeat_nothing(tmp_path: Path) -> None:
    kills, seed = int(os.environ.get("HORNBOOK_KILLS", "100")), int(os.environ.get("HORNBOOK_SEED", "1"))
    total = 60 * kills
    assert kill_until_done(tmp_path, kills, total, seed) == kills
    check(tmp_path, kills, total)


def check(folder: Path, kills: int, total: int) -> None:
    """All `total` items are there, each once; the figures are kept."""
    found = oracle(folder)
    lost, repeated = total - len(found.keys() & set(range(total))), sum(found.values()) - len(found)
    record("a worker that writes the journal", kills=kills, items=total, lost=lost, repeated=repeated)
    assert set(found) == set(range(total))
    assert (lost, repeated) == (0, 0)
