"""What is being served, as its artefacts tell: versions, figures, plots and cards.

Artefacts never change, so one look is enough for as long as the same versions are served. What is
shown is verified by :mod:`models.artifact`, and not shown where it was changed. Weights are the
runners' to verify: a front may have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models import artifact
from models.artifact import Artifact, ArtifactError
from service.predictions.heat_maps.localisation import located
from service.types import BASES, MODELS, ModelName

EVALUATION: Final = "evaluation.json"
PLOTS: Final = ("roc", "precision-recall", "reliability", "confusion")
CARD: Final = "card.md"
SHOWN: Final = frozenset({CARD, EVALUATION, *(f"{name}.svg" for name in PLOTS)})
"""What a front reads of an artefact beside its manifest."""

Share = float | None
"""Null where the images do not allow it to be told."""


class _Part(BaseModel):
    # Later evaluations may say more; what is not known here is passed over.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Estimate(_Part):
    """A figure with its 95 % interval, from a bootstrap by group."""

    value: Share
    low: Share
    high: Share


class Outcomes(_Part):
    """What became of the images of one label."""

    images: int
    osteoporosis: int
    indeterminate: int
    normal: int
    mean_probability: Share


class Confusion(_Part):
    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int


class Report(_Part):
    """One model, or one subset of the stack, on the data of the evaluation."""

    metrics: dict[str, Estimate]
    threshold: float
    band: tuple[float, float]
    confusion: Confusion | None = None
    classes: dict[str, Outcomes] = Field(description="By the true label.")
    curves: dict[str, dict[str, list[float]]] | None = Field(
        None, description="roc, precision_recall, reliability: the points that the plots draw."
    )


class Data(_Part):
    """What was scored. Scans are never distributed."""

    provenance: str
    digest: str
    counts: dict[str, int]
    groups: int
    folds: int | None = None
    seed: int | None = None


class Subgroup(_Part):
    field: str
    value: str
    images: int
    osteoporosis: int
    metrics: dict[str, Estimate] | None = Field(description="Null: too few images.")


class Claim(_Part):
    """A published figure that ours stand beside, and cannot be compared with."""

    model: str
    accuracy: float
    source: str


class Leak(_Part):
    """What a random split after augmentation gives on the same data, measured."""

    auroc: float
    accuracy: float
    description: str


class Served(_Part):
    """One model as it is served here."""

    version: str
    origin: str | None = Field(description="Where its weights began.")
    recipe: str
    card: str = Field(
        description="Markdown; of a base model, with what was measured of its heat maps since."
    )


class Lineup(_Part):
    """Everything that is said of the models that are served. Research use only."""

    version: str = Field(description="Of the stack, which stands for all of them.")
    recipe: str
    models: dict[ModelName, Served]
    source: Literal["cross-validation", "held-out", "manifest"] = Field(
        description="What the figures are of; manifest: the artefact's own, without plots."
    )
    data: Data
    results: dict[str, Report] = Field(
        description="Base models, then the stack's subsets, the whole one first; normal against "
        "osteoporosis."
    )
    subgroups: tuple[Subgroup, ...]
    published: tuple[Claim, ...]
    leak: Leak | None
    plots: tuple[str, ...] = Field(description="Addresses of SVG drawings.")
    intended_use: Literal["research"] = "research"


class _Evaluation(_Part):
    format: Literal[1]
    source: Literal["cross-validation", "held-out"]
    data: Data
    models: dict[str, Report]
    subgroups: tuple[Subgroup, ...]
    published: tuple[Claim, ...]
    leak: Leak | None


def lineup() -> Lineup:
    """Return what is served from :func:`models.artifact.artifacts_folder`.

    Reads and checks files when the versions have changed: call it off the event loop.
    Raises :class:`~models.artifact.ArtifactError`.
    """
    root = artifact.artifacts_folder()
    versions = artifact.served(root)
    return _lineup(root, tuple(sorted(versions.items())))


def example(found: Lineup) -> dict[str, Any]:
    """Return ``found`` in little: no points of curves, of each card the heading."""
    return found.model_copy(
        update={
            "models": {
                name: one.model_copy(update={"card": one.card.partition("\n")[0]})
                for name, one in found.models.items()
            },
            "results": {
                name: one.model_copy(update={"curves": None}) for name, one in found.results.items()
            },
        }
    ).model_dump(mode="json")


def plot(name: str) -> bytes | None:
    """Return the SVG drawing ``name`` of the stack that is served; None where it has none."""
    if name not in PLOTS:
        return None
    root = artifact.artifacts_folder()
    return _plots(root, artifact.served(root).get("stack", "")).get(name)


@lru_cache(maxsize=2)
def _lineup(root: Path, versions: tuple[tuple[str, str], ...]) -> Lineup:
    known = dict(versions)
    absent = [name for name in MODELS if name not in known]
    if absent:
        raise ArtifactError(f"{artifact.SERVED} names no {', '.join(absent)}")
    loaded = {name: artifact.load(name, root, known[name], SHOWN) for name in MODELS}
    stack = loaded["stack"]
    evaluation = _evaluation(stack)
    return Lineup(
        version=stack.version,
        recipe=stack.manifest["recipe"],
        models={name: _served(one) for name, one in loaded.items()},
        source=evaluation.source if evaluation else "manifest",
        data=evaluation.data if evaluation else _data(stack.manifest),
        results=evaluation.models if evaluation else _results(loaded),
        subgroups=evaluation.subgroups if evaluation else (),
        published=evaluation.published if evaluation else (),
        leak=evaluation.leak if evaluation else None,
        plots=tuple(
            f"/models/plots/{name}.svg?v={stack.version.removeprefix(artifact.PREFIX)[:12]}"
            for name in PLOTS
            if f"{name}.svg" in stack.manifest["files"]
        ),
    )


@lru_cache(maxsize=2)
def _plots(root: Path, version: str) -> Mapping[str, bytes]:
    stack = artifact.load("stack", root, version, SHOWN)
    return {
        name: stack.path(f"{name}.svg").read_bytes()
        for name in PLOTS
        if f"{name}.svg" in stack.manifest["files"]
    }


def _served(one: Artifact) -> Served:
    measured = located(one.name, one.version)
    told = "" if measured is None else f"\n{measured.told()}"
    return Served(
        version=one.version,
        origin=one.manifest.get("origin"),
        recipe=one.manifest["recipe"],
        card=one.path(CARD).read_text(encoding="utf-8") + told,
    )


def _evaluation(stack: Artifact) -> _Evaluation | None:
    if EVALUATION not in stack.manifest["files"]:
        return None
    try:
        return _Evaluation.model_validate_json(stack.path(EVALUATION).read_bytes())
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise ArtifactError(f"{EVALUATION} is no evaluation of format 1: see {where}") from error


def _data(manifest: Mapping[str, Any]) -> Data:
    return Data.model_validate(manifest["data"])


def _results(loaded: Mapping[ModelName, Artifact]) -> dict[str, Report]:
    """The figures that each artefact keeps of itself; single models are not subsets."""
    reports = {name: Report.model_validate(loaded[name].manifest) for name in BASES}
    subsets = loaded["stack"].manifest["subsets"]
    order = sorted((key for key in subsets if "+" in key), key=lambda key: -key.count("+"))
    return {**reports, **{key: Report.model_validate(subsets[key]) for key in order}}
