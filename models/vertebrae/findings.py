"""What a reader should look at in a spine and in how it was taken: rules, each with its limit.

No finding is a diagnosis, and none follows from a probability; they say where to look. The limits
are named constants, so that they can be calibrated; each rule's docstring says where it is from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.gate.reason import Reason
from models.image.recipe import SIDE, Canonical
from models.inference.decision import Decision
from models.vertebrae import displacement, foreign
from models.vertebrae.geometry import LEVELS, LevelName, Spine
from models.vertebrae.report import LevelReport, Report

Code = Literal[
    "part_missing",
    "levels_uncertain",
    "axis_tilt",
    "turned",
    "curve",
    "denser_than_neighbours",
    "height_outlier",
    "foreign_object",
    "motion",
]

QUESTIONING: Final[frozenset[str]] = frozenset({
    "part_missing", "levels_uncertain", "turned", "foreign_object",
    Reason.SCAN_AREA, Reason.FOR_PROCESSING, Reason.OBJECTS_NOT_REMOVED,
})  # fmt: skip
"""Those that put in question whether the image shows what is judged: of these findings, and of
those with which the gate only warns. Its last one is in results of older versions alone. Motion is
told and decides nothing: it is missed more often than found, and comes and goes with an image's
size."""

AXIS_TILT: Final = 5.0
"""Degrees from the vertical (domain.md §2.2)."""

TURNED: Final = 12.0
"""Degrees from the vertical beyond which nobody lies in position: 10, and what the outlines' tilt
may be off by (domain.md §2.2)."""

CURVE: Final = 10.0
"""Degrees between L1's and L4's tilt: where scoliosis is usually said to begin, there by Cobb."""

DENSER: Final = 1.25
"""Times its neighbours' mean."""

LOW: Final = 0.8
"""Times its neighbours' mean height: the 20 % with which Genant's first grade begins."""

CONFIDENT: Final = 0.5
"""A level's probability among the four, below which the count is in doubt. Of 22 scans that a
network had not seen, the one that it counted a level too low had 0.35, the others 0.58 and more."""

ABOVE: Final = 0.25
"""Heights of the first vertebra between it and the upper border, where half of the one above should
be seen. Of 30 scans whose upper half was cut away 28 had less, of 114 whole ones one that did
not touch the border."""

FOREIGN: Final = 1.6
"""Times that bone stands above soft tissue, from which on a sharp bright edge is no bone's. Of 114
scans four have more: two with clips of clothes, two with sclerosis."""

SHIFTED: Final = 0.16
"""How much better shifted rows fit, from which on somebody moved. Of 114 scans one has more."""

RIM: Final = 1.5
"""Frame pixels from the border within which a vertebra touches it."""


@dataclass(frozen=True)
class Finding:
    """``level`` is None for the column as a whole; ``value`` is what was held against ``rule``."""

    code: Code
    level: LevelName | None
    value: float
    rule: str


def findings(
    spine: Spine,
    report: Report,
    framed: Canonical,
    cleaned: Canonical,
    graphics: NDArray[np.bool_],
) -> tuple[Finding, ...]:
    """Return all that is noticed; ``spine`` and ``graphics`` (224, 224) are what was found in the
    frame ``framed``, ``cleaned`` is that without graphics, and ``report`` as it is told."""
    return (
        *part_missing(spine),
        *levels_uncertain(report),
        *axis_tilt(report),
        *curve(report),
        *denser_than_neighbours(report),
        *height_outlier(report),
        *foreign_object(spine, framed, graphics),
        *motion(spine, cleaned),
    )


def questioned(outcome: Decision, codes: Collection[str]) -> Decision:
    """Return ``indeterminate`` for a *normal* outcome that a finding of :data:`QUESTIONING` puts in
    question, any other as it is: what may be missing cannot reassure, and makes nobody ill.

    ``codes`` are those of the vertebrae's findings and of the gate's.
    """
    return "indeterminate" if outcome == "normal" and QUESTIONING & set(codes) else outcome


def part_missing(spine: Spine) -> Iterator[Finding]:
    """Yield each level whose outline comes within :data:`RIM` of the frame's border, and the first
    one where less than :data:`ABOVE` of its height is left above it: the field ends there, and what
    counts as L1–L4 may be L3 and below (domain.md §2.2).

    ``value`` is the distance in pixels of the frame (224 a side).
    """
    for number, level in enumerate(spine.levels):
        apart = min(min(x, SIDE - x, y, SIDE - y) for x, y in level.outline)
        top, bottom = (pick(y for _, y in level.outline) for pick in (min, max))
        if number == 0 and RIM < top < ABOVE * (bottom - top):
            yield Finding(
                "part_missing",
                level.level,
                top,
                f"less than {ABOVE:g} of its height between it and the image's upper border",
            )
        if apart <= RIM:
            yield Finding(
                "part_missing",
                level.level,
                max(apart, 0.0),
                f"within {RIM} of 224 frame pixels of the image's border",
            )


