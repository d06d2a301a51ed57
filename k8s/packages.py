"""``python -m k8s.packages``: what is handed on with the images, and under which licences.

Writes an SBOM (CycloneDX) for each lock that an image is made of into ``var/sbom``, and fails where
a package's licence is not known or not allowed. The images carry SBOMs of their own, made of what
was installed; this one is made of what is locked, before anything is built.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from k8s.helm import ROOT

LOCKS: Final = ("front", "runners", "edge", "loadtests")
OUT: Final = ROOT / "var" / "sbom"

ALLOWED: Final = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "CC0-1.0",
        "ISC", "LLVM-exception", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense",
        "ZPL-2.1", "Zlib",
    }
)  # fmt: skip
"""Licences, by SPDX, under which a package may be handed on with ours without asking anybody."""

ALLOWED_FOR: Final[Mapping[str, frozenset[str]]] = {
    # Loaded as a library that anybody can replace; its source is where pip has it from.
    name: frozenset({"LGPL-3.0-only"})
    for name in ("psycopg", "psycopg-binary")
}

ELSEWHERE: Final[Mapping[str, str]] = {
    "cffi": "MIT-0",
    "colorama": "BSD-3-Clause",
    "pycparser": "BSD-3-Clause",
    "pywin32": "PSF-2.0",
    "tzdata": "Apache-2.0",
}
"""Packages that are locked for other systems or Pythons and need not be installed on this one."""

SPOKEN: Final[Mapping[str, str]] = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What packages say that name no SPDX expression."""

_PINNED: Final = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)[^\n]*\n(?P<hashes>(?:[ \t]+--hash=[^\n]+\n?)+)",
    re.M,
)
_HASH: Final = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Package:
    """A line of a lock."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def licence(self) -> str | None:
        """What it says to be under, as SPDX; None where it says nothing that is understood."""
        try:
            found = metadata.metadata(self.name)
        except metadata.PackageNotFoundError:
            return ELSEWHERE.get(self.name)
        expressions: list[str] = found.get_all("License-Expression") or []
        if expressions:
            return expressions[0]
        spoken = [
            line.rsplit(" :: ", 1)[1]
            for line in found.get_all("Classifier") or []
            if line.startswith("License :: ") and line != "License :: OSI Approved"
        ] or [one.strip() for one in found.get_all("License") or [""]]
        known = [SPOKEN.get(one) or (one if _named(one) <= ALLOWED else None) for one in spoken]
        return " OR ".join(one for one in known if one) if all(known) else None

    @property
    def allowed(self) -> bool:
        """Whether every licence that it may come under is allowed, more strictly than need be."""
        licences = _named(self.licence or "")
        return bool(licences) and licences <= ALLOWED | ALLOWED_FOR.get(self.name, frozenset())

    @property
    def component(self) -> dict[str, Any]:
        return {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "purl": self.purl,
            "licenses": [{"expression": self.licence}] if self.licence else [],
            "hashes": [{"alg": "SHA-256", "content": one} for one in self.hashes],
        }

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def _named(expression: str) -> set[str]:
    return set(re.findall(r"[\w.+-]+", expression)) - {"AND", "OR", "WITH"}


def locked(lock: str) -> list[Package]:
    """Return the packages of a lock, by name and version."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    found = [
        Package(line["name"], line["version"], tuple(_HASH.findall(line["hashes"])))
        for line in _PINNED.finditer(text)
    ]
    return sorted(found, key=lambda one: (one.name, one.version))


def sbom(lock: str) -> dict[str, Any]:
    """Return the bill of materials of a lock, the same for the same lock."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"osteoserve-{lock}",
                "name": f"osteoserve-{lock}",
                "licenses": [{"expression": "Apache-2.0"}],
            }
        },
        "components": [package.component for package in locked(lock)],
    }


def faults(lock: str) -> Iterator[str]:
    """Say of which packages the licence is not known or not allowed."""
    for package in locked(lock):
        if package.licence is None:
            yield f"{lock}: {package.name} says no licence that is understood"
        elif not package.allowed:
            yield f"{lock}: {package.name} is under {package.licence}, which is not allowed"


def main(out: Path = OUT) -> int:
    wrong: list[str] = []
    out.mkdir(parents=True, exist_ok=True)
    for lock in LOCKS:
        path = out / f"{lock}.cdx.json"
        path.write_text(json.dumps(sbom(lock), indent=1) + "\n", "utf-8")
        wrong += faults(lock)
    print(*(wrong or [f"licences are allowed; SBOMs in {out.relative_to(ROOT)}"]), sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
