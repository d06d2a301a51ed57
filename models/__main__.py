"""Train, evaluate and use the models from the command line: ``python -m models --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from models.artifact import ArtifactError
from models.cohort.table import VisitsError
from models.commands import (
    agreement,
    card,
    evaluate,
    evaluate_progression,
    geometry,
    maps,
    predict,
    quantise,
    reference,
    train,
    train_gate,
    train_progression,
    verify,
)
from models.commands import list as listing
from models.dataset import DatasetError
from models.image.errors import ScanError
from models.training.pretrained import WeightsError


class Command(Protocol):
    """What a module of :mod:`models.commands` has; ``run`` returns the exit status."""

    def add(self, parser: argparse.ArgumentParser, /) -> None: ...

    def run(self, options: argparse.Namespace, /) -> int: ...


COMMANDS: Final[Mapping[str, tuple[Command, str]]] = {
    "train": (train, "train all models on labelled images"),
    "train-gate": (train_gate, "train what refuses other images"),
    "train-progression": (train_progression, "train how BMD goes on between visits"),
    "quantise": (quantise, "make the files of 8 bits anew, train nothing"),
    "evaluate": (evaluate, "score labelled images with what is served"),
    "evaluate-progression": (evaluate_progression, "the card of progression, once more"),
    "agreement": (agreement, "judge altered copies beside their scans"),
    "geometry": (geometry, "measure how far curve and tilt are off"),
    "predict": (predict, "judge images without any service"),
    "verify": (verify, "checksums, and every runtime against Keras"),
    "maps": (maps, "measure whether heat maps lie in the spine"),
    "card": (card, "what a model is for, how good it is, its limits"),
    "list": (listing, "versions that are stored, and which are served"),
    "reference": (reference, "keep how the training images look, for drift"),
}
"""By name, each with what it is for."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__.split(":")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (command, help) in COMMANDS.items():
        one = commands.add_parser(name, help=help)
        one.set_defaults(run=command.run)
        command.add(one)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (ArtifactError, DatasetError, ScanError, VisitsError, WeightsError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
