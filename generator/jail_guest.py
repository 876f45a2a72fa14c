"""The harness inside the jail: three processes, so that what is judged cannot reach what judges.

The *judge* holds the only way out and the nonce, which it reads after the other two were forked. The *solver* runs the
solution and answers calls. The *tester* runs the tests, in the small language of `generator/assertions.py`, and knows the
solution only by calls through the judge: plain values come back, never objects, so no `__eq__` of the solution, no patched
builtin and no exit can make a test pass. Nothing here imports Hornbook; the file is handed to the interpreter as text.
"""

import builtins
import json
import os
import resource
import select
import signal
import socket
import sys
from collections import deque
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

FRAME = 1 << 20  # bytes of one message
MOST = 10_000  # items taken from an iterator that a solution returns
SHOWN = 200  # characters of a value in a failure
OPEN = {  # what tests may import: names that give no way to reach other objects
    "bisect": "bisect bisect_left bisect_right insort", "cmath": "*", "collections": "Counter OrderedDict defaultdict deque",
    "copy": "copy deepcopy", "datetime": "date datetime time timedelta timezone", "decimal": "Decimal",
    "fractions": "Fraction", "functools": "reduce partial cmp_to_key",
    "heapq": "heapify heappop heappush nlargest nsmallest merge", "itertools": "*", "json": "dumps loads", "math": "*",
    "re": "compile escape findall fullmatch match search split sub IGNORECASE MULTILINE DOTALL",
    "statistics": "mean median mode pstdev pvariance stdev variance fmean multimode",
    "string": "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits punctuation printable whitespace",
}  # fmt: skip
PLAIN = (
    "abs all any ascii bin bool bytearray bytes chr complex dict divmod enumerate filter float format frozenset hash hex int "
    "isinstance issubclass iter len list map max min next oct ord pow range repr reversed round set slice sorted str sum "
    "tuple zip"
)


class NotPlain(Exception):
    """A value that is no data, and so cannot leave the process that made it."""


def encode(value: Any, depth: int = 0) -> Any:
    """A plain value as JSON can carry it, type included."""
    kind = type(value)
    if value is None or kind in (bool, str, float) or (kind is int and -(1 << 63) < value < 1 << 63):
        return value
    if depth > 50:
        raise NotPlain("a value that is nested too deeply")
    bases: tuple[tuple[Any, str], ...] = ((list, "l"), (tuple, "t"), (set, "s"), (frozenset, "f"), (deque, "q"))
    for base, tag in bases:
        if isinstance(value, base):
            return [tag, [encode(item, depth + 1) for item in base.__iter__(value)]]
    if isinstance(value, dict):
        return ["d", [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in dict.items(value)]]
    if isinstance(value, int):
        return ["i", hex(int(value))]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float(value)
    if kind in (bytes, bytearray):
        return ["b" if kind is bytes else "a", value.hex()]
    if kind is complex:
        return ["c", value.real, value.imag]
    if kind is range:
        return ["r", value.start, value.stop, value.step]
    named = (kind.__module__, kind.__name__)
    if named == ("decimal", "Decimal"):
        return ["n", str(value)]
    if named == ("fractions", "Fraction"):
        return ["/", hex(value.numerator), hex(value.denominator)]
    if hasattr(kind, "__next__"):
        return ["g", _drawn(value, depth)]
    raise NotPlain(f"a value of type {kind.__name__[:60]}")


def _drawn(iterator: Any, depth: int) -> list[Any]:
    items: list[Any] = []
    for item in iterator:
        if len(items) >= MOST:
            raise NotPlain(f"an iterator of more than {MOST} items")
        items.append(encode(item, depth + 1))
    return items


def decode(value: Any) -> Any:
    """The value again."""
    if not isinstance(value, list):
        return value
    tag, body = value[0], value[1]
    if tag in MAKERS:
        return MAKERS[tag](decode(item) for item in body)
    if tag == "d":
        return {decode(key): decode(item) for key, item in body}
    if tag == "i":
        return int(body, 16)
    if tag in "ba":
        return (bytes if tag == "b" else bytearray).fromhex(body)
    if tag == "c":
        return complex(body, value[2])
    if tag == "r":
        return range(body, value[2], value[3])
    if tag == "n":
        from decimal import Decimal

        return Decimal(body)
    if tag == "/":
        from fractions import Fraction

        return Fraction(int(body, 16), int(value[2], 16))
    raise ValueError("an unknown tag")


