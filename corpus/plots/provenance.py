"""Where a dataset comes from: the recipe as it ran, fingerprints, code and licences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from corpus.plots.safe import escape, number, size
from corpus.plots.tables import table

RECIPE = 60_000  # characters of the recipe shown
_PASSWORD = re.compile(r"(?<=://)[^/\s@]+@")
_SECRET_KEY = re.compile(r"(^|_)(key|token|secret|password)$")


def recipe(manifests: Mapping[str, Any]) -> str:
    """The resolved settings of every stage as YAML; what looks like a credential is left out."""
    settings = {stage: manifest.config for stage, manifest in manifests.items() if manifest.config}
    plain = without_secrets(json.loads(json.dumps(settings, default=str)))
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    return f"<pre>{escape(text, RECIPE)}</pre>"


def without_secrets(value: Any, key: str = "") -> Any:
    """`value` with passwords cut out of URLs and the values of keys such as `api_key` or `token` masked."""
    if isinstance(value, dict):
        return {name: without_secrets(item, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [without_secrets(item, key) for item in value]
    if not isinstance(value, str):
        return value
    return "(not shown)" if value and _SECRET_KEY.search(key.lower()) else _PASSWORD.sub("", value)


def stages(manifests: Mapping[str, Any]) -> str:
    """One row a stage: fingerprint, inputs, files."""
    rows = []
    for stage, manifest in manifests.items():
        weight = sum(partition.bytes for partition in manifest.partitions)
        rows.append(
            [
                stage,
                manifest.fingerprint,
                ", ".join(manifest.inputs) or "–",
                number(len(manifest.partitions)),
                size(weight),
                manifest.created,
                manifest.code,
            ]
        )
    return table(["stage", "fingerprint", "reads", "files", "size", "finished", "code"], rows)


def licences(manifests: Mapping[str, Any]) -> str:
    """Documents by licence, for each stage that counted them; empty when none did."""
    rows = [
        [stage, name, count]
        for stage, manifest in manifests.items()
        for name, count in sorted(manifest.licences.items(), key=lambda item: (-item[1], item[0]))
    ]
    return table(["stage", "licence", "documents"], rows) if rows else ""


def hashes(manifests: Mapping[str, Any]) -> str:
    """Dataset hashes, which do not depend on how files were cut; empty when no stage has one."""
    rows = [[stage, manifest.dataset_hash] for stage, manifest in manifests.items() if manifest.dataset_hash]
    return table(["stage", "dataset hash"], rows) if rows else ""
