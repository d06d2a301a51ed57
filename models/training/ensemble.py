"""Train all models: out-of-fold votes first, then the models that serve, then the stack.

Out-of-fold means that each image was scored by a model that saw neither it nor any image of its
group. Calibration, thresholds, bands and the stack are fitted on nothing else, over each image and
its altered copies (:mod:`models.dataset.copies`), and their figures are cross-fitted once more by
the same folds: no number in a card was measured on what it was fitted to. The network that outlines
vertebrae comes before all of this and saw every image, but no label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models import artifact
from models.artifact import Artifact
from models.dataset import Dataset, folds
from models.dataset.folds import Fold
from models.drift import reference
from models.evaluation import agreement, metrics
from models.evaluation.evaluation import assemble
from models.evaluation.plots import plots
from models.evaluation.report import judge
from models.evaluation.schema import FILE as EVALUATION_FILE
from models.evaluation.schema import Evaluation, Leak, Report
from models.evaluation.scored import Scored
from models.evaluation.subgroups import subgroups
from models.inference import stack
from models.inference.bone import KEY as BONE_KEY
from models.inference.calibration import Calibration, OperatingPoint, logit
from models.manifest import BaseManifest, DataFacts, StackManifest
from models.runtime import share_gpu
from models.training import (
    bone,
    calibration,
    card,
    cnn,
    leak,
    pretrained,
    repeatable,
    resnet,
    stacking,
    vertebrae,
    vgg16,
)
from models.training.checkpoint import Checkpoint
from models.training.export import export
from models.training.runlog import RunLog
from models.training.trainer import Fitted, Trainer
from models.types import BASES, BaseName

WHOLE: Final = "all"
"""The part that is trained on every image: the model that serves."""


@dataclass(frozen=True)
class Settings:
    """``leak``: measure too what a leaky split would claim on the same images. ``resamples``: of
    the bootstrap behind the intervals. ``copies``: of each image, altered. ``serving``: whether
    what is trained is to serve, so that copies must be judged alike."""

    folds: int = 5
    seed: int = 20
    copies: int = 24
    vertebrae: vertebrae.Settings = field(default_factory=vertebrae.Settings)
    bone: bone.Settings = field(default_factory=bone.Settings)
    cnn: cnn.Settings = field(default_factory=cnn.Settings)
    vgg16: vgg16.Settings = field(default_factory=vgg16.Settings)
    resnet: resnet.Settings = field(default_factory=resnet.Settings)
    leak: bool = True
    resamples: int = metrics.RESAMPLES
    serving: bool = True


QUICK: Final = Settings(
    folds=3,
    copies=1,
    cnn=cnn.Settings(epochs=2, views=2, network=(4, 8), phantoms=12, phantom_epochs=1),
    vgg16=vgg16.Settings(epochs=1, views=2, widths=(4, 4, 8, 8, 8)),
    resnet=resnet.Settings(blocks=(1, 1)),
    leak=False,
    resamples=50,
    serving=False,
)
"""Seconds instead of minutes, to see that the pipeline works: not models to serve. Vertebrae are
outlined by the shipped network."""


@dataclass(frozen=True, eq=False)
class Run:
    """Where a training keeps what it has finished and what it noted; ``None`` keeps nothing."""

    folder: Path | None = None

    @property
    def log(self) -> RunLog:
        return RunLog(self.folder)

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.folder)


@dataclass(frozen=True, eq=False)
class _Base:
    """A base model as the stack sees it; ``logits`` (n, 1 + k) of the images and their copies are
    calibrated and out of fold."""

    artifact: Artifact
    logits: NDArray[np.float64]
    report: Report


def train(
    data: Dataset,
    outliner: Artifact,
    settings: Settings,
    root: Path,
    provenance: str,
    run: Run | None = None,
) -> tuple[dict[str, Artifact], Evaluation]:
    """Train, write and serve six artefacts under ``root``; return them by name, and their figures.

    ``outliner`` is the artefact of the vertebrae network, by which ``data`` was prepared; it is
    served with them. With the ``run`` of an earlier training that was killed, what that one
    finished is not trained again. Raises :class:`~models.dataset.DatasetError` for data that cannot
    be split, :class:`~models.training.pretrained.WeightsError` for files that are missing or others
    than they should be, :class:`~models.training.export.export.ParityError`, and
    :class:`~models.evaluation.agreement.AgreementError` for a model that judges copies of a scan
    too unlike the scan: nothing new is served then.
    """
    share_gpu()
    repeatable.compute_in_one_order()
    run = run or Run()
    log = run.log
    check_weights(settings)
    splits = folds.grouped(data, settings.folds, settings.seed)
    trainers: dict[BaseName, Callable[[], Trainer]] = {
        "cnn": lambda: cnn.CNNTrainer(data, settings.cnn, settings.seed, log),
        "vgg16": lambda: vgg16.VGG16Trainer(data, settings.vgg16, settings.seed, log),
        "resnet": lambda: resnet.ResNetTrainer(data, settings.resnet, settings.seed, log),
        "bone": lambda: bone.BoneTrainer(data, settings.bone, vertebrae.restored(outliner), log),
    }
    log.note("start", images=len(data), digest=data.digest, resumed=list(run.checkpoint.finished))
    facts = _data_facts(data, settings, provenance)
    bases: dict[BaseName, _Base] = {}
    with tqdm(total=len(BASES) * (len(splits) + 1), desc="training", unit="fit") as progress:
        for name in BASES:
            progress.set_postfix_str(name)
            trained = _Training(name, trainers[name], data, splits, settings.seed, run, progress)
            bases[name] = _write_base(root, trained, facts, settings)
    found = _leak(data, settings)
    written, evaluation = _write_stack(root, bases, data, splits, facts, found, settings)
    written[reference.NAME] = reference.write(root, data.images, facts)
    written[vertebrae.NAME] = outliner
    artifact.serve(root, {name: model.version for name, model in written.items()})
    log.note("end", versions={name: model.version for name, model in written.items()})
    log.draw()
    run.checkpoint.clear()
    return written, evaluation


def check_weights(settings: Settings) -> None:
    """Look for the files now, not when two models have been trained."""
    pretrained.find(pretrained.VGG16, settings.vgg16.weights)
    if settings.resnet.backbone == "resnet50":
        pretrained.require(pretrained.RESNET50, settings.resnet.weights)
    else:
        pretrained.find(pretrained.RESNET56, settings.resnet.weights)


class _Training:
    """One base model: a fit a fold and one on everything, each done once over all resumes."""

    def __init__(
        self,
        name: BaseName,
        make: Callable[[], Trainer],
        data: Dataset,
        splits: list[Fold],
        seed: int,
        run: Run,
        progress: tqdm[Any],
    ) -> None:
        self.name = name
        self.data = data
        self.splits = splits
        self._log, self._checkpoint = run.log, run.checkpoint
        self._progress = progress
        # Its frozen features are what takes the time, so it is made even when only one fit is left.
        trainer = make()
        self.origin = trainer.origin
        self.logits = np.full((len(data), len(data.views)), np.nan)
        for number, (train_on, held_out) in enumerate(splits):
            self.logits[held_out] = self._fold(trainer, number, train_on, held_out, seed)
        self.fitted = self._whole(trainer, seed)

    def _fold(
        self,
        trainer: Trainer,
        number: int,
        train_on: NDArray[np.intp],
        held_out: NDArray[np.intp],
        seed: int,
    ) -> NDArray[np.float64]:
        part = f"fold-{number}"
        scores = self._checkpoint.scores(f"{self.name}-{part}")
        if scores is None:
            fitted = trainer.fit(train_on, seed + number, part)
            model = fitted.model()
            scores = np.stack(
                [model.raw_logits(view[held_out])[0] for view in self.data.views], axis=1
            )
            self._checkpoint.keep_scores(f"{self.name}-{part}", scores)
            self._log.note("fold", model=self.name, part=part, held_out=len(held_out))
        self._progress.update()
        return scores

    def _whole(self, trainer: Trainer, seed: int) -> Fitted:
        fitted = self._checkpoint.fitted(f"{self.name}-{WHOLE}")
        if fitted is None:
            fitted = trainer.fit(np.arange(len(self.data)), seed, WHOLE)
            self._checkpoint.keep_fitted(f"{self.name}-{WHOLE}", fitted)
            self._log.note("fit", model=self.name, part=WHOLE, images=len(self.data))
        self._progress.update()
        return fitted


def _write_base(
    root: Path, trained: _Training, facts: Mapping[str, Any], settings: Settings
) -> _Base:
    """Calibrate on out-of-fold logits, check every runtime, write."""
    data, raw = trained.data, trained.logits
    judged = np.flatnonzero(data.judged)
    truth = _repeated(data)

    def fit(on: NDArray[np.intp]) -> Calibration:
        return calibration.fit(raw[on].ravel(), truth[on].ravel())

    scale = fit(judged)
    probability = scale.probability(raw)
    point = calibration.operating_point(
        probability[judged].ravel(), truth[judged].ravel(), truth.shape[1]
    )
    agreed = agreement.of(probability, point, data)
    if settings.serving:
        agreed.check(trained.name, agreement.VOTING)
    scored = _crossed(data, trained.splits, point, lambda on: fit(on).probability(raw))
    report = judge(scored, data, settings.resamples)
    exported = export.export(trained.fitted, scale, point, data.images)
    manifest = {
        "network": trained.fitted.config,
        "origin": trained.origin,
        "calibration": asdict(scale),
        **_reported(report),
        **({} if trained.fitted.bone is None else {BONE_KEY: trained.fitted.bone.manifest()}),
        agreement.KEY: agreed.manifest(),
        "runtimes": exported.runtimes,
        "refused_runtimes": exported.refused,
        "unchecked_runtimes": exported.unchecked,
        "data": facts,
        "training": repeatable.facts(),
    }
    files = {**exported.files, "card.md": card.base(trained.name, manifest).encode()}
    written = artifact.write(root, trained.name, manifest, files, BaseManifest)
    return _Base(written, logit(probability), report)


def _write_stack(
    root: Path,
    bases: Mapping[BaseName, _Base],
    data: Dataset,
    splits: list[Fold],
    facts: Mapping[str, Any],
    leaked: Leak | None,
    settings: Settings,
) -> tuple[dict[str, Artifact], Evaluation]:
    judged = np.flatnonzero(data.judged)
    truth = _repeated(data)
    logits: dict[str, NDArray[np.float64]] = {name: b.logits for name, b in bases.items()}
    combined: dict[str, Scored] = {}
    fits: dict[str, stacking.LinearFit] = {}
    agreed: dict[str, agreement.Agreement] = {}
    for names in stack.subsets():

        def fit(on: NDArray[np.intp], names: tuple[str, ...] = names) -> stacking.LinearFit:
            return stacking.fit_weights({n: logits[n][on] for n in names}, truth[on, 0], names)

        whole = fits[stack.key(names)] = fit(judged)
        probability = whole.probability(logits)
        point = calibration.operating_point(
            probability[judged].ravel(), truth[judged].ravel(), truth.shape[1]
        )
        agreed[stack.key(names)] = agreement.of(probability, point, data)
        combined[stack.key(names)] = _crossed(
            data,
            splits,
            point,
            lambda on, fit=fit: fit(on).probability(logits),  # type: ignore[misc]  # mypy infers no lambda with a default
        )
    if settings.serving:
        agreed[stack.key(BASES)].check("stack", agreement.SERVED)
    reports = {key: judge(scored, data, settings.resamples) for key, scored in combined.items()}
    evaluation = assemble(
        {name: base.report for name, base in bases.items()},
        reports,
        DataFacts(**{name: facts[name] for name in _EVALUATED}),
        "cross-validation",
        subgroups(combined[stack.key(BASES)], data, settings.resamples),
        leaked,
    )
    manifest = {
        "bases": {name: base.artifact.version for name, base in bases.items()},
        "subsets": {
            key: {**asdict(whole), **_reported(reports[key])} for key, whole in fits.items()
        },
        **_reported(reports[stack.key(BASES)]),
        agreement.KEY: agreed[stack.key(BASES)].manifest(),
        "data": facts,
        "training": repeatable.facts(),
    }
    files = {
        EVALUATION_FILE: evaluation.to_bytes(),
        **plots(evaluation),
        "card.md": card.stack(manifest, evaluation).encode(),
    }
    written = artifact.write(root, "stack", manifest, files, StackManifest)
    return {**{name: base.artifact for name, base in bases.items()}, "stack": written}, evaluation


def _crossed(
    data: Dataset,
    splits: list[Fold],
    point: OperatingPoint,
    probabilities: Callable[[NDArray[np.intp]], NDArray[np.float64]],
) -> Scored:
    """Return every image scored by a fit on the other folds, at the point that fit would choose.

    ``probabilities`` fits on the indices that it is given and scores all images and copies,
    (n, 1 + k). Copies help to choose the point; only the images themselves are scored.
    """
    truth = _repeated(data)

    def fold(
        others: NDArray[np.intp], held_out: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64], OperatingPoint]:
        on = others[data.judged[others]]
        scores = probabilities(on)
        point = calibration.operating_point(scores[on].ravel(), truth[on].ravel(), truth.shape[1])
        return held_out, scores[held_out, 0], point

    return Scored.crossed(len(data), point, (fold(*split) for split in splits))


def _repeated(data: Dataset) -> NDArray[np.bool_]:
    """Return (n, 1 + k): whether each image, and each copy of it, shows osteoporosis."""
    return np.repeat(data.osteoporosis[:, None], len(data.views), axis=1)


def _leak(data: Dataset, settings: Settings) -> Leak | None:
    if not settings.leak:
        return None
    return leak.measure(data, leak.residual_features(settings.resnet), settings.seed)


def _reported(report: Report) -> dict[str, Any]:
    """Return what the manifest says of a model's quality."""
    return {
        "metrics": {name: asdict(figure) for name, figure in report.metrics.items()},
        "threshold": report.threshold,
        "band": list(report.band),
        "classes": {label: asdict(outcomes) for label, outcomes in report.classes.items()},
    }


_EVALUATED: Final = ("provenance", "digest", "counts", "groups", "folds", "seed")


def _data_facts(data: Dataset, settings: Settings, provenance: str) -> dict[str, Any]:
    return {
        "provenance": provenance,
        "digest": data.digest,
        "counts": data.counts(),
        "groups": len(set(data.groups)),
        "folds": settings.folds,
        "seed": settings.seed,
    }