MAKERS: dict[str, Any] = {
    "l": list,
    "t": tuple,
    "s": set,
    "f": frozenset,
    "q": deque,
    "g": lambda items: iter(list(items)),
}


def send(channel: socket.socket, message: Any) -> None:
    """One message: four bytes of length, then JSON."""
    data = json.dumps(message).encode()
    if len(data) > FRAME:
        raise NotPlain("a value of more than 1 MiB")
    channel.sendall(len(data).to_bytes(4, "big") + data)


def receive(channel: socket.socket) -> Any:
    """One message. Raises `EOFError` at the end, `ValueError` for what is none."""
    size = int.from_bytes(_exactly(channel, 4), "big")
    if size > FRAME:
        raise ValueError("a message that is too long")
    return json.loads(_exactly(channel, size))


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = channel.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def solve(channel: socket.socket) -> None:
    """The solver: runs the solution once, then answers calls to what it defines."""
    source, names = receive(channel)
    space: dict[str, Any] = {"__name__": "solution", "__builtins__": builtins}
    try:
        exec(compile(source, "solution.py", "exec"), space)
        send(channel, ["ready", {name: _thing(space, name) for name in names}])
    except BaseException as error:
        send(channel, ["error", *_told(error)])
        return
    while True:
        name, args, kwargs = receive(channel)
        args, kwargs = decode(args), decode(kwargs)
        try:
            result = encode(space[name](*args, **kwargs))
            send(
                channel, ["value", result, [encode(item) if type(item) in (list, dict, set) else None for item in args]]
            )
        except NotPlain as error:
            send(channel, ["foreign", str(error)])
        except BaseException as error:
            send(channel, ["error", *_told(error)])


def _thing(space: dict[str, Any], name: str) -> list[Any]:
    if name not in space:
        return ["missing"]
    return ["call"] if callable(space[name]) else ["value", encode(space[name])]


def _told(error: BaseException) -> tuple[str, str]:
    kind = next((item for item in type(error).__mro__ if item.__module__ == "builtins"), Exception)
    try:
        text = str(error)[:SHOWN]
    except BaseException:
        text = ""
    return kind.__name__, text


def test(channel: socket.socket) -> None:
    """The tester: runs the tests, each value of the solution asked for through the judge."""
    source, things = receive(channel)
    state = SimpleNamespace(passed=0, calls=0, line=0, foreign="")

    def check(value: Any, line: int) -> None:
        state.line = line
        if not value:
            raise AssertionError("the condition is false")
        state.passed += 1

    def equal(left: Any, right: Any, line: int) -> None:
        state.line = line
        if not left == right:
            raise AssertionError(f"{repr(left)[:SHOWN]} is not {repr(right)[:SHOWN]}")
        state.passed += 1

    space = {"__builtins__": _builtins(), "__name__": "tests", "_check": check, "_equal": equal}
    for name, thing in things.items():
        if thing[0] != "missing":
            space[name] = _proxy(channel, name, state) if thing[0] == "call" else decode(thing[1])
    failure = ""
    try:
        exec(compile(source, "tests.py", "exec"), space)
    except NotPlain as error:
        state.foreign = str(error)
    except Exception as error:
        failure = f"line {state.line}: " * bool(state.line) + f"{type(error).__name__}: {str(error)[: 2 * SHOWN]}"
    send(channel, ["end", state.passed, state.calls, failure, state.foreign])


def _builtins() -> dict[str, Any]:
    space: dict[str, Any] = {name: getattr(builtins, name) for name in PLAIN.split()}
    space |= {
        name: item for name, item in vars(builtins).items() if isinstance(item, type) and issubclass(item, Exception)
    }
    space |= {
        "True": True,
        "False": False,
        "None": None,
        "print": lambda *args, **kwargs: None,
        "type": lambda item: type(item),
    }
    return space | {"__import__": _import}


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    if name not in OPEN or level:
        raise ImportError(f"tests cannot import {name}")
    module = __import__(name)
    names = OPEN[name].split()
    if names == ["*"]:
        names = [item for item in dir(module) if not item.startswith("_")]
    return SimpleNamespace(**{item: getattr(module, item) for item in names})


