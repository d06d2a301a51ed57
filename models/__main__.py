"""Train, evaluate and use the models from the command line.

Usage::

    python -m models train [--data FOLDER] [--out FOLDER] [--quick]
    python -m models train-gate --data FOLDER --others FOLDER --provenance TEXT
    python -m models evaluate --data FOLDER
    python -m models predict FILE…
    python -m models list
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models import artifact, metrics, phantom, recipe
from models.artifact import ArtifactError
from models.base import Scorer
from models.dataset import Dataset, DatasetError, load
from models.errors import ScanError
from models.quality import assess, served_gate
from models.reading import read
from models.stack import Stack, Verdict
from models.types import BASES, LABELS


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _train_command(commands.add_parser("train", help="train all four models on labelled images"))
    _gate_command(commands.add_parser("train-gate", help="train what refuses other images"))

    evaluate = commands.add_parser("evaluate", help="score a labelled folder with what is served")
    evaluate.add_argument("--data", type=Path, required=True, help="folder, one sub-folder a label")
    evaluate.set_defaults(run=_evaluate)

    predict = commands.add_parser("predict", help="judge images without any service")
    predict.add_argument("files", nargs="+", type=Path, metavar="FILE")
    predict.add_argument("--json", action="store_true", help="one JSON object a line")
    predict.set_defaults(run=_predict)

    commands.add_parser("list", help="versions that are served").set_defaults(run=_list)

    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (ArtifactError, DatasetError, ScanError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1


def _train_command(parser: argparse.ArgumentParser) -> None:
    developing = Path("../shared/data/dxa_spine")
    parser.add_argument(
        "--data",
        type=Path,
        default=developing if developing.is_dir() else None,
        help="folder of images, one sub-folder a label; phantoms are generated without it",
    )
    parser.add_argument(
        "--phantoms", type=int, default=240, help="how many to generate (%(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("var/artifacts"), help="where artefacts go (%(default)s)"
    )
    parser.add_argument("--provenance", help="a sentence for the card: whose images these are")
    parser.add_argument("--vgg16-weights", type=Path, help="Keras's official VGG16 file, no top")
    parser.add_argument("--seed", type=int, default=20, help="for splits and weights (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="tiny models, to try the pipeline")
    parser.set_defaults(run=_train)


def _gate_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="spine DXA, as for train")
    parser.add_argument("--others", type=Path, required=True, help="images that are none")
    parser.add_argument("--out", type=Path, default=Path("var/artifacts"))
    parser.add_argument("--provenance", required=True, help="a sentence for the card")
    parser.add_argument("--seed", type=int, default=20)
    parser.set_defaults(run=_train_gate)


def _train_gate(options: argparse.Namespace) -> int:
    from models.training import gate  # noqa: PLC0415 - scikit-learn's solvers

    model = gate.train(
        load(options.data), options.others, options.out, options.seed, options.provenance
    )
    artifact.serve(options.out, {"gate": model.version})
    for kind, share in model.manifest["refused"].items():
        print(f"{kind:20} {model.manifest['data']['counts'][kind]:4} images, {share:.1%} refused")
    return 0


def _train(options: argparse.Namespace) -> int:
    # TensorFlow prints pages on import, and warns that each fold's network is traced anew.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from models.training import ensemble  # noqa: PLC0415 - TensorFlow, for this command alone

    settings = ensemble.QUICK if options.quick else ensemble.Settings()
    settings = replace(
        settings,
        seed=options.seed,
        vgg16=replace(settings.vgg16, weights=options.vgg16_weights),
    )
    folder = options.data
    provenance = options.provenance or f"Images of the folder {folder.name if folder else ''}."
    if folder is None:
        folder = _phantoms(options.phantoms, options.seed)
        provenance = "Synthetic phantoms only: the figures say nothing of clinical accuracy."
    data = load(folder)
    print(f"{len(data)} images: " + ", ".join(f"{n} {label}" for label, n in data.counts().items()))
    written, report = ensemble.train(data, settings, options.out, provenance)
    for name, model in written.items():
        area = report[name]["auroc"]
        print(
            f"{name:7} {model.version[:19]}  AUROC {area['value']:.3f} "
            f"({area['low']:.3f}–{area['high']:.3f})"
        )
    print(f"Serve them: OSTEOSERVE_ARTIFACTS={options.out} make run")
    return 0


def _phantoms(count: int, seed: int) -> Path:
    folder = Path("var") / "phantoms" / f"{count}-{seed}"
    if not (folder / "manifest.csv").exists():
        phantom.write(folder, count, seed)
    return folder


def _evaluate(options: argparse.Namespace) -> int:
    data = load(options.data)
    trained_on = artifact.load("stack").manifest["data"]["digest"]
    if data.digest == trained_on:
        print(
            "These are the images that the models were trained on: what follows only shows that "
            "they remember. Honest figures are in the cards.\n"
        )
    verdicts = _Ensemble().judge(data)
    judged = data.judged
    probability = np.array([verdict.probability for verdict in verdicts])
    called = probability >= np.array([verdict.threshold for verdict in verdicts])
    measured = metrics.measure(
        data.osteoporosis[judged],
        probability[judged],
        called[judged],
        np.array(data.groups)[judged],
    )
    for name, value in measured.items():
        print(f"{name:12} {metrics.Estimate(**value)}")
    for label in LABELS:
        of = np.array([found == label for found in data.labels])
        if of.any():
            print(f"{label:12} {of.sum():4} images, mean probability {probability[of].mean():.3f}")
    return 0


def _predict(options: argparse.Namespace) -> int:
    ensemble, gate = _Ensemble(), served_gate()
    failed = 0
    for path in options.files:
        try:
            scan = read(path.read_bytes())
            canonical = recipe.prepare(scan)
            quality = assess(scan, canonical, gate)
            answer: dict[str, object] = {"file": str(path), "reasons": list(quality.reasons)}
            if quality.accepted:
                verdict = ensemble.verdict(canonical[None])[0]
                answer |= {"probability": round(verdict.probability, 4), "band": verdict.band}
        except (ScanError, OSError) as error:
            failed += 1
            answer = {"file": str(path), "error": str(error)}
        if options.json:
            print(json.dumps(answer))
        else:
            said = answer.get("error") or ", ".join(quality.reasons) or answer["probability"]
            print(f"{path}: {said}")
    return 1 if failed else 0


def _list(_: argparse.Namespace) -> int:
    root = artifact.artifacts_folder()
    for name in artifact.served(root):
        model = artifact.load(name, root)
        measured = model.manifest.get("metrics", {}).get("auroc")
        area = f"AUROC {measured['value']:.3f}  " if measured else ""
        print(f"{name:7} {model.version}  {area}{model.manifest['data']['provenance']}")
    return 0


class _Ensemble:
    """All four served models in this process."""

    def __init__(self) -> None:
        self._scorers = {name: Scorer(artifact.load(name)) for name in BASES}
        self._stack = Stack.from_artifact(artifact.load("stack"))

    def verdict(self, images: np.typing.NDArray[np.uint8]) -> list[Verdict]:
        votes = {name: scorer.score(images) for name, scorer in self._scorers.items()}
        return [
            self._stack.combine(
                {
                    name: (votes[name][index].probability, scorer.version)
                    for name, scorer in self._scorers.items()
                }
            )
            for index in range(len(images))
        ]

    def judge(self, data: Dataset) -> list[Verdict]:
        return [
            verdict
            for start in range(0, len(data), 16)
            for verdict in self.verdict(data.images[start : start + 16])
        ]


if __name__ == "__main__":
    raise SystemExit(main())
