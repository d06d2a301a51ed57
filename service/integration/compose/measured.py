"""What scanners measured of a study, as messages pass it on: the scanners' word, never ours.

A region is told once a study, by the last object that told of it. What another object says of it,
or a person has entered, stands beside it in words; the number stays the scanner's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.exams.densitometer import concepts
from service.exams.measurements import (
    GROUP,
    QUANTITIES,
    REGIONS,
    SPINE,
    Measured,
    Measurement,
    Quantity,
    Region,
    by_place,
    differences,
)
from service.exams.regions import otherwise
from service.exams.schemas import Exam
from service.integration.compose.source import Judged

VERTEBRA: Final = ("VERTEBRA", "Vertebra that the number is of")
"""By our scheme, with its meaning."""
GRAMS: Final = "g/cm2"
"""UCUM's unit of BMD; scores have none."""
_QUANTITIES: Final[dict[Quantity, tuple[str, str]]] = {
    "bmd_g_cm2": ("BMD", "BMD"),
    "t_score": ("T_SCORE", "T-score"),
    "z_score": ("Z_SCORE", "Z-score"),
}
_REGIONS: Final[dict[Region, tuple[str, str]]] = {
    "L1": ("L1", "L1"),
    "L2": ("L2", "L2"),
    "L3": ("L3", "L3"),
    "L4": ("L4", "L4"),
    "lumbar_spine": ("LS", "Lumbar spine"),
    "femoral_neck": ("FN", "Femoral neck"),
    "total_hip": ("TH", "Total hip"),
    "one_third_radius": ("R33", "One-third radius"),
}
"""What regions are called in codes of ours, of which DICOM leaves 16 letters, and in words."""
_FIELDS: Final[dict[str, str]] = {
    **{quantity: meaning for quantity, (_, meaning) in _QUANTITIES.items()},
    "vertebrae": "vertebrae",
    "scanner": "scanner",
}


@dataclass(frozen=True, kw_only=True)
class Number:
    quantity: Quantity
    value: float
    code: tuple[str, str]
    """Of ours, with its meaning, that says whose number it is."""
    loinc: str | None
    """None where no code of LOINC's names the region."""

    @property
    def written(self) -> str:
        """The value with the decimals of a printed report."""
        return f"{self.value:.{3 if self.quantity == 'bmd_g_cm2' else 1}f}"

    @property
    def unit(self) -> str:
        return GRAMS if self.quantity == "bmd_g_cm2" else "1"

    @property
    def said(self) -> str:
        return _said(self.quantity, self.value)


@dataclass(frozen=True, kw_only=True)
class Site:
    """What one object tells of a region, and what stands beside it."""

    report: Measured
    measurement: Measurement
    beside: tuple[str, ...] = ()
    """Sentences on what is said otherwise."""

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from a study's other regions, the same for every result."""
        one = self.measurement
        return one.region, "+".join(one.vertebrae or ()), one.side or ""

    @property
    def code(self) -> tuple[str, str]:
        return _REGIONS[self.measurement.region][0], self.name

    @property
    def snomed(self) -> str | None:
        return concepts.SNOMED_SITES.get(self.measurement.region)

    @property
    def side(self) -> tuple[str, str] | None:
        """SNOMED's code of the side, with its meaning."""
        side = self.measurement.side
        return None if side is None else (concepts.SNOMED_SIDES[side], side.capitalize())

    @property
    def vertebrae(self) -> tuple[tuple[str, str], ...]:
        """Those of the spine that its numbers are of, by SNOMED's codes; none where untold."""
        levels = self.measurement.vertebrae if self.measurement.region == SPINE else None
        return tuple((concepts.SNOMED_SITES[one], one) for one in levels or ())

    @property
    def name(self) -> str:
        one = self.measurement
        levels = ", ".join(level for _, level in self.vertebrae)
        said = (_REGIONS[one.region][1], f"({levels})" if levels else "", one.side or "")
        return " ".join(part for part in said if part)

    @property
    def numbers(self) -> tuple[Number, ...]:
        one = self.measurement
        place = "_".join((_REGIONS[one.region][0], *([one.side.upper()] if one.side else [])))
        return tuple(
            Number(
                quantity=name,
                value=value,
                code=(
                    f"{place}_{_QUANTITIES[name][0]}",
                    f"{self.name}, {_QUANTITIES[name][1]} by the scanner",
                ),
                loinc=concepts.loinc(name, one.region, one.side),
            )
            for name in QUANTITIES
            if (value := getattr(one, name)) is not None
        )

    @property
    def machine(self) -> str:
        scanner = self.report.scanner
        return "of unknown make" if scanner is None else f"{scanner.vendor} {scanner.serial}"

    @property
    def whose(self) -> str:
        """What stands beside every number: whose it is, and what differs from it."""
        said = (
            f"Measured by the scanner {self.machine} and passed on as its {self.report.source} "
            "says: no number of osteoserve's models, and reviewed by nobody here. "
            "Research use only."
        )
        return " ".join((said, *self.beside))

    @property
    def sentence(self) -> str:
        """All of its numbers in words, with what stands beside them."""
        return f"{self.name}: {', '.join(one.said for one in self.numbers)}. {self.whose}"


def sites(parts: Sequence[Judged]) -> tuple[Site, ...]:
    """Return what was measured of the study whose images ``parts`` are, region by region."""
    exams = [one.exam for one in parts if one.exam is not None]
    reports = dict.fromkeys(report for exam in exams for report in exam.measured)
    found = [
        Site(
            report=told[-1][0],
            measurement=told[-1][1],
            beside=tuple(dict.fromkeys((*_elsewhere(told), *_kept(exams, *told[-1])))),
        )
        for told in by_place(reports).values()
    ]
    return tuple(sorted((one for one in found if one.numbers), key=_order))


def _order(site: Site) -> tuple[int, str, int, str]:
    _region, levels, side = site.key
    return REGIONS.index(site.measurement.region), side, -len(levels), levels


def _elsewhere(told: Sequence[tuple[Measured, Measurement]]) -> Iterator[str]:
    *others, (_, last) = told
    for _, one in others:
        for name in QUANTITIES:
            value = getattr(one, name)
            if value is not None and value != getattr(last, name):
                yield f"Another object of the study says {_said(name, value)}."


def _kept(exams: Sequence[Exam], report: Measured, measurement: Measurement) -> Iterator[str]:
    """Yield what is kept of the exam otherwise: facts of the spine, and what somebody entered."""
    alone = report.model_copy(update={"values": (measurement,)})
    for exam in exams:
        if report not in exam.measured:
            continue
        found = [*otherwise(exam.regions, [alone])]
        if report.spine == measurement:
            kept = {name: getattr(exam, name) for name in (*GROUP, "z_score", "scanner")}
            found += differences(kept, [report])
        for one in found:
            name = _FIELDS[one.field.rpartition(".")[2]]
            yield f"Kept of the exam is another {name}: {_plain(one.kept)}."


def _said(quantity: Quantity, value: float) -> str:
    if quantity == "bmd_g_cm2":
        return f"BMD {value:.3f} {GRAMS}"
    return f"{_QUANTITIES[quantity][1]} {value:.1f}"


def _plain(kept: Any) -> str:
    if isinstance(kept, dict):
        return f"{kept['vendor']} {kept['serial']}"
    return ", ".join(kept) if isinstance(kept, list) else str(kept)
