"""The image of a result as its page draws it: a picture, the vertebrae upon it, and its scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.image import recipe
from service.exams.schemas import Exam
from service.language.formats import day
from service.language.locale import _
from service.medicine.vertebrae import view as spine
from service.predictions.repository import SentPlace
from service.predictions.schemas import Prediction
from service.predictions.timeline import Timeline

TEXT: Final = 0.04
"""Of the picture's height, the height of a level's name."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One vertebra, in the drawing's coordinates."""

    name: str
    points: str
    x: str
    y: str


@dataclass(frozen=True, kw_only=True)
class View:
    """A picture in a drawing whose coordinates are pixels of the image as sent or, where that is
    not kept, of what models saw, in the file's proportions.

    ``unit`` is the 2×2 matrix, by rows, from the drawing's coordinates to pixels of the image as
    sent, in which lengths are told; ``spacing`` is how many millimetres such a pixel is wide and
    high, empty where the file does not say.
    """

    id: str
    address: str
    as_sent: bool
    part: bool
    """Whether the surroundings of the spine alone are kept."""
    whole: bool
    """Whether what models saw is the whole image, and not L1–L4 laid upright."""
    left: str
    top: str
    width: str
    height: str
    text: str
    shapes: tuple[Shape, ...]
    unit: str
    spacing: str
    caption: str

    @property
    def box(self) -> str:
        return f"{self.left} {self.top} {self.width} {self.height}"

    @classmethod
    def of(cls, prediction: Prediction, sent: SentPlace | None, caption: str = "") -> View:
        """``sent`` says where the image lies as it was sent, None where that is not kept."""
        place = f"/api/v1/predictions/{prediction.id}"
        found = prediction.vertebrae
        if sent is not None:
            box = sent.box
            outlines = [list(one.outline) for one in found.levels] if found else []
            left, top, width, height = (
                float(box.left), float(box.top), float(box.width), float(box.height)
            )  # fmt: skip
            unit = np.eye(2)
            part = (box.width, box.height) != (prediction.image.width, prediction.image.height)
        else:
            left = top = 0.0
            width = float(recipe.SIDE)
            height = float(round(width * spine.proportions(prediction.image, found)))
            stretch = height / recipe.SIDE
            seen = [] if found is None else spine.outlines(found)
            outlines = [[(x, y * stretch) for x, y in one] for one in seen]
            unit = _unit(prediction) * (1, 1 / stretch)
            part = False
        spacing = () if sent is None or sent.spacing is None else sent.spacing[::-1]
        return cls(
            id=str(prediction.id),
            address=f"{place}/image" if sent is None else f"{place}/sent-image",
            as_sent=sent is not None,
            part=part,
            whole=found is None,
            left=_told(left),
            top=_told(top),
            width=_told(width),
            height=_told(height),
            text=_told(TEXT * height),
            shapes=tuple(
                _shape(level.level, outline)
                for level, outline in zip(found.levels if found else (), outlines, strict=True)
            ),
            unit=_row(unit.ravel()),
            spacing=_row(spacing),
            caption=caption,
        )


def before(timeline: Timeline | None, prediction: Prediction) -> tuple[Exam, Prediction] | None:
    """Return the exam of the same patient before the one of ``prediction``, with its prediction."""
    known = () if timeline is None else timeline.exams
    this = next((one for one in known if one[1].image.sha256 == prediction.image.sha256), None)
    if this is None:
        return None
    earlier = [one for one in known if _when(one) < _when(this)]
    return max(earlier, key=_when, default=None)


def prior(found: tuple[Exam, Prediction], sent: SentPlace | None) -> View:
    """Return the view of an earlier exam, named by its day."""
    exam, prediction = found
    when = day(exam.acquired_on or prediction.created_at.date())
    return View.of(prediction, sent, _("Before: %(day)s", day=when))


def _when(one: tuple[Exam, Prediction]) -> tuple[object, ...]:
    exam, prediction = one
    return (exam.acquired_on or prediction.created_at.date(), prediction.created_at)


def _unit(prediction: Prediction) -> np.ndarray:
    """Return what maps a step in the 224×224 image that models saw to one in the image as sent."""
    if prediction.vertebrae is not None:
        return np.array(prediction.vertebrae.placement)[:, :2]
    image = prediction.image
    _left, _top, width, height = image.cropped or (0, 0, image.width, image.height)
    return np.diag((width / recipe.SIDE, height / recipe.SIDE))


def _shape(name: str, outline: list[tuple[float, float]]) -> Shape:
    return Shape(
        name=name,
        points=" ".join(f"{_told(x)},{_told(y)}" for x, y in outline),
        x=_told(sum(x for x, _y in outline) / len(outline)),
        y=_told(sum(y for _x, y in outline) / len(outline)),
    )


def _row(values: Iterable[float]) -> str:
    return " ".join(f"{float(value):.6g}" for value in values)


def _told(value: float) -> str:
    """Return a coordinate to a tenth, a whole one without a point."""
    return f"{value:.1f}".removesuffix(".0")
