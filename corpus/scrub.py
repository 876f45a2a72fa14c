"""What never leaves the house, taken out of whatever is about to: machine paths, logins in URLs, keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "(removed)"
# Parts of a recipe that say where it ran and not what it made.
PRIVATE_KEYS = frozenset({"store", "run", "address", "endpoints", "api_key_env", "server", "library", "repo", "concurrency",
                          "timeout_s", "stall_s", "retries", "stream"})  # fmt: skip

_SECRETS = re.compile(
    r"\b(?:sk-[\w-]{16,}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[baprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,})"
)
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_PATH = re.compile(r"(?<![\w:/.])(?:file://)?(?:/|~/|[A-Za-z]:\\)(?:[\w.@+*?\[\]{}-]+[/\\])+(?=[\w.*?\[])")


def scrubbed(value: Any) -> Any:
    """A copy of plain JSON without the private keys, and with every string cleaned by `clean`."""
    if isinstance(value, Mapping):
        return {str(key): scrubbed(item) for key, item in value.items() if key not in PRIVATE_KEYS}
    if isinstance(value, (list, tuple)):
        return [scrubbed(item) for item in value]
    return clean(value) if isinstance(value, str) else value


def clean(text: str) -> str:
    """`text` with keys and logins removed and machine paths cut to their last part."""
    return _PATH.sub("", _LOGIN.sub("", _SECRETS.sub(HIDDEN, text)))
