"""What people entered of other modalities, as messages pass it on: numbers, whose, and by what.

No reading goes along: limits are a site's, and none of them gives a class. A device's own index is
passed on; one that follows by a formula is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from service.exams.densitometer import concepts
from service.integration.compose.source import Judged
from service.medicine.modalities.codes import (
    ATTENUATION,
    BUA,
    OURS,
    QUI,
    SOS,
    STIFFNESS_INDEX,
    Code,
)
from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.entered import Entered, Entry, Kept
from service.medicine.modalities.ultrasound.schemas import Device, Ultrasound

CALCANEUS: Final = ("80144004", "Calcaneus")
"""SNOMED's code of the heel's bone, with its meaning."""
SPREAD: Final = Code("CT_SD", OURS, "Standard deviation of the region's pixels", "[hnsf'U]")
VOLTAGE: Final = Code("CT_KV", OURS, "Tube voltage", "kV")
CONTRAST: Final = ("CT_CONTRAST", "Contrast medium")
_CONTRASTS: Final = {
    "given": ("GIVEN", "Given"),
    "none": ("NONE", "None given"),
    "unknown": ("UNKNOWN", "Not stated"),
}
_ORIGINS: Final[dict[Kept, tuple[str, str]]] = {
    "ct": ("READ", "Read from CT in a region that a person placed"),
    "ultrasound": ("ENTERED", "Entered by a person"),
}
_DEVICES: Final[dict[Device, str]] = {
    "achilles": "GE Lunar Achilles", "sahara": "Hologic Sahara", "other": "",
}  # fmt: skip
_CAUTION: Final = (
    "No number of osteoserve's models, and no class of the WHO's follows from it. Research use "
    "only."
)


@dataclass(frozen=True, kw_only=True)
class Number:
    code: Code
    value: float


@dataclass(frozen=True, kw_only=True)
class Told:
    """One modality's measurement of an exam.

    ``whose`` says who entered it and by what, ``beside`` are numbers that go with each of
    ``numbers``, ``coded`` are names with values of our scheme.
    """

    modality: Kept
    image: str
    """SOP Instance UID of the first image of its exam."""
    name: str
    numbers: tuple[Number, ...]
    beside: tuple[Number, ...]
    coded: tuple[tuple[tuple[str, str], tuple[str, str]], ...]
    site: tuple[str, str]
    side: tuple[str, str] | None
    """Both by SNOMED's codes, with their meanings."""
    method: str
    device: str
    on: date | None
    entry: Entry | None

    @property
    def by(self) -> str | None:
        return None if self.entry is None else self.entry.by

    @property
    def origin(self) -> tuple[str, str]:
        """Where its numbers are from, by a code of ours."""
        return _ORIGINS[self.modality]

    @property
    def whose(self) -> str:
        """What stands beside every number."""
        entry = self.entry
        who = "" if entry is None or entry.by is None else f" by {entry.by}"
        when = "" if entry is None else f" on {entry.at:%Y-%m-%d}"
        return f"Entered{who}{when}, measured by {self.device or 'an unnamed device'}. {_CAUTION}"

    @property
    def sentence(self) -> str:
        """All of its numbers in words, with what stands beside them."""
        return f"{self.name}: {', '.join(written(one) for one in self.numbers)}. {self.whose}"


def written(number: Number) -> str:
    """Return a number with its name and unit."""
    unit = {"1": "", "[hnsf'U]": " HU"}.get(number.code.unit, f" {number.code.unit}")
    return f"{number.code.meaning} {number.value:.1f}{unit}"


def entered(parts: Sequence[Judged]) -> tuple[Told, ...]:
    """Return what was entered of the study whose images ``parts`` are; once for images of which
    the same was."""
    found: dict[Entered, str] = {}
    for one in parts:
        if one.exam is not None and not one.exam.modalities.empty:
            found.setdefault(one.exam.modalities, str(one.source.SOPInstanceUID))
    return tuple(told for kept, image in found.items() for told in _told(kept, image))


def _told(kept: Entered, image: str) -> Iterator[Told]:
    if kept.ct is not None:
        yield _ct(kept.ct, kept.ct_entry, image)
    if kept.ultrasound is not None:
        yield _ultrasound(kept.ultrasound, kept.ultrasound_entry, image)


def _ct(measured: Attenuation, entry: Entry | None, image: str) -> Told:
    scan, voltage = measured.scan, measured.scan.voltage_kv
    beside = [Number(code=SPREAD, value=measured.sd_hu)]
    if voltage is not None:
        beside.append(Number(code=VOLTAGE, value=voltage))
    return Told(
        modality="ct",
        image=image,
        name="CT of L1",
        numbers=(Number(code=ATTENUATION, value=measured.mean_hu),),
        beside=tuple(beside),
        coded=((CONTRAST, _CONTRASTS[measured.contrast]),),
        site=(concepts.SNOMED_SITES["L1"], "L1"),
        side=None,
        method="CT: mean of a region that a reader placed in the trabecular body of L1",
        device=" ".join(one for one in (scan.vendor, scan.model) if one),
        on=scan.acquired_on,
        entry=entry,
    )


def _ultrasound(measured: Ultrasound, entry: Entry | None, image: str) -> Told:
    values = (
        (SOS, measured.sos_m_s),
        (BUA, measured.bua_db_mhz),
        (STIFFNESS_INDEX, measured.stiffness_index),
        (QUI, measured.qui),
    )
    side = measured.side
    named = (_DEVICES[measured.device], measured.model, measured.serial)
    return Told(
        modality="ultrasound",
        image=image,
        name="Ultrasound of the heel",
        numbers=tuple(
            Number(code=code, value=value) for code, value in values if value is not None
        ),
        beside=(),
        coded=(),
        site=CALCANEUS,
        side=None if side is None else (concepts.SNOMED_SIDES[side], side.capitalize()),
        method="Quantitative ultrasound of the heel, as entered",
        device=" ".join(one for one in named if one),
        on=measured.measured_on,
        entry=entry,
    )
