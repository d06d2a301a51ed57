"""The served model of progression, from its artefact."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from safetensors.numpy import load

from models import artifact
from models.manifest import ProgressionManifest
from models.progression.forecast import Forecaster
from models.progression.mixed import Mixed
from models.progression.recurrent import Recurrent

NAME = "progression"
WEIGHTS = "recurrent.safetensors"


@dataclass(frozen=True)
class Served:
    """``is_simulated``: made of simulated patients alone."""

    version: str
    model: Forecaster
    is_simulated: bool


def served() -> Served:
    """Return what is served. Raises :class:`~models.artifact.ArtifactError`."""
    root = artifact.artifacts_folder()
    return _opened(str(root), artifact.served(root).get(NAME))


@lru_cache(maxsize=2)
def _opened(root: str, version: str | None) -> Served:
    if version is None:
        raise artifact.ArtifactError(f"{artifact.SERVED} in {root} names no {NAME}")
    found = artifact.load(NAME, Path(root), version)
    facts = found.facts(ProgressionManifest)
    return Served(found.version, forecaster(found), facts.simulated)


def forecaster(found: artifact.Artifact) -> Forecaster:
    """Return the model that was chosen when ``found`` was trained."""
    facts = found.facts(ProgressionManifest)
    return Forecaster(
        mixed=Mixed(**facts.mixed.model_dump()),
        recurrent=recurrent(found) if facts.chosen == "recurrent" else None,
        widening=facts.widening[facts.chosen],
    )


def recurrent(found: artifact.Artifact) -> Recurrent:
    """Return the recurrent network of ``found``, chosen or not."""
    return Recurrent(load(found.path(WEIGHTS).read_bytes()))
