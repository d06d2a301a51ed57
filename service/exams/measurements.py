"""Value objects of what a densitometer measured, and what is asked of several of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, Field

from service.exams.parts import Part, Scanner, Short, Vertebra

Region = Literal[
    "L1", "L2", "L3", "L4", "lumbar_spine", "femoral_neck", "total_hip", "one_third_radius"
]
Side = Literal["left", "right"]
Quantity = Literal["bmd_g_cm2", "t_score", "z_score"]
Reason = Literal["ambiguous", "negative", "not_a_number", "range", "unit"]

REGIONS: Final[tuple[Region, ...]] = get_args(Region)
QUANTITIES: Final[tuple[Quantity, ...]] = get_args(Quantity)
SPINE: Final[Region] = "lumbar_spine"

MOST_BMD: Final = 3.0
"""g/cm²: no region of anybody has so much; more is in another unit."""
MOST_REPORTS: Final = 16
"""Of an exam: a study of spine, both hips and forearm has four or five."""


class Measurement(Part):
    """What was measured of one region."""

    region: Region
    vertebrae: tuple[Vertebra, ...] | None = Field(
        None, description="Those that the spine's numbers are of; null where that is not told."
    )
    side: Side | None = None
    bmd_g_cm2: float | None = Field(None, examples=[0.873])
    t_score: float | None = Field(None, examples=[-1.8])
    z_score: float | None = Field(None, examples=[-0.4])


class LeftOut(Part):
    """A number that was told and not taken."""

    region: Region
    side: Side | None = None
    quantity: Quantity
    reason: Reason


class Measured(Part):
    """One object's word: a structured report, or an image with the vendor's private table."""

    source: Annotated[str, Field(max_length=32)] = Field(
        description="The kind of object that it was read from.", examples=["Enhanced SR"]
    )
    scanner: Scanner | None = Field(None, description="The machine that measured.")
    model: Short | None = None
    acquired_on: str | None = Field(None, description="The day of the scan, as the object says.")
    values: tuple[Measurement, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def spine(self) -> Measurement | None:
        """What is taken as the exam's own: the lumbar spine's; None where it is told several ways.

        A report may have L1-L4 beside a selection: which of them counts a person decides.
        """
        found = [one for one in self.values if one.region == SPINE and one.bmd_g_cm2 is not None]
        return found[0] if len(found) == 1 else None


class Conflict(Part):
    """A fact that is kept otherwise than a scanner measured it."""

    field: str
    kept: Any
    measured: Any


GROUP: Final = ("bmd_g_cm2", "vertebrae", "t_score")
"""Facts that say one thing of the spine: all of them are a machine's, or none is."""


def facts(report: Measured) -> dict[str, Any]:
    spine = report.spine
    if spine is None:
        return {}
    found = {"bmd_g_cm2": spine.bmd_g_cm2, "vertebrae": spine.vertebrae, "t_score": spine.t_score}
    return {name: it for name, it in found.items() if it is not None}


def differences(kept: Mapping[str, Any], reports: Iterable[Measured]) -> Iterator[Conflict]:
    """Yield what is kept otherwise than measured, and where reports say two things."""
    seen: set[tuple[str, str]] = set()
    for report in reports:
        told = dict(facts(report))
        if report.spine is not None and report.spine.z_score is not None:
            told["z_score"] = report.spine.z_score
        if report.scanner is not None and told:
            told["scanner"] = report.scanner
        for name, measured in told.items():
            has = kept.get(name)
            same = has == measured
            if name == "scanner" and has is not None:
                same = has.identity == measured.identity
            if has is not None and not same and (name, repr(measured)) not in seen:
                seen.add((name, repr(measured)))
                yield Conflict(field=name, kept=_plain(has), measured=_plain(measured))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple) else value


Place = tuple[Region, tuple[Vertebra, ...] | None, Side | None]
"""What numbers are of: a region, those of its vertebrae that were told, and a side."""


def by_place(reports: Iterable[Measured]) -> dict[Place, list[tuple[Measured, Measurement]]]:
    """Return all that was told of each region, with who told it, the last one last."""
    found: dict[Place, list[tuple[Measured, Measurement]]] = {}
    for report in reports:
        for one in report.values:
            found.setdefault((one.region, one.vertebrae, one.side), []).append((report, one))
    return found


def latest(reports: Iterable[Measured]) -> dict[Place, Measurement]:
    """Return each region's numbers, of several reports' those of the last."""
    return {place: told[-1][1] for place, told in by_place(reports).items()}
