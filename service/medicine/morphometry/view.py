"""What a reader has kept of a lateral image as rows: for the result's page, the sheet, the form."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.vertebrae.morphometry import Graded, LateralLevel
from service.language.formats import moment
from service.language.locale import _
from service.medicine.morphometry import wording
from service.medicine.morphometry.kept import KeptPoints, is_after
from service.medicine.morphometry.schemas import SOURCE


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
    origin: str = ""
    """Whether a reader has set the points, or kept them as proposed; empty: they are not kept."""

    @classmethod
    def of(cls, found: Graded, origin: str = "") -> HeightRow:
        front, middle, back = (wording.height(one) for one in found.heights)
        lost = [wording.lost(one) for one in found.losses]
        return cls(
            level=found.level,
            front=front,
            middle=middle,
            back=back,
            front_lost=lost[0],
            middle_lost=lost[1],
            back_lost=lost[2],
            graded=wording.graded(found),
            low=found.grade > 0,
            origin=origin,
        )


@dataclass(frozen=True, kw_only=True)
class HeightsCard:
    """The version that counts; without rows, that there is none any more."""

    rows: tuple[HeightRow, ...]
    said: str
    """Who has kept or removed them."""
    when: str
    when_iso: str
    late: str
    """That it was done after the result was signed; empty where it was not."""
    source: str = SOURCE

    @classmethod
    def of(cls, kept: Sequence[KeptPoints], signed_at: datetime | None) -> HeightsCard | None:
        """``kept``: every version; None without any. ``signed_at``: when what stands was signed."""
        if not kept:
            return None
        last = kept[-1]
        return cls(
            rows=rows(last.graded(), last.as_proposed),
            said=_said(last),
            when=moment(last.kept_at),
            when_iso=last.kept_at.isoformat(),
            late=_late(last) if is_after(last, signed_at) else "",
        )


def rows(graded: Sequence[Graded], proposed: Collection[LateralLevel]) -> tuple[HeightRow, ...]:
    """Return what was kept; of levels that are ``proposed`` nobody has moved a point."""
    return tuple(HeightRow.of(one, wording.origin(one.level in proposed)) for one in graded)


def _said(last: KeptPoints) -> str:
    if last.vertebrae:
        return _("Points kept by %(name)s", name=last.by) if last.by else _("Points kept")
    return _("Points removed by %(name)s", name=last.by) if last.by else _("Points removed")


def _late(last: KeptPoints) -> str:
    if last.vertebrae:
        return _("Points were kept after the result was signed: the signature is not of them.")
    return _("Points were removed after the result was signed: the signature is not of that.")
