"""``python -m models reference``: keep how training images look, beside models that are there.

``make train`` writes the same by itself. The images must be those that the stack was trained on.
"""

from __future__ import annotations

import argparse

from models import artifact
from models.commands.data import left_out, path
from models.dataset import DatasetError, load
from models.drift import reference


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=path, required=True, help="what the stack was trained on")


def run(options: argparse.Namespace) -> int:
    """Write and serve the reference beside the served models, and print its card."""
    root = artifact.artifacts_folder()
    facts = artifact.load("stack", root).manifest["data"]
    data = load(options.data)
    left_out(data.skipped)
    if data.digest != facts["digest"]:
        raise DatasetError(
            f"{options.data} holds {data.digest[:19]}; the served stack was trained on "
            f"{facts['digest'][:19]}"
        )
    written = reference.write(root, data.images, facts)
    artifact.serve(root, {reference.NAME: written.version})
    print(written.path("card.md").read_text(encoding="utf-8"), end="")
    return 0
