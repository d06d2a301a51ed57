"""The curve in sentences, with what to look at next and where that is written.

No sentence calls it a Cobb angle, and none says that there is, or is no, scoliosis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.language.formats import number
from service.language.locale import N_, _
from service.medicine.scoliosis.screening import THRESHOLD, Screening, Side, Standing, Untold
from service.medicine.scoliosis.trend import LEAST, Change

_SIDES: Final[Mapping[Side, str]] = {
    "left": N_("bulging to the image’s left"),
    "right": N_("bulging to the image’s right"),
}
_STANDINGS: Final[Mapping[Standing, str]] = {
    "below": N_(
        "Below %(limit)s°, where scoliosis is said to begin. Standing, a curve may be larger, and "
        "one above L1 is not seen."
    ),
    "uncertain": N_(
        "It is uncertain whether %(limit)s° are reached, where scoliosis is said to begin by the "
        "Cobb angle, standing."
    ),
    "reached": N_(
        "%(limit)s° or more, where scoliosis is said to begin by the Cobb angle, standing."
    ),
}
_UNTOLD: Final[Mapping[Untold, str]] = {
    "levels": N_("No angle is told: not all of L1 to L4 were found."),
    "version": N_(
        "No angle is told: this result is of a version that measured it between end plates, and "
        "too small. Send the image again."
    ),
}
_CHANGES: Final[Mapping[Change, str]] = {
    "larger": N_("Larger by %(difference)s° since %(day)s: %(least)s° or more."),
    "smaller": N_("Smaller by %(difference)s° since %(day)s: %(least)s° or more."),
    "no_change": N_(
        "No change since %(day)s: %(difference)s°, less than %(least)s°, which lying otherwise and "
        "measuring may do."
    ),
    "other_side": N_(
        "It bulges to the other side than on %(day)s: one of the images may be mirrored. Nothing "
        "is compared."
    ),
}
_NEXT: Final = (
    (
        N_(
            "A radiograph of the whole spine, standing, measures the Cobb angle. Angles of lumbar "
            "DXA, lying, and of upright radiographs differed by 5.8° on the mean in people with "
            "scoliosis, by 2.8° in all."
        ),
        N_("Opportunistic use of DXA to evaluate lumbar scoliosis, abstract"),
    ),
    (
        N_(
            "Compare the spine’s T-score with the hip’s: in adults with lumbar scoliosis the spine "
            "read denser and the hip less dense than in others; the two disagreed by up to 30 % at "
            "43°."
        ),
        N_("Pappou 2006, PubMed 16778698, abstract"),
    ),
    (
        N_(
            "Measure both hips: of 97 people with a curve in their lumbar DXA, in 29 the two sides "
            "gave different diagnoses."
        ),
        N_("PubMed 23756109, abstract"),
    ),
)
LIMIT_SOURCE: Final = N_("Rubin 2021, PMC8023369; measured on lumbar DXA, women after menopause")
"""Where the threshold is written, and that curves of 10° were called clinically significant."""


def angle(found: Screening) -> str:
    """Return the angle with its interval and side."""
    said = _(
        "%(value)s° (%(low)s° to %(high)s°)",
        value=number(found.degrees, 1),
        low=number(found.low, 1),
        high=number(found.high, 1),
    )
    return said if found.side is None else f"{said}, {_(_SIDES[found.side])}"


def standing(found: Screening) -> str:
    return _(_STANDINGS[found.standing], limit=number(THRESHOLD))


def untold(reason: Untold) -> str:
    return _(_UNTOLD[reason])


def following(found: Screening) -> tuple[tuple[str, str], ...]:
    """Return what to look at next, each with where it is written; nothing below the threshold."""
    return () if found.standing == "below" else tuple((_(one), _(by)) for one, by in _NEXT)


def changed(change: Change, difference: float | None, since: str) -> str:
    shown = 0.0 if difference is None else difference
    signed = change == "no_change"
    return _(
        _CHANGES[change],
        difference=number(shown if signed else abs(shown), 1, signed=signed),
        day=since,
        least=number(LEAST),
    )
