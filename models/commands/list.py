"""``python -m models list``: which versions are served, and which others lie beside them."""

from __future__ import annotations

import argparse
from pathlib import Path

from models import artifact
from models.artifact import Artifact, ArtifactError
from models.evaluation.since import since
from models.evaluation.tables import table
from models.manifest import Manifest


def add(_: argparse.ArgumentParser) -> None:
    """Add no option: there is none."""


def run(_: argparse.Namespace) -> int:
    """Print a row a version; exit status 1 when one of them is damaged."""
    root = artifact.artifacts_folder()
    served = artifact.served(root)
    rows, damaged = [], []
    for name, versions in artifact.stored(root).items():
        for version in versions:
            try:
                model = artifact.load(name, root, version)
            except ArtifactError as error:
                damaged.append(str(error))
                continue
            mark = "served" if served.get(name) == model.version else ""
            rows.append([name, mark, model.version, _area(model), _size(model.folder), _of(model)])
    print(table(["model", "", "version", "AUROC (95 %)", "size", "recipe"], rows))
    for said in sorted({since(version) or "" for version in served.values()} - {""}):
        print(said)
    for sentence in damaged:
        print(f"damaged: {sentence}")
    return 1 if damaged else 0


def _area(model: Artifact) -> str:
    auroc = model.facts(Manifest).metrics.get("auroc")
    return "–" if auroc is None else str(auroc)


def _size(folder: Path) -> str:
    total = sum(path.stat().st_size for path in folder.iterdir())
    return f"{total / 1e6:.2f} MB"


def _of(model: Artifact) -> str:
    return model.facts(Manifest).recipe
