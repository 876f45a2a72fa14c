"""R13 to R15: what runs in the jail does not get out, does not outlive its limits and cannot forge its verdict."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml

from corpus.errors import SetupError
from generator import jail as jails
from generator.jail import Ended, Jail, Limits, Program

ESCAPES = yaml.safe_load((Path(__file__).parent / "escapes.yaml").read_text("utf-8"))
COUNTS = {"network": 6, "file": 10, "process": 6, "resource": 8, "kernel": 5, "forging": 5}
NAMES = [(kind, name) for kind, found in ESCAPES.items() for name in found]
TIGHT = Limits(seconds=4.0, cpu=1)
STOPPED = ("time", "failed", "error", "gone")


@dataclass(frozen=True)
class Tried:
    """What became of all attempts, and of the host."""

    ended: dict[tuple[str, str], Ended]
    heard: list[bytes]
    before: str
    after: str


def program(source: str) -> Program:
    return Program(source, "_equal(attempt(), 'blocked', 1)", ("attempt",))


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(4) as made:
        yield made


@pytest.fixture(scope="module")
def tried(jail: Jail, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """All attempts at once, beside a listener and a file on the host that they want to reach."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "secret").write_text("canary")
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(server.getsockname())
        datagrams.settimeout(0.1)
        server.settimeout(0.1)
        fill = {"port": server.getsockname()[1], "secret": folder / "secret", "source": Path(jails.__file__).parent}
        before = _tree(folder)
        with ThreadPoolExecutor(4) as pool:
            ended = pool.map(lambda name: jail.run(program(ESCAPES[name[0]][name[1]].format(**fill)), TIGHT), NAMES)
            found = dict(zip(NAMES, ended, strict=True))
        for listen in (lambda: server.accept()[0].recv(9), lambda: datagrams.recv(9)):
            with suppress(TimeoutError):
                heard.append(listen())
        return Tried(found, heard, before, _tree(folder))


def _tree(folder: Path) -> str:
    """A hash over names and contents."""
    parts = [f"{path} {path.read_bytes()!r}" for path in sorted(folder.rglob("*")) if path.is_file()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def test_there_are_forty_attempts_of_six_kinds() -> None:
    assert {kind: len(found) for kind, found in ESCAPES.items()} == COUNTS


@pytest.mark.parametrize("kind, name", [item for item in NAMES if item[0] not in ("forging", "resource")])
def test_an_escape_is_blocked(tried: Tried, kind: str, name: str) -> None:
    ended = tried.ended[kind, name]
    refused = ended.kind == "failed" and (
        "Error: [Errno" in ended.detail or "gaierror" in ended.detail or "MemoryError" in ended.detail
    )
    assert refused or ended.kind == "passed", ended


@pytest.mark.parametrize("name", ESCAPES["resource"])
def test_a_bomb_stays_within_its_limits(tried: Tried, name: str) -> None:
    ended = tried.ended["resource", name]
    assert ended.kind in (*STOPPED, "passed"), ended
    assert not any(word in ended.detail for word in ("'written'", "'started'", "'raised'")), ended
    assert ended.seconds <= TIGHT.seconds + 1


@pytest.mark.parametrize("name", ESCAPES["forging"])
def test_a_forged_verdict_is_none(tried: Tried, name: str) -> None:
    ended = tried.ended["forging", name]
    assert ended.kind != "passed", ended
    assert "'found'" not in ended.detail, ended


def test_the_host_heard_nothing_and_is_what_it_was(tried: Tried) -> None:
    assert tried.heard == []
    assert tried.after == tried.before


def test_nothing_of_a_jail_outlives_it(jail: Jail, tried: Tried) -> None:
    bombs = [program(ESCAPES["resource"][name]) for name in ("fork_bomb", "endless", "sleeper", "thread_bomb")]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda bomb: jail.run(bomb, Limits(seconds=1.5, cpu=1)), bombs))
    wardens = [item for item in psutil.Process().children() if "jail_warden" in " ".join(item.cmdline())]
    assert wardens
    assert not [child for warden in wardens for child in warden.children(recursive=True)]


def test_an_honest_program_passes_beside_bombs(jail: Jail) -> None:
    honest = Program("def attempt():\n    return 'blocked'\n", "_equal(attempt(), 'blocked', 1)", ("attempt",))
    bomb = threading.Thread(target=jail.run, args=(program(ESCAPES["resource"]["fork_bomb"]),))
    bomb.start()
    assert jail.run(honest).kind == "passed"
    bomb.join()


def test_without_bubblewrap_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jails.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(jails.shutil, "which", lambda name: None)
    with pytest.raises(SetupError, match="bubblewrap is not installed"):
        Jail()


def test_on_a_processor_without_a_table_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jails, "deny_list", lambda: None)
    with pytest.raises(SetupError, match="no seccomp table"):
        Jail()


def test_a_jail_that_cannot_be_set_up_runs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    build = jails.command
    monkeypatch.setattr(jails, "command", lambda *given: [*build(*given)[:1], "--no-such-option", *build(*given)[1:]])
    with Jail(1) as broken, pytest.raises(SetupError, match="could not be set up"):
        broken.run(program("def attempt():\n    return 'blocked'\n"))
