"""Train all models: out-of-fold votes first, then the models that serve, then the stack.

Out-of-fold means that each image was scored by a model that saw neither it nor any image of its
group. Calibration, thresholds, bands and the stack are fitted on nothing else, and their figures
are cross-fitted once more by the same folds: no number in a card was measured on what it was
fitted to.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models import artifact, calibration, folds, metrics, networks, runtime, stack, weights
from models.artifact import Artifact
from models.base import BaseModel, ForestModel, NetworkModel
from models.calibration import Calibration, OperatingPoint
from models.dataset import Dataset
from models.folds import Fold
from models.forest import Forest
from models.training import card, cnn, resnet, vgg16
from models.training.trainer import Fitted, Trainer
from models.types import BASES, BaseName

PARITY: Final = 0.01
"""A runtime may move no calibrated probability by more than this, and no decision at all."""


@dataclass(frozen=True)
class Settings:
    folds: int = 5
    seed: int = 20
    cnn: cnn.Settings = field(default_factory=cnn.Settings)
    vgg16: vgg16.Settings = field(default_factory=vgg16.Settings)
    resnet: resnet.Settings = field(default_factory=resnet.Settings)


QUICK: Final = Settings(
    folds=3,
    cnn=cnn.Settings(epochs=2, network=(4, 8)),
    vgg16=vgg16.Settings(views=2, epochs=1, widths=(4, 4, 8, 8, 8)),
    resnet=resnet.Settings(blocks=1),
)
"""Seconds instead of minutes, to see that the pipeline works: not models to serve."""


class ParityError(ValueError):
    """The artefact does not answer as the network that was trained."""


def train(
    data: Dataset, settings: Settings, root: Path, provenance: str
) -> tuple[dict[str, Artifact], dict[str, Any]]:
    """Train, write and serve four artefacts under ``root``.

    Return them by name, and the report: metrics of every base model and of the stack.
    """
    splits = folds.grouped(data, settings.folds, settings.seed)
    trainers: dict[BaseName, Callable[[], Trainer]] = {
        "cnn": lambda: cnn.CNNTrainer(data, settings.cnn),
        "vgg16": lambda: vgg16.VGG16Trainer(data, settings.vgg16, settings.seed),
        "resnet": lambda: resnet.ResNetTrainer(data, settings.resnet, settings.seed),
    }
    written: dict[str, Artifact] = {}
    logits: dict[str, NDArray[np.float64]] = {}
    facts = _data_facts(data, settings, provenance)
    for name in BASES:
        trainer = trainers[name]()
        raw = _out_of_fold(name, trainer, data, splits, settings.seed)
        written[name], logits[name] = _write_base(
            root, name, trainer, raw, data, splits, facts, settings.seed
        )
    written["stack"] = _write_stack(root, written, logits, data, splits, facts)
    artifact.serve(root, {name: model.version for name, model in written.items()})
    return written, {name: model.manifest["metrics"] for name, model in written.items()}


def _out_of_fold(
    name: str, trainer: Trainer, data: Dataset, splits: list[Fold], seed: int
) -> NDArray[np.float64]:
    raw = np.full(len(data), np.nan)
    for number, (train_on, held_out) in enumerate(tqdm(splits, desc=f"{name}: folds", unit="fold")):
        fitted = trainer.fit(train_on, seed + number)
        raw[held_out], _ = fitted.model().raw_logits(data.images[held_out])
    return raw


def _write_base(
    root: Path,
    name: BaseName,
    trainer: Trainer,
    raw: NDArray[np.float64],
    data: Dataset,
    splits: list[Fold],
    facts: Mapping[str, Any],
    seed: int,
) -> tuple[Artifact, NDArray[np.float64]]:
    """Calibrate on out-of-fold logits, train on everything, check runtimes, write."""
    judged = np.flatnonzero(data.judged)
    truth = data.osteoporosis

    def fit(on: NDArray[np.intp]) -> Calibration:
        return calibration.fit(raw[on], truth[on])

    scale = fit(judged)
    probability = scale.probability(raw)
    point = calibration.operating_point(probability[judged], truth[judged])

    def cross_fit(on: NDArray[np.intp], to: NDArray[np.intp]) -> _Crossed:
        there = fit(on)
        fitted_to = there.probability(raw[on])
        return _Crossed(
            there.probability(raw[to]),
            calibration.operating_point(fitted_to, truth[on]).threshold,
        )

    fitted = trainer.fit(np.arange(len(data)), seed)
    files, runtimes = _smallest(fitted, scale, point, data)
    manifest = {
        "network": fitted.config,
        "origin": trainer.origin,
        "calibration": asdict(scale),
        **_point_facts(point),
        "metrics": _measure(data, splits, cross_fit),
        "classes": _by_class(data, probability, point),
        "runtimes": runtimes,
        "data": facts,
    }
    files["card.md"] = card.base(name, manifest).encode()
    return artifact.write(root, name, manifest, files), calibration.logit(probability)


def _write_stack(
    root: Path,
    bases: Mapping[str, Artifact],
    logits: Mapping[str, NDArray[np.float64]],
    data: Dataset,
    splits: list[Fold],
    facts: Mapping[str, Any],
) -> Artifact:
    judged = np.flatnonzero(data.judged)
    truth = data.osteoporosis
    subsets: dict[str, Any] = {}
    for names in stack.subsets():

        def fit(on: NDArray[np.intp], names: tuple[str, ...] = names) -> stack.LinearFit:
            return stack.fit_weights({n: logits[n][on] for n in names}, truth[on], names)

        whole = fit(judged)
        probability = whole.probability(logits)
        point = calibration.operating_point(probability[judged], truth[judged])

        def cross_fit(
            on: NDArray[np.intp],
            to: NDArray[np.intp],
            fit: Callable[[NDArray[np.intp]], stack.LinearFit] = fit,
        ) -> _Crossed:
            there = fit(on).probability(logits)
            return _Crossed(there[to], calibration.operating_point(there[on], truth[on]).threshold)

        subsets[stack.key(names)] = {
            "weights": whole.weights,
            "intercept": whole.intercept,
            **_point_facts(point),
            "metrics": _measure(data, splits, cross_fit),
            "classes": _by_class(data, probability, point),
        }
    everything = subsets[stack.key(BASES)]
    manifest = {
        "bases": {name: model.version for name, model in bases.items()},
        "subsets": subsets,
        "metrics": everything["metrics"],
        "classes": everything["classes"],
        "data": facts,
    }
    files = {"card.md": card.stack(manifest).encode()}
    return artifact.write(root, "stack", manifest, files)


@dataclass(frozen=True)
class _Crossed:
    """What a fit on other folds says of a fold: probabilities, and the threshold it would use."""

    probability: NDArray[np.float64]
    threshold: float


def _measure(
    data: Dataset,
    splits: list[Fold],
    cross_fit: Callable[[NDArray[np.intp], NDArray[np.intp]], _Crossed],
) -> dict[str, dict[str, float]]:
    """Return metrics on the judged images, every fold scored by a fit on the others."""
    probability = np.full(len(data), np.nan)
    called = np.zeros(len(data), bool)
    for others, held_out in splits:
        crossed = cross_fit(others[data.judged[others]], held_out)
        probability[held_out] = crossed.probability
        called[held_out] = crossed.probability >= crossed.threshold
    judged = data.judged
    return metrics.measure(
        data.osteoporosis[judged],
        probability[judged],
        called[judged],
        np.array(data.groups)[judged],
    )


def _by_class(
    data: Dataset, probability: NDArray[np.float64], point: OperatingPoint
) -> dict[str, dict[str, float]]:
    """Return, for each label, how many out-of-fold images got which outcome."""
    low, high = point.band
    labels = np.array(data.labels)
    undecided = (probability >= low) & (probability <= high)
    called = probability >= point.threshold
    return {
        label: {
            "images": int(of.sum()),
            "osteoporosis": int((of & called & ~undecided).sum()),
            "indeterminate": int((of & undecided).sum()),
            "normal": int((of & ~called & ~undecided).sum()),
            "mean_probability": float(probability[of].mean()) if of.any() else 0.0,
        }
        for label in data.counts()
        for of in [labels == label]
    }


def _smallest(
    fitted: Fitted, scale: Calibration, point: OperatingPoint, data: Dataset
) -> tuple[dict[str, bytes], dict[str, dict[str, float]]]:
    """Return the files in half precision if that changes nothing, else in full, and the runtimes.

    Raises :class:`ParityError` when even full precision gives other answers on every runtime.
    """
    for half in (True, False):
        files = fitted.files(half=half)
        runtimes = _parity(fitted, files, scale, point, data)
        if runtime.runtime_name("openvino", "f32") in runtimes:
            return files, runtimes
    raise ParityError("read back from its file, the network does not answer as trained")


def _parity(
    fitted: Fitted,
    files: Mapping[str, bytes],
    scale: Calibration,
    point: OperatingPoint,
    data: Dataset,
) -> dict[str, dict[str, float]]:
    """Return the runtimes that answer as the trained network did, with their largest difference.

    What is compared is the artefact read back from its bytes, half precision and all.
    """
    expected = scale.probability(fitted.model().raw_logits(data.images)[0])
    restored = networks.build(fitted.config)
    weights.from_bytes(restored, files["weights.safetensors"])
    allowed = {}
    choices: list[tuple[runtime.RuntimeName, runtime.Precision]] = [
        ("keras", "f32"),
        *(("openvino", precision) for precision in runtime.PRECISIONS),
    ]
    for engine, precision in choices:
        compiled = runtime.compile_network(restored, engine, precision)
        model: BaseModel = NetworkModel(compiled)
        if fitted.forest is not None:
            model = ForestModel(compiled, Forest.from_bytes(files["forest.skops"]))
        found = scale.probability(model.raw_logits(data.images)[0])
        difference = float(np.abs(found - expected).max())
        changed = int(((found >= point.threshold) != (expected >= point.threshold)).sum())
        if difference <= PARITY and not changed:
            allowed[compiled.name] = {"max_difference": difference}
    return allowed


def _point_facts(point: OperatingPoint) -> dict[str, Any]:
    return {"threshold": point.threshold, "band": list(point.band)}


def _data_facts(data: Dataset, settings: Settings, provenance: str) -> dict[str, Any]:
    return {
        "provenance": provenance,
        "digest": data.digest,
        "counts": data.counts(),
        "groups": len(set(data.groups)),
        "folds": settings.folds,
        "seed": settings.seed,
        "python": platform.python_version(),
    }
