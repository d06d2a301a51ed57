"""Trained models on disk: immutable, found by content, all facts of one model in one folder.

::

    artifacts/
        served.json                  {"cnn": "sha256:…", …}: the versions that belong together
        maps.json                    where their maps' evidence lies, measured after training
        cnn/3f2a…/                   the first 12 digits of the version
            manifest.json            recipe, network, calibration, threshold, data, metrics, files
            weights.safetensors      float16 where it costs nothing, no pickle anywhere
            network.tflite           what OpenVINO and LiteRT read
            network-int8.xml, .bin   what OpenVINO reads in 8 bits, where that answers alike
            forest.safetensors       resnet only
            evaluation.json, *.svg   stack only
            card.md
        reference/…/                 how the training images looked: counts only
        progression/…/               how BMD goes on between visits; looks at no image

A version is the SHA-256 of the manifest in canonical JSON; the manifest holds the SHA-256 of every
other file. Nothing can change without its name changing, and :func:`load` checks both.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from models.files import replace
from models.image import recipe
from models.manifest import Manifest

FOLDER: Final = Path(__file__).parent / "artifacts"
MANIFEST: Final = "manifest.json"
SERVED: Final = "served.json"
FRAMED: Final = frozenset({"vertebrae", "gate"})
"""The models that look at whole frames; all others look at canonical images."""

VISITS: Final = "visits/1"
"""What the model of progression looks at (:mod:`models.progression.series`): no image."""

PREFIX: Final = "sha256:"
"""Of a version and of every digest."""

ManifestT = TypeVar("ManifestT", bound=Manifest)


class ArtifactError(ValueError):
    """An artefact is missing, was changed, or belongs to another recipe."""


@dataclass(frozen=True)
class Artifact:
    """One version of one model. ``manifest`` is as it was written, ``folder`` where it lies."""

    name: str
    version: str
    folder: Path
    manifest: Mapping[str, Any]

    def facts(self, kind: type[ManifestT]) -> ManifestT:
        """Return what the manifest says. Raises :class:`ArtifactError` for what is missing."""
        return _read(self.name, self.manifest, kind)

    def path(self, file: str) -> Path:
        if file not in self.manifest["files"]:
            raise ArtifactError(f"{self.name} {self.version[:19]} has no file {file}")
        return self.folder / file


def artifacts_folder() -> Path:
    """Return where artefacts lie: ``OSTEOSERVE_ARTIFACTS``, else those shipped."""
    return Path(os.environ.get("OSTEOSERVE_ARTIFACTS", FOLDER))


def write(
    root: Path,
    name: str,
    manifest: Mapping[str, Any],
    files: Mapping[str, bytes],
    kind: type[Manifest] = Manifest,
) -> Artifact:
    """Write a new version under ``root`` and return it. The same content is written once.

    The folder appears whole or not at all: a killed training leaves no half artefact behind.
    Raises :class:`ArtifactError` when ``manifest`` lacks what ``kind`` says.
    """
    complete = {
        "model": name,
        "recipe": _recipe(name),
        **manifest,
        "files": {file: _sha256(data) for file, data in sorted(files.items())},
    }
    _read(name, complete, kind)
    version = _version(complete)
    folder = root / name / version.removeprefix(PREFIX)[:12]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
        try:
            for file, data in files.items():
                (draft / file).write_bytes(data)
            (draft / MANIFEST).write_text(_pretty(complete), encoding="utf-8")
            draft.chmod(0o755)
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return Artifact(name, version, folder, complete)


def serve(root: Path, versions: Mapping[str, str]) -> None:
    """Make ``versions`` (model name → version) the ones that are served from ``root``.

    Models that ``versions`` does not name stay as they are.
    """
    kept = served(root) if (root / SERVED).exists() else {}
    replace(root / SERVED, _pretty({**kept, **versions}).encode())


def served(root: Path) -> dict[str, str]:
    """Return model name → version, as :func:`serve` wrote it."""
    path = root / SERVED
    if not path.is_file():
        raise ArtifactError(f"no {SERVED} in {root}: train models first (make train)")
    versions = json.loads(path.read_text(encoding="utf-8"))
    return {str(name): str(version) for name, version in versions.items()}


def load(
    name: str,
    root: Path | None = None,
    version: str | None = None,
    only: Collection[str] | None = None,
) -> Artifact:
    """Return the served (or the given) version of model ``name``, every checksum verified.

    ``version`` may be cut short, to its first 12 digits or more. Who reads some of the files alone
    names them in ``only``; the others are not verified, and need not be there.

    Raises :class:`ArtifactError`: unknown, incomplete, changed since written, or made for another
    recipe than this code's.
    """
    root = artifacts_folder() if root is None else root
    version = served(root).get(name) if version is None else version
    if version is None:
        raise ArtifactError(f"{SERVED} in {root} names no {name}")
    folder = root / name / version.removeprefix(PREFIX)[:12]
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{name} {version[:19]} is not in {root}") from error
    whole = _version(manifest)
    if not whole.startswith(version if version.startswith(PREFIX) else PREFIX + version):
        raise ArtifactError(f"{name} {version[:19]}: the manifest was changed after training")
    facts = _read(f"{name} {version[:19]}", manifest, Manifest)
    for file, digest in facts.files.items():
        if only is not None and file not in only:
            continue
        path = folder / file
        if not path.is_file() or _sha256(path.read_bytes()) != digest:
            raise ArtifactError(f"{name} {version[:19]}: {file} is missing or was changed")
    wanted = _recipe(name)
    if facts.recipe != wanted:
        raise ArtifactError(
            f"{name} {version[:19]} was trained on {facts.recipe}; this is {wanted}"
        )
    return Artifact(name, whole, folder, manifest)


def copy(name: str, root: Path) -> Artifact:
    """Return the shipped version of model ``name``, written under ``root`` too."""
    shipped = load(name, FOLDER)
    files = {file: shipped.path(file).read_bytes() for file in shipped.manifest["files"]}
    return write(root, name, shipped.manifest, files)


def stored(root: Path) -> dict[str, list[str]]:
    """Return model name → every version that lies in ``root``, served or not, cut to 12 digits."""
    found = sorted(path.parent for path in root.glob(f"*/[!.]*/{MANIFEST}"))
    versions: dict[str, list[str]] = {}
    for folder in found:
        versions.setdefault(folder.parent.name, []).append(PREFIX + folder.name)
    return versions


def _read(name: str, manifest: Mapping[str, Any], kind: type[ManifestT]) -> ManifestT:
    try:
        return kind.model_validate(manifest)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}"
            for fault in error.errors()[:5]
        )
        raise ArtifactError(f"the manifest of {name} cannot be used: {faults}") from None


def _recipe(name: str) -> str:
    """Return the recipe whose images model ``name`` looks at, of progression that of visits."""
    if name == "progression":
        return VISITS
    return recipe.FRAME if name in FRAMED else recipe.NAME


def _version(manifest: Mapping[str, Any]) -> str:
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _sha256(canonical.encode())


def _sha256(data: bytes) -> str:
    return PREFIX + hashlib.sha256(data).hexdigest()


def _pretty(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
