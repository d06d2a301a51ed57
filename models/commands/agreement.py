"""``python -m models agreement``: are altered copies of a scan judged as the scan is?

Every kind of copy (:data:`models.dataset.copies.KINDS`) of every image goes the whole way: frame,
vertebrae, canonical image, gate, base models, stack. On images that the models were trained on the
figures are better than on others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models import artifact
from models.commands.data import left_out, path
from models.dataset import Entry, images
from models.dataset import drawn as lines
from models.dataset.copies import KINDS, Alter, deep
from models.dataset.drawn import Drawn
from models.dataset.graphics import edge
from models.dataset.preparing import eight_bits
from models.evaluation.sheet import Pair, lined, sheet
from models.evaluation.tables import table
from models.gate.quality import Gate, assess, served_gate
from models.image.scan import Scan
from models.inference.base import Outliner
from models.inference.decision import decide
from models.inference.ensemble import Ensemble
from models.inference.preparation import prepare
from models.vertebrae.findings import questioned

REFUSED = "refused"
AS_SENT = "as sent"

LINES: Final = (("in white", 255, 1, 0), ("thicker", 226, 2, 0), ("moved", 226, 1, 3))
"""How a scanner's lines are drawn anew: grey level, width, and pixels further right and down."""

PICTURED: Final = (
    "four lines of text",
    "lines in white",
    "lines moved",
    "lines in white inside the bone",
    "10 pixels cropped",
    "turned by -5°",
)
"""Kinds of which more than 3 in 54 scans change their outcome (docs/agreement.md)."""


@dataclass(frozen=True)
class Answer:
    outcome: str
    probability: float | None
    called: bool | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One kind of copy beside the images as they were sent.

    ``changed``: images with another outcome, a refusal among them; ``refused`` of the copies;
    ``moved``: mean absolute change of the probability, over images that were judged both times.
    """

    kind: str
    images: int
    changed: int
    refused: int
    moved: float | None
    sensitivity: float | None
    specificity: float | None


def add(parser: argparse.ArgumentParser) -> None:
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--data", type=path, help="labelled images")
    asked.add_argument(
        "--picture", type=Path, help="a PNG of a phantom beside copies; nothing else is done"
    )
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (%(default)s)")
    parser.add_argument(
        "--kind", action="append", help="only this kind of copy; may be given several times"
    )


def run(options: argparse.Namespace) -> int:
    """Print the table, and write it where ``--out`` says."""
    if options.picture is not None:
        options.picture.write_bytes(picture())
        return 0
    skipped: Counter[str] = Counter()
    found = images(options.data, skipped)
    left_out(skipped)
    rows = measure(
        [entry for entry, _, _ in found],
        [scan for _, scan, _ in found],
        options.seed,
        options.kind,
    )
    print(
        table(
            ["copies", "images", "changed", "refused", "mean |Δp|", "sensitivity", "specificity"],
            [
                [row.kind, str(row.images), str(row.changed), str(row.refused)]
                + [_told(v) for v in (row.moved, row.sensitivity, row.specificity)]
                for row in rows
            ],
        )
    )
    absent = sorted(set(options.kind or ()) - {row.kind for row in rows})
    if absent:
        print(f"no copies of kind: {', '.join(absent)}", file=sys.stderr)
        return 2
    if options.out is not None:
        told = json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False)
        options.out.write_text(told + "\n", encoding="utf-8")
    return 0


def picture() -> bytes:
    """Return a PNG of a phantom beside its copies of the kinds :data:`PICTURED`."""
    scan, drawn = lined()
    made = {kind: make for kind, make in _kinds([scan], [drawn], 0) if kind in PICTURED}
    pairs = []
    for kind in PICTURED:
        (copy,) = made[kind]()
        if copy is not None:
            pairs.append(Pair(kind, scan, copy))
    return sheet(pairs, Outliner(artifact.load("vertebrae")).outline)


def measure(
    found: Sequence[Entry], scans: Sequence[Scan], seed: int, only: Collection[str] | None = None
) -> list[Row]:
    """Return a row a kind, the images as they are first; of the kinds in ``only``, if given."""
    ensemble, gate = Ensemble(), served_gate()
    drawn = [lines.read(entry.path, scan) for entry, scan in zip(found, scans, strict=True)]
    labels = [entry.label for entry in found]
    first = list(answers(scans, ensemble, gate))
    rows = [_row(AS_SENT, first, first, labels)]
    for kind, make in _kinds(scans, drawn, seed):
        if only is not None and kind not in only:
            continue
        copies = make()
        present = [i for i, copy in enumerate(copies) if copy is not None]
        given = list(answers([copies[i] for i in present], ensemble, gate))  # type: ignore[misc]  # those present
        rows.append(_row(kind, [first[i] for i in present], given, [labels[i] for i in present]))
    return rows


def answers(scans: Sequence[Scan], ensemble: Ensemble, gate: Gate) -> Iterator[Answer]:
    """Yield what the service would answer to each of ``scans``."""
    for prepared in prepare(scans, ensemble.outliner.outline):
        quality = assess(
            prepared.scan,
            prepared.cleaned,
            gate,
            prepared.canonical,
            prepared.outlined.spine,
        )
        if not quality.accepted or prepared.canonical is None:
            yield Answer(REFUSED, None, None, quality.reasons)
            continue
        (verdict,) = ensemble.predict(prepared.canonical[None])
        decided = decide(verdict.probability, verdict.threshold, verdict.band)
        noticed = [one.code for one in prepared.findings]
        yield Answer(
            questioned(decided, (*quality.findings, *noticed)),
            verdict.probability,
            verdict.probability >= verdict.threshold,
        )


Copies = list[Scan | None]


def _kinds(
    scans: Sequence[Scan], drawn: Sequence[Drawn | None], seed: int
) -> Iterator[tuple[str, Callable[[], Copies]]]:
    """Yield each kind's name and what makes its copies, None where an image has no such copy."""
    for kind, alter in KINDS.items():
        yield kind, partial(_altered, alter, scans, seed)
    yield "12 bits", lambda: [deep(eight_bits(scan)) for scan in scans]
    if any(of is not None for of in drawn):
        yield "lines removed", partial(_each, drawn, lambda of: of.clean)
        for place, inside in (("", False), (" inside the bone", True)):
            for change, ink, width, moved in LINES:
                redrawn = partial(_redrawn, ink=ink, width=width, moved=moved, inside=inside)
                yield f"lines {change}{place}", partial(_each, drawn, redrawn)


