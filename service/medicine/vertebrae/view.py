"""Where the vertebrae are, what is measured of each and what to look at, as pages show it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.image import recipe
from models.vertebrae.findings import AXIS_TILT, CURVE, TURNED, Code
from service.language.formats import number
from service.language.locale import N_, _
from service.medicine.schemas import Image
from service.medicine.vertebrae.schemas import Finding, Level, Vertebrae

WIDTH: Final = recipe.SIDE
"""Units of a drawing's width, as of the canonical image."""

NARROW, WIDE = 0.4, 2.5
"""Proportions beyond which a picture is not drawn: files of pixels that are not square are no
reason for a page of one line."""

_MISSING: Final = N_(
    "%(level)s touches the image’s border, or is too near to the upper one: part of the spine may "
    "be missing."
)
_FEW: Final = N_(
    "Only %(count)s of the vertebrae L1 to L4 were found: which they are is not certain."
)
_UNSURE: Final = N_("It is not certain which vertebra %(level)s is.")
_LEFT: Final = N_(
    "The spine leans by %(value)s°, its upper end to the image’s left: more than %(limit)s°."
)
_RIGHT: Final = N_(
    "The spine leans by %(value)s°, its upper end to the image’s right: more than %(limit)s°."
)
_CURVE: Final = N_(
    "The spine curves by %(value)s° from L1 to L4, which is %(limit)s° or more: a screening "
    "angle, not a Cobb angle."
)
_DENSER: Final = N_(
    "%(level)s seems denser than its neighbours: it stands %(value)s times as far above soft "
    "tissue. Compare the T-scores: ISCD leaves out a vertebra that differs by more than 1.0 from "
    "its neighbour; the total may be falsely high. A fractured vertebra seems denser too: consider "
    "VFA, a lateral view."
)
_LOW: Final = N_(
    "%(level)s is lower than its neighbours, %(value)s times their height: consider VFA, a lateral "
    "view. A frontal image shows no fracture for certain."
)
_FOREIGN: Final = N_(
    "Something bright with sharp edges lies in or near the spine, %(value)s times as far above "
    "soft tissue as bone, such as a button, a clip or metal: the density measured may be falsely "
    "high. Many objects are not found, and dense bone may be taken for one."
)
_MOTION: Final = N_(
    "Rows of the image are shifted sideways against each other: the patient may have moved. Most "
    "movements are not found."
)
_TURNED: Final = N_(
    "The spine is turned by %(value)s°, more than %(limit)s°: farther than a patient in position."
)
SENTENCES: Final[Mapping[Code, str]] = {
    "part_missing": _MISSING,
    "levels_uncertain": _UNSURE,
    "axis_tilt": _RIGHT,
    "turned": _TURNED,
    "curve": _CURVE,
    "denser_than_neighbours": _DENSER,
    "height_outlier": _LOW,
    "foreign_object": _FOREIGN,
    "motion": _MOTION,
}


SHORT: Final[Mapping[Code, str]] = {
    "part_missing": N_("%(level)s is cut off, or too near to the border"),
    "levels_uncertain": N_("%(level)s may be another level"),
    "axis_tilt": N_("The spine leans by %(value)s°"),
    "turned": N_("The spine is turned by %(value)s°"),
    "curve": N_("The spine curves by %(value)s°"),
    "denser_than_neighbours": N_("%(level)s is denser than its neighbours, %(value)s times"),
    "height_outlier": N_("%(level)s is lower than its neighbours, %(value)s times"),
    "foreign_object": N_("Something denser than bone lies in or near the spine"),
    "motion": N_("The patient may have moved"),
}
"""The same in a few words, for whoever has the image beside them."""


@dataclass(frozen=True, kw_only=True)
class LevelRow:
    """One vertebra: its row in the table, and its outline in the drawing's coordinates."""

    name: str
    height: str
    width: str
    tilt: str
    density: str
    confidence: str
    points: str
    x: str
    y: str


