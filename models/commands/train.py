"""``python -m models train``: all models on labelled images, or on phantoms.

On 114 images two cores without AVX-512 took 67 minutes beside other work, vertebrae not trained;
``--quick`` takes a minute or two.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from models import artifact
from models.artifact import Artifact
from models.commands.data import left_out, path
from models.dataset import Dataset, Source, gather, load, outlines, phantoms
from models.explanation import location
from models.inference.base import Outliner
from models.inference.preparation import Outline

if TYPE_CHECKING:
    from models.training import ensemble

DEVELOPING: Final = Path("../shared/data/dxa_spine")
RUNS: Final = Path("var/training")
TRIED: Final = 8
"""Phantoms on which runtimes are compared where there are no scans."""

SYNTHETIC: Final = "Synthetic phantoms only: the figures say nothing of clinical accuracy."


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=path,
        default=DEVELOPING if DEVELOPING.is_dir() else None,
        help="folder with one sub-folder a label, CSV manifest, or DICOM tree with labels.csv; "
        "phantoms are drawn without it",
    )
    parser.add_argument("--phantoms", type=int, default=240, help="how many to draw (%(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("var/artifacts"), help="where artefacts go (%(default)s)"
    )
    parser.add_argument("--provenance", help="a sentence for the card: whose images these are")
    parser.add_argument("--seed", type=int, default=20, help="for splits and weights (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny models, to try the pipeline")
    parser.add_argument(
        "--backbone",
        choices=("resnet56", "resnet50"),
        default="resnet56",
        help="whose features the forest reads (%(default)s)",
    )
    parser.add_argument(
        "--weights", type=Path, help="the backbone's official file, checked by checksum"
    )
    parser.add_argument("--vgg16-weights", type=Path, help="Keras's official VGG16 file, no top")
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "mixed_bfloat16", "mixed_float16"),
        default="auto",
        help="in which the small network is trained (%(default)s)",
    )
    parser.add_argument(
        "--keep-vertebrae",
        action="store_true",
        help="outline vertebrae with the shipped network instead of training one",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget what a killed training had finished"
    )


def run(options: argparse.Namespace) -> int:
    """Train, say what came out, and how to serve it. A killed training goes on where it was."""
    # TensorFlow prints pages on import, and warns that each fold's network is traced anew.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from models.commands import maps  # noqa: PLC0415 - scikit-learn behind it
    from models.dataset import folds  # noqa: PLC0415 - as above
    from models.evaluation.tables import figures  # noqa: PLC0415 - scikit-learn's metrics
    from models.training import ensemble  # noqa: PLC0415 - TensorFlow, for this command alone
    from models.training.checkpoint import run_key  # noqa: PLC0415 - as above

    settings = ensemble.QUICK if options.quick else ensemble.Settings()
    settings = replace(
        settings,
        seed=options.seed,
        cnn=replace(settings.cnn, precision=options.precision),
        vgg16=replace(settings.vgg16, weights=options.vgg16_weights),
        resnet=replace(settings.resnet, backbone=options.backbone, weights=options.weights),
    )
    ensemble.check_weights(settings)
    source = None
    if options.data is not None:
        source = gather(options.data)
        folds.enough(source.labels, source.groups, settings.folds)
    outliner = _outliner(options, settings)
    data, provenance = _data(options, source, settings, Outliner(outliner).outline)
    left_out(data.skipped)
    print(f"{len(data)} images: " + ", ".join(f"{n} {label}" for label, n in data.counts().items()))
    training = ensemble.Run(RUNS / run_key(data.digest, asdict(settings)))
    if options.fresh:
        training.checkpoint.clear()
    finished = training.checkpoint.finished
    if finished:
        print(f"goes on after {', '.join(finished)} ({training.folder}; --fresh starts anew)")
    written, evaluation = ensemble.train(
        data, outliner, settings, options.out, provenance, training
    )
    location.write(options.out, maps.measure(options.out, options.data))
    print(figures({name: report.metrics for name, report in evaluation.models.items()}))
    for name, model in written.items():
        print(f"{name:7} {model.version}")
    print(f"Log and curves: {training.folder}")
    print(f"Serve them: OSTEOSERVE_ARTIFACTS={options.out} make run")
    return 0


def _outliner(options: argparse.Namespace, settings: ensemble.Settings) -> Artifact:
    """Train the network that outlines vertebrae, on what scanners have drawn into the data.

    ``--keep-vertebrae`` takes the shipped one, and so does ``--quick``: a network that finds no
    spine leaves nothing to try.
    """
    if options.quick or options.keep_vertebrae:
        return artifact.copy("vertebrae", options.out)
    from models.training import repeatable, vertebrae  # noqa: PLC0415 - TensorFlow
    from models.training.checkpoint import run_key  # noqa: PLC0415 - as above
    from models.training.ensemble import Run  # noqa: PLC0415 - as above

    repeatable.compute_in_one_order()
    scans = [] if options.data is None else outlines(options.data)
    print(f"{len(scans)} images have drawn outlines to learn vertebrae from, beside phantoms.")
    digest = hashlib.sha256(b"".join(scan.levels.tobytes() for scan in scans)).hexdigest()
    run = Run(RUNS / run_key(digest, {"seed": options.seed, **asdict(settings.vertebrae)}))
    if options.fresh:
        run.checkpoint.clear()
    examples = [vertebrae.Example(scan.clean, scan.levels, whole=False) for scan in scans]
    fitted = run.checkpoint.fitted(vertebrae.NAME)
    if fitted is None:
        fitted = vertebrae.fit(examples, settings.vertebrae, options.seed, "scans", run.log)
        run.checkpoint.keep_fitted(vertebrae.NAME, fitted)
    facts = {
        "provenance": options.provenance
        or (SYNTHETIC if options.data is None else f"Images of {options.data.name}."),
        "outlines": len(scans),
        "phantoms": settings.vertebrae.phantoms,
        "seed": options.seed,
    }
    shown = examples or vertebrae.phantoms(TRIED, options.seed)
    return vertebrae.write(options.out, fitted, shown, facts)


def _data(
    options: argparse.Namespace,
    source: Source | None,
    settings: ensemble.Settings,
    outline: Outline,
) -> tuple[Dataset, str]:
    if source is None:
        drawn = phantoms(options.phantoms, options.seed, outline=outline, copies=settings.copies)
        return drawn, options.provenance or SYNTHETIC
    data = load(source, outline, settings.copies, options.seed)
    if options.provenance:
        return data, options.provenance
    return data, SYNTHETIC if data.synthetic.all() else f"Images of {options.data.name}."
