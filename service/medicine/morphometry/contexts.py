"""The page on which a reader sets points on a lateral image, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from models.vertebrae.morphometry import Graded
from service.errors import Fault
from service.medicine.morphometry.form import fields
from service.medicine.morphometry.schemas import SOURCE
from service.medicine.morphometry.view import HeightRow, HeightsCard
from service.predictions.viewer import View
from service.web.forms import Field
from service.web.page import Page


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
    """What was measured just now, and is not kept."""
    kept: HeightsCard | None
    """What a reader has kept; None: nobody ever has."""
    lateral: bool
    """Whether points of this image are kept."""
    version: str
    """The kept points that whoever fills in the form has seen."""
    proposed: Literal["", "none", "some"] = ""
    """Whether points were asked for, and were found."""
    trouble: str = ""
    """Why points could not be kept, where none of them is to blame."""
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
        kept: HeightsCard | None = None,
        lateral: bool = True,
        version: str = "0",
        proposed: bool = False,
        trouble: str = "",
    ) -> HeightsPage:
        """``proposed``: ``sent`` is what was proposed, and set by nobody."""
        asked = fields(sent, faults)
        return cls(
            result=result,
            view=view,
            fields=asked,
            faults=tuple(one for one in asked if one.error),
            rows=tuple(HeightRow.of(one) for one in found),
            kept=kept,
            lateral=lateral,
            version=version,
            trouble=trouble,
            proposed=("some" if sent else "none") if proposed else "",
        )