@dataclass(frozen=True, kw_only=True)
class SpineView:
    levels: tuple[LevelRow, ...]
    axis_tilt: str
    findings: tuple[str, ...]
    has_millimetres: bool

    @classmethod
    def of(cls, found: Vertebrae | None, height: int) -> SpineView | None:
        """Return what is shown over a picture that is :data:`WIDTH` × ``height`` units large."""
        if found is None:
            return None
        return cls(
            levels=tuple(
                _row(level, outline, height)
                for level, outline in zip(found.levels, outlines(found), strict=True)
            ),
            axis_tilt=_degrees(found.axis_tilt),
            findings=tuple(sentence(one) for one in found.findings),
            has_millimetres=any(one.height_mm is not None for one in found.levels),
        )


def outlines(found: Vertebrae) -> list[list[tuple[float, float]]]:
    """Return each level's outline in the coordinates of the canonical image."""
    matrix = np.array(found.placement)
    back = np.linalg.inv(matrix[:, :2])
    moved = [(np.array(one.outline) - matrix[:, 2]) @ back.T for one in found.levels]
    return [[(float(x), float(y)) for x, y in one] for one in moved]


def proportions(image: Image, found: Vertebrae | None) -> float:
    """Return the height over the width that the stored picture has where the file's pixels are
    square: of the whole image, or of the part that was made canonical."""
    if found is None:
        _left, _top, width, height = image.cropped or (0, 0, image.width, image.height)
        return height / width
    (a, b, _x), (c, d, _y) = found.placement
    return min(max(math.hypot(b, d) / math.hypot(a, c), NARROW), WIDE)


def sentence(finding: Finding) -> str:
    """Return a finding in the current language."""
    values = {"level": finding.level or "", "value": number(finding.value, 1)}
    if finding.code == "axis_tilt":
        said = _LEFT if finding.value < 0 else _RIGHT
        return _(said, value=number(abs(finding.value), 1), limit=number(AXIS_TILT))
    if finding.code == "turned":
        return _(_TURNED, value=number(abs(finding.value), 1), limit=number(TURNED))
    if finding.code == "curve":
        return _(_CURVE, value=values["value"], limit=number(CURVE))
    if finding.code == "levels_uncertain" and finding.level is None:
        return _(_FEW, count=number(finding.value))
    if finding.code in ("denser_than_neighbours", "height_outlier"):
        values["value"] = number(finding.value, 2)
    return _(SENTENCES[finding.code], **values)


def short(finding: Finding) -> str:
    """Return a finding in a few words of the current language."""
    if finding.code == "levels_uncertain" and finding.level is None:
        return _("Only %(count)s of L1 to L4 were found", count=number(finding.value))
    exact = finding.code in ("denser_than_neighbours", "height_outlier")
    return _(
        SHORT[finding.code],
        level=finding.level or "",
        value=number(abs(finding.value), 2 if exact else 0),
    )


def _row(level: Level, outline: list[tuple[float, float]], height: int) -> LevelRow:
    stretch = height / recipe.SIDE
    points = [(x, y * stretch) for x, y in outline]
    pixels = _("%(value)s px", value=number(level.height, 1))
    tall = pixels
    if level.height_mm is not None:
        tall = _("%(value)s mm", value=number(level.height_mm, 1)) + f" ({pixels})"
    return LevelRow(
        name=level.level,
        height=tall,
        width=_("%(value)s px", value=number(level.width, 1)),
        tilt=_degrees(level.tilt),
        density=number(level.relative_density, 2),
        confidence=number(level.confidence, 2),
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        x=f"{sum(x for x, _y in points) / len(points):.1f}",
        y=f"{sum(y for _x, y in points) / len(points):.1f}",
    )


def _degrees(value: float) -> str:
    # Nor is a little to the left told as minus nothing.
    return f"{number(round(value, 1) or 0.0, 1, signed=True)}°"
