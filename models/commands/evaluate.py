"""``python -m models evaluate``: what is served, on labelled images.

Each base model, the stack and each of its subsets, at the stored thresholds. Images that the gate
refuses get no probability: they are counted by reason and stand in no other figure.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models import artifact
from models.artifact import Artifact
from models.commands.data import left_out, path
from models.dataset import Dataset, DatasetError, Source, gather, load
from models.dataset.loading import NOT_FOUND
from models.evaluation import metrics
from models.evaluation.evaluation import evaluate
from models.evaluation.schema import FILE, Evaluation, Leak
from models.evaluation.scored import Scored
from models.evaluation.since import since
from models.evaluation.tables import counted, figures, report
from models.gate.quality import assess, served_gate
from models.inference.base import Outliner
from models.inference.calibration import OperatingPoint
from models.inference.ensemble import Ensemble
from models.inference.preparation import prepare
from models.inference.stack import key, subsets
from models.manifest import BaseManifest, DataFacts, StackManifest
from models.runtime import RUNTIMES, RuntimeChoice
from models.types import BASES


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=path, required=True, help="folder, one sub-folder a label, or a CSV file"
    )
    parser.add_argument(
        "--runtime", choices=("auto", *RUNTIMES), default="auto", help="(%(default)s)"
    )
    parser.add_argument("--out", type=Path, help="folder for evaluation.json, plots and report.md")
    parser.add_argument("--provenance", help="a sentence for the report: whose images these are")
    parser.add_argument(
        "--leak",
        action="store_true",
        help="measure too what a random split after augmentation would claim (a minute or two)",
    )
    parser.add_argument(
        "--resamples",
        type=int,
        default=metrics.RESAMPLES,
        help="of the bootstrap behind the intervals (%(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the tables; write them, the plots and evaluation.json where ``--out`` says."""
    source = gather(options.data)
    data = load(source)
    left_out(data.skipped)
    stack = artifact.load("stack")
    trained_on = data.digest == stack.facts(StackManifest).data.digest
    accepted, refused = _accepted(source, data)
    if not accepted.judged.any():
        raise DatasetError(
            f"{len(accepted)} of {len(data)} images were accepted ({counted(refused) or 'none'} "
            "refused), none of them normal or osteoporosis; at least 1 is needed"
        )
    bases, combined = _scores(accepted, options.runtime)
    evaluation = evaluate(
        bases,
        combined,
        accepted,
        _facts(data, accepted, refused, options.provenance or f"Images of {options.data.name}."),
        "training" if trained_on else "held-out",
        _leak(data, stack) if options.leak else None,
        options.resamples,
    )
    print(report(evaluation))
    if trained_on:
        _print_cross_validated(stack)
    if options.out is not None:
        _write(options.out, evaluation)
    return 0


def _accepted(source: Source, data: Dataset) -> tuple[Dataset, dict[str, int]]:
    """Return the images that the gate lets pass, and how many it refuses for which reason."""
    gate, outliner = served_gate(), Outliner(artifact.load("vertebrae"))
    kept, reasons = [], Counter[str]()
    named = {entry.name: scan for entry, scan in zip(source.entries, source.scans, strict=True)}
    scans = [named[name] for name in data.names]
    for index, prepared in enumerate(prepare(scans, outliner.outline)):
        quality = assess(
            prepared.scan,
            prepared.cleaned,
            gate,
            prepared.canonical,
            prepared.outlined.spine,
        )
        if quality.accepted:
            kept.append(index)
        reasons.update(quality.reasons)
    # Those were left out before: no network could look at them.
    reasons["vertebrae_not_found"] += data.skipped.get(NOT_FOUND, 0)
    return data.select(kept), dict(sorted((+reasons).items()))


def _scores(data: Dataset, runtime: RuntimeChoice) -> tuple[dict[str, Scored], dict[str, Scored]]:
    """Return what each base model says, and the stack for each subset of them."""
    ensemble = Ensemble(runtime=runtime)
    predictions = ensemble.base_predictions(data.images)
    bases = {}
    for name, scorer in ensemble.scorers.items():
        probability = np.array([one.probability for one in predictions[name]])
        bases[str(name)] = Scored.served(probability, OperatingPoint(scorer.threshold, scorer.band))
    combined = {}
    for names in subsets():
        ensembled = ensemble.combine(predictions, names)
        probability = np.array([one.probability for one in ensembled])
        point = OperatingPoint(ensembled[0].threshold, ensembled[0].band)
        combined[key(names)] = Scored.served(probability, point)
    return bases, combined


def _facts(
    data: Dataset, accepted: Dataset, refused: Mapping[str, int], provenance: str
) -> DataFacts:
    if data.synthetic.any():
        provenance += f" {int(data.synthetic.sum())} of them synthetic phantoms, which say nothing "
        provenance += "of clinical accuracy."
    return DataFacts(
        provenance=provenance,
        digest=data.digest,
        counts=accepted.counts(),
        groups=len(set(accepted.groups)),
        refused_images=len(data) - len(accepted) + data.skipped.get(NOT_FOUND, 0),
        refused=dict(refused),
    )


def _leak(data: Dataset, stack: Artifact) -> Leak:
    from models.training import leak, resnet  # noqa: PLC0415 - Keras, where it is asked

    seed = stack.facts(StackManifest).data.seed or 0
    return leak.measure(data, leak.residual_features(resnet.Settings()), seed=seed)


def _print_cross_validated(stack: Artifact) -> None:
    print("## Honest figures, cross-validated when these models were trained\n")
    measured = {str(name): artifact.load(name).facts(BaseManifest).metrics for name in BASES}
    print(figures({**measured, "stack": stack.facts(StackManifest).metrics}))
    if (said := since(stack.version)) is not None:
        print(f"\n{said}")


def _write(folder: Path, evaluation: Evaluation) -> None:
    from models.evaluation.plots import plots  # noqa: PLC0415 - matplotlib, where plots are asked

    pictures = plots(evaluation)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(evaluation.to_bytes())
    for name, svg in pictures.items():
        (folder / name).write_bytes(svg)
    (folder / "report.md").write_text(report(evaluation, list(pictures)), encoding="utf-8")
