"""Heights of a lateral image's vertebrae as results pass them on: by points that a reader kept.

A grade is that of the points, and no model's. Whether a reader has set the points or kept them as
they were proposed is told with each vertebra. Points that nobody keeps are not passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from models.vertebrae.morphometry import Grade, Graded, LateralLevel, Shape
from service.integration.compose.source import Judged
from service.integration.compose.wording import Coded
from service.medicine.morphometry.kept import KeptPoints, is_after
from service.medicine.morphometry.schemas import SOURCE

SITES: Final[Mapping[LateralLevel, str]] = {
    "T4": "73071006", "T5": "56401006", "T6": "45296009", "T7": "62487009", "T8": "11068009",
    "T9": "82687006", "T10": "7610001", "T11": "12989004", "T12": "23215003",
    "L1": "66794005", "L2": "14293000", "L3": "36470004", "L4": "11994002",
}  # fmt: skip
"""SNOMED's codes of the vertebrae, as DICOM's context group 7603 has them."""
PIXELS: Final = "{pixels}"
"""UCUM's way to write a unit that it does not have: widths of a pixel of the image as sent."""
GRADE: Final[Coded] = ("GENANT", "Grade by six points, after Genant")
SHAPE: Final[Coded] = ("SHAPE", "Shape by six points")
ORIGIN: Final[Coded] = ("POINTS", "Whose the points are")
WORDS: Final[Coded] = ("READER", "Who has kept the points, and when")
_HEIGHTS: Final[tuple[Coded, Coded, Coded]] = (
    ("HEIGHT_FRONT", "Front height"),
    ("HEIGHT_MIDDLE", "Middle height"),
    ("HEIGHT_BACK", "Back height"),
)
_LOSSES: Final[tuple[Coded, Coded, Coded]] = (
    ("LOST_FRONT", "Front height lost"),
    ("LOST_MIDDLE", "Middle height lost"),
    ("LOST_BACK", "Back height lost"),
)
_GRADES: Final[Mapping[Grade, Coded]] = {
    0: ("GENANT_0", "Grade 0: less than 20 % lost"),
    1: ("GENANT_1", "Grade 1, mild: 20 to 25 % lost"),
    2: ("GENANT_2", "Grade 2, moderate: over 25 to 40 % lost"),
    3: ("GENANT_3", "Grade 3, severe: over 40 % lost"),
}
_SHAPES: Final[Mapping[Shape, Coded]] = {
    "wedge": ("WEDGE", "Wedge"),
    "biconcave": ("BICONCAVE", "Biconcave"),
    "crush": ("CRUSH", "Crush"),
}
_SET: Final[Coded] = ("SET", "Set by the reader")
_AS_PROPOSED: Final[Coded] = ("AS_PROPOSED", "Kept by the reader as proposed, unmoved")
_CAUTION: Final = (
    "No number of osteoserve's models. Research use only: a grade of points is no diagnosis, and a "
    "low vertebra may be no fracture."
)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One vertebra of one image. ``heights`` are in :data:`PIXELS`, ``losses`` shares."""

    part: Judged
    level: LateralLevel
    heights: tuple[tuple[Coded, float], ...]
    losses: tuple[tuple[Coded, float], ...]
    grade: Coded
    shape: Coded | None
    origin: Coded
    by: str | None
    at: datetime
    late: bool

    @property
    def image(self) -> str:
        """SOP Instance UID of the image."""
        return str(self.part.source.SOPInstanceUID)

    @property
    def coded(self) -> tuple[tuple[Coded, Coded], ...]:
        """What goes with the grade, by names and values of our scheme."""
        shape = () if self.shape is None else ((SHAPE, self.shape),)
        return (*shape, (ORIGIN, self.origin))

    @property
    def whose(self) -> str:
        """What stands beside every grade."""
        who = f" by {self.by}" if self.by else ""
        late = " After the result was signed: the signature is not of it." if self.late else ""
        return f"Points kept{who} on {self.at:%Y-%m-%d}: {self.origin[1]}.{late} {_CAUTION}"

    @property
    def sentence(self) -> str:
        """Grade and heights in words, with what stands beside them."""
        values = ", ".join(f"{name[1].lower()} {value:.1f} px" for name, value in self.heights)
        shape = "" if self.shape is None else f", {self.shape[1].lower()}"
        return f"{self.level}: {self.grade[1]}{shape} ({SOURCE}); {values}. {self.whose}"


def told(parts: Sequence[Judged]) -> tuple[Told, ...]:
    """Return what was kept of the images that ``parts`` are, from the top of each."""
    return tuple(one for part in parts for one in _of(part))


def _of(part: Judged) -> Iterator[Told]:
    if not part.points:
        return
    last, review = part.points[-1], part.prediction.review
    late = bool(is_after(last, None if review is None else review.created_at))
    for found in last.graded():
        yield _vertebra(part, last, found, late)


def _vertebra(part: Judged, kept: KeptPoints, found: Graded, late: bool) -> Told:
    return Told(
        part=part,
        level=found.level,
        heights=tuple(
            (name, round(value, 2)) for name, value in zip(_HEIGHTS, found.heights, strict=True)
        ),
        losses=tuple(
            (name, round(value, 4))
            for name, value in zip(_LOSSES, found.losses, strict=True)
            if value is not None
        ),
        grade=_GRADES[found.grade],
        shape=None if found.shape is None else _SHAPES[found.shape],
        origin=_AS_PROPOSED if found.level in kept.as_proposed else _SET,
        by=kept.by,
        at=kept.kept_at,
        late=late,
    )