def _proxy(channel: socket.socket, name: str, state: SimpleNamespace) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        state.calls += 1
        send(channel, ["call", name, encode(args), encode(kwargs)])
        kind, *rest = receive(channel)
        if kind == "value":
            for given, after in zip(args, rest[1], strict=True):
                _write_back(given, after)
            return decode(rest[0])
        if kind == "foreign":
            state.foreign = rest[0]
            raise NotPlain(rest[0])
        error: Any = getattr(builtins, rest[0], Exception)
        if not (isinstance(error, type) and issubclass(error, Exception)):
            error = RuntimeError  # SystemExit and the like end the solver, never the tests
        try:
            raised = error(rest[1])
        except TypeError:  # UnicodeDecodeError and others want more arguments
            raised = ValueError(rest[1])
        raise raised

    return call


def _write_back(given: Any, after: Any) -> None:
    """A list, dict or set that the solution changed in place is changed for the tests, too."""
    if after is None or type(given) not in (list, dict, set):
        return
    value = decode(after)
    if type(given) is list:
        given[:] = value
    else:
        given.clear()
        given.update(value)


def judge(solver: socket.socket, tester: socket.socket, job: dict[str, Any]) -> dict[str, Any]:
    """Carry calls from the tester to the solver, and take the tester's last word. Only what is expected is read."""
    send(solver, [job["solution"], job["names"]])
    kind, *rest = answer(solver)
    if kind in ("value", "foreign"):
        kind, rest = "unasked", ["the solution answered what nobody asked"]
    if kind != "ready":
        return {"phase": "solution", "kind": kind, "detail": ": ".join(map(str, rest))}
    send(tester, [job["tests"], rest[0]])
    dead: list[Any] | None = None
    while True:
        message = receive(tester)
        if message[0] == "end":
            _, passed, calls, failure, foreign = message
            found = {"phase": "tests", "kind": "failed" if failure else "foreign" if foreign else "passed"}
            if dead:
                found = {"phase": "solution", "kind": dead[0]}
                failure = failure or dead[1]
            if select.select([solver], [], [], 0)[0] and not dead:
                found["kind"] = "unasked"  # the solver spoke out of turn
            return found | {"passed": passed, "calls": calls, "detail": failure or foreign}
        if dead is None:
            if select.select([solver], [], [], 0)[0]:
                return {"phase": "solution", "kind": "unasked", "detail": "the solution wrote to the harness"}
            with suppress(OSError):
                send(solver, message[1:])
            reply = answer(solver)
            dead = reply if reply[0] in ("gone", "unasked", "time") else None
        send(tester, reply if dead is None else ["error", "RuntimeError", dead[1]])


def answer(solver: socket.socket) -> list[Any]:
    """What the solver says; `gone`, `time` or `unasked` where it can say nothing any more."""
    try:
        reply = receive(solver)
        shapes = {"ready": 2, "value": 3, "error": 3, "foreign": 2}
        if not (isinstance(reply, list) and reply and isinstance(reply[0], str) and len(reply) == shapes.get(reply[0])):
            return ["unasked", "the solution wrote to the harness"]
        return reply
    except (EOFError, OSError):
        ended = os.waitstatus_to_exitcode(os.waitpid(SOLVER[0], 0)[1])
        if ended in (-signal.SIGXCPU, -signal.SIGKILL):
            return ["time", "the CPU limit was reached"]
        return ["gone", f"the solution ended its process ({ended})"]
    except ValueError:
        return ["unasked", "the solution wrote to the harness"]


SOLVER = [0]


def part(work: Any) -> tuple[int, socket.socket]:
    """Fork a process that holds nothing but one end of a channel; the pid and our end."""
    mine, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, mine
    try:
        empty = os.open("/dev/null", os.O_RDWR)
        for handle in (0, 1, 2):
            os.dup2(empty, handle)
        keep = theirs.fileno()
        os.closerange(3, keep)
        os.closerange(keep + 1, 64)
        work(theirs)
    except BaseException:
        pass  # what it came to was told over the socket or not at all; a trace would go to code that nobody trusts
    finally:
        os._exit(0)


def main() -> None:
    limits = json.loads(sys.argv[1])
    os.closerange(3, 256)
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    SOLVER[0], solver = part(solve)
    _, tester = part(test)
    job = json.loads(sys.stdin.buffer.read())
    try:
        found = judge(solver, tester, job)
    except (EOFError, OSError, ValueError):
        found = {"phase": "tests", "kind": "gone", "detail": "the tests ended their process"}
    os.write(1, json.dumps(found | {"nonce": job["nonce"]}).encode())


if __name__ == "__main__":
    main()