def levels_uncertain(report: Report) -> Iterator[Finding]:
    """Yield one finding for fewer than four levels, and one for each level whose confidence is
    under :data:`CONFIDENT`: say so instead of a level (domain.md §2.4).
    """
    found = len(report.levels)
    if found < len(LEVELS):
        yield Finding("levels_uncertain", None, found, f"fewer than {len(LEVELS)} levels found")
    for level in report.levels:
        if level.confidence < CONFIDENT:
            yield Finding(
                "levels_uncertain", level.level, level.confidence, f"confidence under {CONFIDENT}"
            )


def axis_tilt(report: Report) -> Iterator[Finding]:
    """Yield a finding where the line through the centres of the top and the bottom vertebra is more
    than :data:`AXIS_TILT` degrees from the vertical, and a second one beyond :data:`TURNED`
    (domain.md §2.2)."""
    if abs(report.axis_tilt) > AXIS_TILT:
        yield Finding(
            "axis_tilt",
            None,
            report.axis_tilt,
            f"more than {AXIS_TILT:g} degrees from the vertical",
        )
    if abs(report.axis_tilt) > TURNED:
        yield Finding(
            "turned",
            None,
            report.axis_tilt,
            f"more than {TURNED:g} degrees from the vertical, farther than in position",
        )


def curve(report: Report) -> Iterator[Finding]:
    """Yield a finding where the curve L1–L4 reaches :data:`CURVE` degrees (domain.md §2.3; how
    often, §1.6)."""
    if report.curve >= CURVE:
        yield Finding(
            "curve",
            None,
            report.curve,
            f"{CURVE:g} degrees or more L1 to L4; a screening angle, not a Cobb angle",
        )


def denser_than_neighbours(report: Report) -> Iterator[Finding]:
    """Yield each level that stands :data:`DENSER` times as far above soft tissue as its neighbours
    on the mean (domain.md §2.3). ISCD leaves out a vertebra whose T-score differs by more than
    1.0 from its neighbour's (domain.md §1.3); an image holds no T-score, so this only says where to
    look.
    """
    for level, beside in _neighbours(report.levels):
        usual = sum(one.relative_density for one in beside) / len(beside)
        ratio = level.relative_density / usual if usual > 0 else 0.0
        if ratio >= DENSER:
            yield Finding(
                "denser_than_neighbours",
                level.level,
                ratio,
                f"{DENSER:g} times its neighbours or more, above soft tissue",
            )


def height_outlier(report: Report) -> Iterator[Finding]:
    """Yield each level whose height is under :data:`LOW` times its neighbours' mean: consider
    vertebral fracture assessment (VFA) in a lateral view. A frontal image diagnoses no fracture.

    After Genant et al., J Bone Miner Res 1993, whose first grade begins at a loss of a fifth.
    """
    for level, beside in _neighbours(report.levels):
        usual = sum(one.height for one in beside) / len(beside)
        ratio = level.height / usual if usual > 0 else 1.0
        if ratio < LOW:
            yield Finding(
                "height_outlier",
                level.level,
                ratio,
                f"under {LOW:g} times its neighbours' height: consider VFA",
            )


def foreign_object(
    spine: Spine, framed: Canonical, graphics: NDArray[np.bool_]
) -> Iterator[Finding]:
    """Yield a finding where :func:`models.vertebrae.foreign.edge` reaches :data:`FOREIGN`: metal in
    or near the column lifts the density that is measured (domain.md §2.2).
    """
    height = foreign.edge(framed, graphics, spine)
    if height >= FOREIGN:
        yield Finding(
            "foreign_object",
            None,
            height,
            f"a sharp bright edge {FOREIGN:g} times as high as bone above soft tissue, or more",
        )


def motion(spine: Spine, cleaned: Canonical) -> Iterator[Finding]:
    """Yield a finding where :func:`models.vertebrae.displacement.displaced` reaches :data:`SHIFTED`
    (domain.md §1.5: movement makes a vertebra invalid).
    """
    value = displacement.displaced(cleaned, spine)
    if value >= SHIFTED:
        yield Finding(
            "motion", None, value, f"rows fit better by {SHIFTED:g} or more when shifted sideways"
        )


def _neighbours(
    levels: Sequence[LevelReport],
) -> Iterator[tuple[LevelReport, list[LevelReport]]]:
    """Yield each level with those next to it, as far as they were found."""
    for level in levels:
        place = LEVELS.index(level.level)
        beside = [one for one in levels if abs(LEVELS.index(one.level) - place) == 1]
        if beside:
            yield level, beside
