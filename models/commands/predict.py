"""``python -m models predict``: judge images here, without any service or network.

With ``--runtime litert`` nothing of TensorFlow, Keras or OpenVINO is imported: the edge.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.gate.quality import Gate, assess, served_gate
from models.image import recipe
from models.image.errors import ScanError
from models.inference.base import BasePrediction
from models.inference.decision import decide
from models.inference.ensemble import Ensemble
from models.inference.preparation import prepare
from models.reading import read
from models.runtime import RUNTIMES
from models.types import BASES, BaseName
from models.vertebrae.findings import questioned

COLUMNS: Final = ("file", "outcome", "probability", "band", *BASES, "reasons")
RESEARCH_USE: Final = (
    "Research use only: not a diagnosis, not for ruling osteoporosis out. "
    "Preliminary until a clinician signs."
)


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--runtime", choices=("auto", *RUNTIMES), default="auto", help="engine (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--map", type=Path, metavar="FOLDER", help="draw what spoke for and against, numbered PNGs"
    )


def run(options: argparse.Namespace) -> int:
    """Print a row or an object a file; exit status 1 when one could not be read."""
    ensemble, gate = Ensemble(runtime=options.runtime), served_gate()
    if options.map is not None:
        options.map.mkdir(parents=True, exist_ok=True)
    answers = []
    for number, path in enumerate(options.files, start=1):
        answer = _answer(path, number, ensemble, gate, options.map)
        answers.append(answer)
        if options.json:
            print(json.dumps(answer), flush=True)
    if not options.json:
        _print_table(answers)
        print(RESEARCH_USE)
    return 1 if any("error" in answer for answer in answers) else 0


def _answer(
    path: Path, number: int, ensemble: Ensemble, gate: Gate, folder: Path | None
) -> dict[str, Any]:
    """Return the answer of ``path`` as ``--json`` prints it."""
    try:
        scan = read(path.read_bytes())
    except ScanError as error:
        return {"file": str(path), "error": str(error), "code": error.code}
    except OSError as error:
        return {"file": str(path), "error": error.strerror or "cannot be read", "code": "no_file"}
    (prepared,) = prepare([scan], ensemble.outliner.outline)
    canonical = prepared.canonical
    quality = assess(
        prepared.scan,
        prepared.cleaned,
        gate,
        prepared.canonical,
        prepared.outlined.spine,
    )
    reasons = list(quality.reasons)
    if canonical is None and not reasons:
        reasons.append("vertebrae_not_found")
    answer: dict[str, Any] = {
        "file": str(path),
        "outcome": "refused",
        "probability": None,
        "threshold": None,
        "band": None,
        "models": {},
        "reasons": reasons,
        "findings": [*quality.findings, *(one.code for one in prepared.findings)],
        "intended_use": "research",
    }
    if reasons or canonical is None:
        return answer
    predictions = {
        name: scorer.score(canonical[None], explained=() if folder is None else (0,))
        for name, scorer in ensemble.scorers.items()
    }
    combined = ensemble.combine(predictions)[0]
    if folder is not None:
        _draw(folder, number, canonical, {name: one for name, (one,) in predictions.items()})
    decided = decide(combined.probability, combined.threshold, combined.band)
    return answer | {
        "outcome": questioned(decided, answer["findings"]),
        "probability": round(combined.probability, 4),
        "threshold": round(combined.threshold, 4),
        "band": [round(edge, 4) for edge in combined.band],
        "models": {
            name: {
                "probability": round(predictions[name][0].probability, 4),
                "contribution": round(combined.contributions[name], 4),
                "runtime": scorer.runtime,
                "version": scorer.version,
            }
            for name, scorer in ensemble.scorers.items()
        },
    }


def _print_table(answers: Sequence[Mapping[str, Any]]) -> None:
    rows = [COLUMNS, *(tuple(_cells(answer)) for answer in answers)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())


def _cells(answer: Mapping[str, Any]) -> Iterator[str]:
    yield answer["file"]
    if "error" in answer:
        yield from ("error", *["–"] * (2 + len(BASES)), answer["error"])
        return
    yield answer["outcome"]
    if answer["probability"] is None:
        yield from ["–"] * (2 + len(BASES))
    else:
        low, high = answer["band"]
        yield from (f"{answer['probability']:.3f}", f"{low:.3f}–{high:.3f}")
        yield from (f"{answer['models'][name]['probability']:.3f}" for name in BASES)
    yield ", ".join(answer["reasons"])


def _draw(
    folder: Path,
    number: int,
    canonical: recipe.Canonical,
    predictions: Mapping[BaseName, BasePrediction],
) -> None:
    """Write ``001-cnn.png`` and so on: a file's name may name a patient, so none is taken over."""
    for name, one in predictions.items():
        if one.map is not None:
            Image.fromarray(overlay(canonical, one.map)).save(folder / f"{number:03}-{name}.png")


def overlay(canonical: recipe.Canonical, evidence: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return (224, 224, 3) uint8: the image, orange where ``evidence`` speaks for osteoporosis,
    blue where against, strongest where its magnitude is greatest."""
    size = (recipe.SIDE, recipe.SIDE)
    large = np.asarray(Image.fromarray(evidence).resize(size, Image.Resampling.BILINEAR))
    strength = 0.6 * large / max(float(np.abs(large).max()), 1e-9)
    colour = np.where(strength[..., None] > 0, (255, 120, 0), (0, 110, 255))
    share = np.abs(strength)[..., None]
    mixed = canonical[..., None] * (1 - share) + colour * share
    return np.asarray(np.rint(mixed), np.uint8)
