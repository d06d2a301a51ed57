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

from pydantic import BaseModel, ConfigDict, Field

from models import artifact
from models.artifact import Artifact, ArtifactError
from models.evaluation import since
from models.evaluation.schema import FILE, Claim, Evaluation, Leak, Report, Source, Subgroup
from models.manifest import DataFacts, Manifest
from service.predictions.heat_maps.localisation import located
from service.types import MODELS, ModelName

PLOTS: Final = ("roc", "precision-recall", "reliability", "confusion")
CARD: Final = "card.md"
SHOWN: Final = frozenset({CARD, FILE, *(f"{name}.svg" for name in PLOTS)})
"""What a front reads of an artefact beside its manifest."""


class _Part(BaseModel):
    # Later evaluations may say more; what is not known here is passed over.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Served(_Part):
    """One model as it is served here."""

    version: str
    origin: str | None = Field(description="Where its weights began.")
    recipe: str
    card: str = Field(
        description="Markdown; with what changed since its figures were made; of a base model, "
        "with what was measured of its heat maps."
    )


class Lineup(_Part):
    """Everything that is said of the models that are served. Research use only."""

    version: str = Field(description="Of the stack, which stands for all of them.")
    recipe: str
    models: dict[ModelName, Served]
    source: Source = Field(description="What the figures are of.")
    since: str | None = Field(None, description="What has changed since, and is in no figure.")
    data: DataFacts
    results: Mapping[str, Report] = Field(
        description="Base models, then the stack's subsets, the whole one first; normal against "
        "osteoporosis."
    )
    subgroups: tuple[Subgroup, ...]
    published: tuple[Claim, ...]
    leak: Leak | None
    plots: tuple[str, ...] = Field(description="Addresses of SVG drawings.")
    intended_use: Literal["research"] = "research"


def lineup() -> Lineup:
    """Return what is served from :func:`models.artifact.artifacts_folder`.

    Reads and checks files when the versions have changed: call it off the event loop.
    Raises :class:`~models.artifact.ArtifactError`.
    """
    root = artifact.artifacts_folder()
    versions = artifact.served(root)
    return _lineup(root, tuple(sorted(versions.items())))


def example(found: Lineup) -> dict[str, Any]:
    """Return ``found`` in little: of curves the first and the last points, of cards the heading."""
    little = found.model_dump(mode="json")
    for one in little["models"].values():
        one["card"] = one["card"].partition("\n")[0]
    for report in little["results"].values():
        for curve in report["curves"].values():
            curve.update(
                {axis: points[:: max(len(points) - 1, 1)] for axis, points in curve.items()}
            )
    return little


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
        recipe=stack.facts(Manifest).recipe,
        models={name: _served(one) for name, one in loaded.items()},
        source=evaluation.source,
        since=since.since(stack.version) if evaluation.source == "cross-validation" else None,
        data=evaluation.data,
        results=evaluation.models,
        subgroups=evaluation.subgroups,
        published=evaluation.published,
        leak=evaluation.leak,
        plots=tuple(
            f"/models/plots/{name}.svg?v={stack.version.removeprefix(artifact.PREFIX)[:12]}"
            for name in PLOTS
            if f"{name}.svg" in stack.facts(Manifest).files
        ),
    )


@lru_cache(maxsize=2)
def _plots(root: Path, version: str) -> Mapping[str, bytes]:
    stack = artifact.load("stack", root, version, SHOWN)
    return {
        name: stack.path(f"{name}.svg").read_bytes()
        for name in PLOTS
        if f"{name}.svg" in stack.facts(Manifest).files
    }


def _served(one: Artifact) -> Served:
    measured = located(one.name, one.version)
    told = "" if measured is None else f"\n{measured.to_markdown()}"
    facts = one.facts(Manifest)
    return Served(
        version=one.version,
        origin=facts.origin,
        recipe=facts.recipe,
        card=one.path(CARD).read_text(encoding="utf-8") + since.to_markdown(one.version) + told,
    )


def _evaluation(stack: Artifact) -> Evaluation:
    try:
        evaluation = Evaluation.from_bytes(stack.path(FILE).read_bytes())
    except ValueError as error:
        raise ArtifactError(f"{FILE} is {error}") from error
    if evaluation.source == "training":
        raise ArtifactError(f"{FILE} is of images that the models were trained on")
    return evaluation
