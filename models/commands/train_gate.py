"""``python -m models train-gate``: what refuses images that the models must not judge."""

from __future__ import annotations

import argparse
from pathlib import Path

from models import artifact
from models.commands.data import left_out, path
from models.dataset import load


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=path, required=True, help="spine DXA, as for train")
    parser.add_argument("--others", type=Path, required=True, help="images that are none")
    parser.add_argument("--out", type=Path, default=Path("var/artifacts"))
    parser.add_argument("--provenance", required=True, help="a sentence for the card")
    parser.add_argument("--seed", type=int, default=20)


def run(options: argparse.Namespace) -> int:
    from models.training import gate  # noqa: PLC0415 - scikit-learn's solvers

    data = load(options.data)
    left_out(data.skipped)
    model = gate.train(data, options.others, options.out, options.seed, options.provenance)
    artifact.serve(options.out, {"gate": model.version})
    for kind, share in model.manifest["refused"].items():
        print(f"{kind:20} {model.manifest['data']['counts'][kind]:4} images, {share:.1%} refused")
    return 0
