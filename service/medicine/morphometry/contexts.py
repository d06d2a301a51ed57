"""The page on which a reader sets points on a lateral image, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from models.vertebrae.morphometry import Graded
from service.errors import Fault
from service.medicine.morphometry import wording
from service.medicine.morphometry.form import fields
from service.medicine.morphometry.schemas import SOURCE
from service.predictions.viewer import View
from service.web.forms import Field
from service.web.page import Page


@dataclass(frozen=True, kw_only=True)
class HeightRow:
    level: str
    front: str
    middle: str
    back: str
    front_lost: str
    middle_lost: str
    back_lost: str
    graded: str
    low: bool


@dataclass(frozen=True, kw_only=True)
class HeightsPage(Page):
    templates = ("heights.html",)
    section = "/history"

    result: str
    view: View | None
    """The image as it was sent; None where it is not kept."""
    fields: tuple[Field, ...]
    faults: tuple[Field, ...]
    rows: tuple[HeightRow, ...]
    proposed: Literal["", "none", "some"] = ""
    """Whether points were asked for, and were found."""
    source: str = SOURCE

    @classmethod
    def of(
        cls,
        result: str,
        view: View | None,
        sent: Mapping[str, str],
        faults: Mapping[str, Fault],
        found: Sequence[Graded],
        *,
        proposed: bool = False,
    ) -> HeightsPage:
        """``proposed``: ``sent`` is what was proposed, and set by nobody."""
        asked = fields(sent, faults)
        return cls(
            result=result,
            view=view,
            fields=asked,
            faults=tuple(one for one in asked if one.error),
            rows=tuple(_row(one) for one in found),
            proposed=("some" if sent else "none") if proposed else "",
        )


def _row(found: Graded) -> HeightRow:
    front, middle, back = (wording.height(one) for one in found.heights)
    lost = [wording.lost(one) for one in found.losses]
    return HeightRow(
        level=found.level,
        front=front,
        middle=middle,
        back=back,
        front_lost=lost[0],
        middle_lost=lost[1],
        back_lost=lost[2],
        graded=wording.graded(found),
        low=found.grade > 0,
    )
