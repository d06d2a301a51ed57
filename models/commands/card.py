"""``python -m models card``: the card that is stored with a model."""

from __future__ import annotations

import argparse

from models import artifact
from models.evaluation import since
from models.explanation import location

FILE = "card.md"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", default="stack", metavar="NAME", help="a model (%(default)s)"
    )
    parser.add_argument("--version", help="12 digits or more; the served version without")


def run(options: argparse.Namespace) -> int:
    root = artifact.artifacts_folder()
    model = artifact.load(options.name, root, options.version)
    print(model.path(FILE).read_text(encoding="utf-8"), end="")
    print(since.to_markdown(model.version), end="")
    measured = location.read(root).get(options.name)
    if measured is not None and measured.version == model.version:
        print(f"\n{measured.to_markdown()}", end="")
    return 0