def _altered(alter: Alter, scans: Sequence[Scan], seed: int) -> Copies:
    return [
        Scan(alter(eight_bits(scan), np.random.default_rng([seed, i])), 8, "png")
        for i, scan in enumerate(scans)
    ]


def _each(drawn: Sequence[Drawn | None], make: Callable[[Drawn], NDArray[np.uint8]]) -> Copies:
    return [None if of is None else Scan(make(of), 8, "png") for of in drawn]


def _redrawn(of: Drawn, ink: int, width: int, moved: int, inside: bool) -> NDArray[np.uint8]:
    """Return the image without lines on which they are drawn anew: where the scanner has drawn
    them, or ``inside``, along the rim of the labels, which is nearer to the vertebra's middle."""
    if inside:
        lines = edge(of.levels, width)
    else:
        lines = of.ink.copy()
        for step in range(1, width):
            lines |= np.roll(lines, step, 0) | np.roll(lines, step, 1)
    image = of.clean.copy()
    image[np.roll(lines, (moved, moved), (0, 1))] = ink
    return image


def _row(kind: str, first: Sequence[Answer], given: Sequence[Answer], labels: Sequence[str]) -> Row:
    both = [
        abs(a.probability - b.probability)
        for a, b in zip(first, given, strict=True)
        if a.probability is not None and b.probability is not None
    ]

    def share(label: str, wanted: bool) -> float | None:
        called = [
            answer.called
            for answer, of in zip(given, labels, strict=True)
            if of == label and answer.called is not None
        ]
        return sum(one is wanted for one in called) / len(called) if called else None

    return Row(
        kind=kind,
        images=len(given),
        changed=sum(a.outcome != b.outcome for a, b in zip(first, given, strict=True)),
        refused=sum(answer.outcome == REFUSED for answer in given),
        moved=float(np.mean(both)) if both else None,
        sensitivity=share("osteoporosis", wanted=True),
        specificity=share("normal", wanted=False),
    )


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
