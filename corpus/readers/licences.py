"""The licence of an installed package, as an SPDX expression where its metadata lets one be told."""

from __future__ import annotations

import re
from email.message import Message

UNKNOWN = "unknown"

# What packages write in the old free `License` field and in their classifiers, for the licences met most often.
_SPELLINGS = {
    "mit": "MIT",
    "mit license": "MIT",
    "mit licence": "MIT",
    "the mit license": "MIT",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache-2.0 license": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "python software foundation license": "PSF-2.0",
    "psf license": "PSF-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "unlicense": "Unlicense",
    "zope public license": "ZPL-2.1",
}
_CLASSIFIER = re.compile(r"^License :: (?:OSI Approved :: )?(.+)$")
_SPDX = re.compile(
    r"^\(?[A-Za-z0-9.+-]*[0-9][A-Za-z0-9.+-]*\)?(?: (?:AND|OR|WITH) \(?[A-Za-z0-9.+-]+\)?)*$|^MIT$|^ISC$"
)


def package_licence(metadata: Message) -> str:
    """`License-Expression`, else a licence name that is known, else `unknown`; never a guess from the text."""
    if expression := metadata.get("License-Expression"):
        return expression.strip()
    stated = [metadata.get("License") or "", *_classifiers(metadata)]
    return next((name for name in map(_named, stated) if name), UNKNOWN)


def _classifiers(metadata: Message) -> list[str]:
    found = (_CLASSIFIER.match(line) for line in metadata.get_all("Classifier") or [])
    return [match.group(1) for match in found if match]


def _named(stated: str) -> str:
    stated = stated.strip()
    if known := _SPELLINGS.get(stated.lower()):
        return known
    return stated if len(stated) <= 120 and _SPDX.match(stated) else ""
