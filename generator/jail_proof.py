"""A short proof that the jail of this machine holds: R13's list in one program each, run before anything else is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from generator.jail import Ended, Jail, Limits, Program

SECONDS = 3.0
PROBES = {
    "an honest program passes": ("passed", "def probe():\n    return 'blocked'\n"),
    "no file of the host": ("passed", "import os\ndef probe():\n    return 'blocked' if not any(map(os.path.exists, ('/etc/passwd', '/root', '/home', '/proc/1', '/usr/bin'))) else 'open'\n"),
    "no environment": ("passed", "import os\ndef probe():\n    return 'blocked' if set(os.environ) <= {'LD_LIBRARY_PATH', 'PYTHONHASHSEED', 'LANG', 'PWD'} else 'open'\n"),
    "no handle of the host": ("passed", "import os\ndef probe():\n    for handle in range(3, 256):\n        try:\n            os.open('.', os.O_RDONLY, dir_fd=handle)\n            return 'open'\n        except OSError:\n            pass\n    return 'blocked'\n"),
    "no network": ("failed", "import socket\ndef probe():\n    socket.socket()\n    return 'open'\n"),
    "no signal to others": ("failed", "import os\ndef probe():\n    os.kill(1, 9)\n    return 'open'\n"),
    "no further namespace": ("passed", "import ctypes\ndef probe():\n    return 'blocked' if ctypes.CDLL(None).unshare(0x10000000) == -1 else 'open'\n"),
    "no write outside scratch": ("failed", "def probe():\n    open('/usr/lib/probe', 'w')\n    return 'open'\n"),
    "processes are counted": ("passed", "import os, time\ndef probe():\n    for count in range(64):\n        try:\n            if os.fork() == 0:\n                time.sleep(9)\n                os._exit(0)\n        except OSError:\n            return 'blocked' if count else 'no process at all'\n    return 'open'\n"),
    "memory is bounded": ("failed", "def probe():\n    bytearray(1 << 31)\n    return 'open'\n"),
    "time is bounded": ("time", "import time\ndef probe():\n    time.sleep(60)\n    return 'open'\n"),
    "an exit is no verdict": ("gone", "import os\ndef probe():\n    os._exit(0)\n"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proof:
    """One probe: what it shows, and whether it did."""

    what: str
    good: bool
    seen: str = ""


def prove(jail: Jail) -> list[Proof]:
    """Run every probe. Raises `SetupError` where no jail can be set up at all."""
    with ThreadPoolExecutor(len(PROBES)) as pool:
        return list(pool.map(lambda name: _proof(name, _run(jail, name)), PROBES))


def _run(jail: Jail, name: str) -> Ended:
    limits = Limits(seconds=SECONDS) if name == "time is bounded" else None
    return jail.run(Program(PROBES[name][1], "_equal(probe(), 'blocked', 1)", ("probe",)), limits)


def _proof(name: str, ended: Ended) -> Proof:
    open_ = "'open'" in ended.detail
    return Proof(name, ended.kind == PROBES[name][0] and not open_, f"{ended.kind} {ended.detail}".strip())
