"""What ``bone`` measured and what each of it added, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protocol.answers import Measurement
from service.language.formats import number
from service.language.locale import N_, _
from service.medicine.osteoporosis.schemas import Analysis

WORDS: Final[Mapping[str, str]] = {
    "contrast": N_("Bone against soft tissue, share of the grey range"),
    "bone_spread": N_("Unevenness of bone"),
    "bone_low": N_("Darkest tenth of bone"),
    "bone_high": N_("Brightest tenth of bone"),
    "soft_spread": N_("Unevenness of soft tissue"),
    "soft_high": N_("Brightest of soft tissue"),
    "bone_to_noise": N_("Bone above soft tissue, in units of noise"),
    "edge": N_("Sharpness of the bone’s edge"),
    "texture_2": N_("Fine texture of bone"),
    "texture_4": N_("Coarse texture of bone"),
    "soft_texture_2": N_("Fine texture of soft tissue"),
    "soft_texture_4": N_("Coarse texture of soft tissue"),
    "levels_spread": N_("Difference between the vertebrae"),
    "levels_slope": N_("Rise from L1 to L4, a level"),
    "core": N_("Middle of the column above its sides"),
    "between": N_("End plates above the middles of vertebrae"),
}
"""By the names of ``models.vertebrae.measurements``; lengths of grey are in units of what bone
stands above soft tissue."""


@dataclass(frozen=True, kw_only=True)
class MeasurementRow:
    name: str
    value: str
    contribution: str
    towards: str


def rows(analysis: Analysis) -> tuple[MeasurementRow, ...]:
    """Return what ``bone`` weighed, the weightiest first; empty where it did not vote."""
    vote = analysis.models.get("bone")
    return tuple(_row(one) for one in (vote.measurements or ())) if vote else ()


def _row(measured: Measurement) -> MeasurementRow:
    return MeasurementRow(
        # A later version may measure what these pages have no words for.
        name=_(WORDS[measured.name]) if measured.name in WORDS else measured.name,
        value=number(measured.value, 2),
        contribution=number(measured.contribution, 2, signed=True),
        towards="for" if measured.contribution > 0 else "against",
    )
