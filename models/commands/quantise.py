"""``python -m models quantise``: files of 8 bits anew for what is served, without training.

For artefacts that were trained where the CPU has no VNNI, and for another release of NNCF or
OpenVINO. Weights, calibrations and what else a manifest says stay; a version changes all the same.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from models import artifact
from models.artifact import Artifact
from models.commands import maps
from models.commands.data import left_out, path
from models.commands.verify import reference
from models.dataset import Dataset, DatasetError, load
from models.explanation import location
from models.manifest import BaseManifest, StackManifest
from models.runtime import runtime_name
from models.types import MAPPED

NAME: Final = runtime_name("openvino", "int8")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=path, required=True, help="the labelled images that were trained on"
    )


def run(options: argparse.Namespace) -> int:
    """Write new versions, serve them and say what was found of each."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    root = artifact.artifacts_folder()
    data = load(options.data)
    left_out(data.skipped)
    bases = {name: quantise(root, artifact.load(name, root), data) for name in MAPPED}
    versions: dict[str, str] = {name: model.version for name, model in bases.items()}
    versions["bone"] = artifact.load("bone", root).version
    stack = artifact.load("stack", root)
    files = {file: stack.path(file).read_bytes() for file in stack.manifest["files"]}
    written = artifact.write(
        root, "stack", {**stack.manifest, "bases": versions}, files, StackManifest
    )
    artifact.serve(root, versions | {"stack": written.version})
    location.write(root, maps.measure(root, options.data))
    for name, model in bases.items():
        print(f"{name:7} {model.version[:19]}  {_said(model)}")
    print(f"{'bone':7} {versions['bone'][:19]}  as it was: so small a network gains nothing")
    return 0


def quantise(root: Path, model: Artifact, data: Dataset) -> Artifact:
    """Return the version of ``model`` with files of 8 bits made anew on ``data``.

    Raises :class:`~models.dataset.DatasetError` for other images than it was trained on: what the
    manifest says of the other runtimes was found on those.
    """
    if data.digest != model.facts(BaseManifest).data.digest:
        raise DatasetError(f"{model.name} was trained on other images than these")
    from models.training import card  # noqa: PLC0415 - TensorFlow, for this command alone
    from models.training.export import export  # noqa: PLC0415 - as above

    found = export.quantised(model, reference(model), data.images)
    manifest = {
        **model.manifest,
        "runtimes": found.runtimes,
        "refused_runtimes": found.refused,
        "unchecked_runtimes": found.unchecked,
    }
    files = {**found.files, "card.md": card.base(model.name, manifest).encode()}
    return artifact.write(root, model.name, manifest, files, BaseManifest)


def _said(model: Artifact) -> str:
    for table, status in (("runtimes", "holds"), ("refused_runtimes", "refused")):
        if NAME in model.manifest[table]:
            return f"{NAME} {status}, {model.manifest[table][NAME]['max_difference']:.1e} off"
    return f"{NAME} not checked: this machine does not have it"
