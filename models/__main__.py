"""Train, evaluate and use the models from the command line: ``python -m models --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from models.artifact import ArtifactError
from models.commands import (
    agreement,
    card,
    evaluate,
    maps,
    predict,
    quantise,
    reference,
    train,
    train_gate,
    verify,
)
from models.commands import list as listing
from models.dataset import DatasetError
from models.image.errors import ScanError
from models.training.pretrained import WeightsError

COMMANDS: Final = (
    train,
    train_gate,
    quantise,
    evaluate,
    agreement,
    predict,
    verify,
    maps,
    card,
    listing,
    reference,
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__.split(":")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (ArtifactError, DatasetError, ScanError, WeightsError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
