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

from corpus.errors import StateError
from corpus.journal import JournalWriter, read_journal
from corpus.local_store import LocalStore

ROOT = Path(__file__).parents[2]
WORKER = """
import sys
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
    kill_until_done(tmp_path, kills, total, seed)
    found = oracle(tmp_path)
    assert set(found) == set(range(total))
    assert max(found.values()) == 1


def test_a_torn_tail_is_cut_and_the_rest_is_read(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    writer = JournalWriter(store, "w")
    for item in range(10):
        writer.append({"item": item})
    writer.sync()
    segment = next(tmp_path.glob("*.open"))
    for cut in range(1, 20):
        data = segment.read_bytes()
        segment.write_bytes(data[:-cut])
        assert [record["item"] for record in read_journal(store)] == list(range(10))[: len(oracle(tmp_path))]
        segment.write_bytes(data)


def test_damage_inside_a_sealed_segment_is_an_error(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    writer = JournalWriter(store, "w")
    for item in range(10):
        writer.append({"item": item})
    writer.close()
    segment = next(tmp_path.glob("*.seg"))
    data = bytearray(segment.read_bytes())
    data[40] ^= 1
    segment.write_bytes(data)
    with pytest.raises(StateError, match="is damaged"):
        list(read_journal(store))


def test_two_writers_of_one_name_get_two_fences(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    first, second = JournalWriter(store, "w"), JournalWriter(store, "w")
    assert first.fence != second.fence
    for writer in (first, second):
        writer.append({"item": writer.fence})
        writer.close()
    assert sorted(record["item"] for record in read_journal(store)) == [0, 1]
