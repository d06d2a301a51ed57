"""Artefacts as training writes them, with an evaluation: invented figures, drawn in the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models import artifact
from service.types import BASES

WHOLE = "+".join(BASES)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><path d="M0 0h9"/></svg>'


def estimate(value: float | None) -> dict[str, float | None]:
    spread = None if value is None else 0.05
    return {
        "value": value,
        "low": None if value is None or spread is None else value - spread,
        "high": None if value is None or spread is None else value + spread,
    }


def report(auroc: float) -> dict[str, Any]:
    figures = {"auroc": auroc, "accuracy": 0.81, "sensitivity": 0.91, "specificity": 0.72}
    outcome = {
        "images": 41, "osteoporosis": 3, "indeterminate": 9, "normal": 29,
        "mean_probability": 0.152,
    }  # fmt: skip
    return {
        "metrics": {name: estimate(value) for name, value in {**figures, "f1": None}.items()},
        "threshold": 0.343,
        "band": [0.215, 0.423],
        "curves": {
            "roc": {"false_positive_rate": [0.0, 1.0], "true_positive_rate": [0.0, 1.0]},
            "precision_recall": {"recall": [0.0, 1.0], "precision": [1.0, 0.5]},
            "reliability": {"predicted": [0.2], "observed": [0.3], "count": [74]},
        },
        "confusion": {
            "true_positive": 29, "false_negative": 4, "false_positive": 10, "true_negative": 31,
        },
        "classes": {"normal": outcome, "osteopenia": {**outcome, "mean_probability": None}},
    }  # fmt: skip


def evaluation(**changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "source": "cross-validation",
        "data": {
            "provenance": "Phantoms, for a test.", "digest": "sha256:" + "ab" * 32,
            "counts": {"normal": 41, "osteopenia": 40, "osteoporosis": 33}, "groups": 16,
            "folds": 5, "seed": 20, "of_tomorrow": 1,
        },
        "models": {
            "cnn": report(0.881), "vgg16": report(0.912), "resnet": report(0.923),
            "bone": report(0.903),
            WHOLE: report(0.944), "cnn+vgg16": report(0.925),
        },
        "alone": {name: report(0.8) for name in BASES},
        "subgroups": [
            {"field": "sex", "value": "F", "images": 60, "osteoporosis": 30,
             "metrics": report(0.9)["metrics"]},
            {"field": "sex", "value": "M", "images": 4, "osteoporosis": 1, "metrics": None},
        ],
        "published": [
            {"model": "CNN", "key": "cnn", "accuracy": 0.97, "source": "Somebody, <2025>"}
        ],
        "leak": {"auroc": 1.0, "accuracy": 0.993, "grouped_auroc": 0.9,
                 "grouped_accuracy": 0.8, "description": "Augmented, then split."},
        **changes,
    }  # fmt: skip


def change(root: Path) -> None:
    """Write over the evaluation that is served, as no artefact may be."""
    (path,) = root.glob("stack/*/evaluation.json")
    path.write_text(json.dumps(evaluation(leak=None)))


def write(root: Path, **changes: Any) -> str:
    """Write artefacts with an evaluation, make them the ones that are served; return a version."""
    made = {
        name: artifact.write(
            root, name, {"origin": "nothing", "runtimes": {}}, {"card.md": f"# {name}\n".encode()}
        )
        for name in (*BASES, "vertebrae")
    }
    files = {
        "card.md": b"# Stack\n\n## Limits\n\nNot <b>bold</b>.\n",
        "evaluation.json": json.dumps(evaluation(**changes)).encode(),
        **{f"{name}.svg": SVG for name in ("roc", "precision-recall", "reliability", "confusion")},
    }
    stack = artifact.write(root, "stack", {}, files)
    versions = {name: one.version for name, one in made.items()}
    artifact.serve(root, {**versions, "stack": stack.version})
    return stack.version
