"""Attenuation in CT in words: its numbers, where they were measured, and by what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from service.language.formats import day, number
from service.language.locale import N_, _
from service.medicine.modalities.ct.schemas import Attenuation, Scan

CONTRASTS: Final[Mapping[str, str]] = {
    "given": N_("contrast medium given"),
    "none": N_("no contrast medium"),
    "unknown": N_("contrast medium not stated"),
}


@dataclass(frozen=True, kw_only=True)
class Lines:
    """``number`` is the mean with its spread, ``place`` the region, ``scan`` the machine."""

    number: str
    place: str
    scan: str


def of(measured: Attenuation) -> Lines:
    return Lines(
        number=_(
            "%(mean)s HU (SD %(sd)s, standard error %(se)s or more)",
            mean=number(measured.mean_hu, 1),
            sd=number(measured.sd_hu, 1),
            se=number(measured.se_hu, 2),
        ),
        place=_(
            "Slice %(slice)s, ellipse of %(width)s × %(height)s mm, %(pixels)s pixels, from "
            "%(low)s to %(high)s HU",
            slice=number(measured.region.slice),
            width=number(2 * measured.region.radius_x_mm, 1),
            height=number(2 * measured.region.radius_y_mm, 1),
            pixels=number(measured.pixels),
            low=number(measured.low_hu),
            high=number(measured.high_hu),
        ),
        scan=" · ".join([*scanned(measured.scan), _(CONTRASTS[measured.contrast])]),
    )


def scanned(scan: Scan) -> Iterator[str]:
    """Yield what is known of the scan, but for contrast medium."""
    machine = " ".join(one for one in (scan.vendor, scan.model) if one)
    if machine:
        yield machine
    if scan.acquired_on is not None:
        yield day(scan.acquired_on)
    if scan.voltage_kv is not None:
        yield _("%(voltage)s kV", voltage=number(scan.voltage_kv))
    else:
        yield _("tube voltage not stated")
    if scan.kernel is not None:
        yield _("kernel %(name)s", name=scan.kernel)
    if scan.thickness_mm is not None:
        yield _("slices of %(thickness)s mm", thickness=number(scan.thickness_mm, 1))
