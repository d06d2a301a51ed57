"""Every number of the phantom that was published, and where; ``[K]`` marks one not yet verified.

A phantom is synthetic. These numbers make it plausible, never clinical evidence.

=====================  ============================================================================
``REFERENCES``         young-adult L1–L4 mean and SD by vendor and sex [K]; the Hologic and the GE
                       Lunar row for women agree through ``to_lunar``
``to_lunar``           standardised BMD equations, Hui 1997 and Lu 2001. For drawing a population
                       only: for one person the conversion errs by 4–7 %
``POPULATION``         NHANES lumbar spine BMD by age band, Hologic scale, PMC12995607 table 3
``RATIOS``             vertebra to mean, Biology Direct 2025 s13062-025-00627-w table 1
``GATES``              ranges seen in NHANES 2007–08 (DXXSPN_E codebook)
``WIDTHS`` …           body and disc sizes in mm, women [K]; ``MALE_EXTRA_WIDTH`` [K]; T9–T12 and
                       L5 continue the trend
``OSTEOPHYTE_MAX``     PubMed 9115160: osteophytes raise BMD by up to 14 %
``FRACTURE_AREA``      less area, same mineral: BMD × 1/0.8 = +25 % (worked case, not a study)
``LAMINECTOMY``        posterior mineral removed: −25 % (worked case, not a study)
``spread``             highest-to-lowest vertebra differs by more than 25 % in none under 46 and in
                       40 % over 75, log-normal (litmetric 1577617); the SDs are fitted to that
=====================  ============================================================================
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from models.types import Label

Sex = Literal["female", "male"]
Vendor = Literal["hologic", "ge"]

VERTEBRAE: Final = ("L1", "L2", "L3", "L4")


class Reference(NamedTuple):
    """Young-adult mean and standard deviation, g/cm²."""

    mean: float
    sd: float


class Band(NamedTuple):
    """One age band of the population, both ends included."""

    youngest: int
    oldest: int
    female: Reference
    male: Reference


Range = tuple[float, float]
"""From and to."""


REFERENCES: Final[dict[tuple[Vendor, Sex], Reference]] = {
    ("hologic", "female"): Reference(1.047, 0.110),
    ("hologic", "male"): Reference(1.091, 0.110),
    ("ge", "female"): Reference(1.18, 0.12),
    ("ge", "male"): Reference(1.22, 0.12),
}
OSTEOPENIA_BELOW: Final = -1.0
OSTEOPOROSIS_UP_TO: Final = -2.5

POPULATION: Final = (
    Band(21, 30, Reference(1.064, 0.106), Reference(1.057, 0.110)),
    Band(31, 40, Reference(1.065, 0.110), Reference(1.042, 0.117)),
    Band(41, 50, Reference(1.056, 0.134), Reference(1.051, 0.129)),
    Band(51, 60, Reference(0.993, 0.141), Reference(1.053, 0.143)),
    Band(61, 70, Reference(0.952, 0.142), Reference(1.070, 0.142)),
    Band(71, 80, Reference(0.902, 0.167), Reference(1.068, 0.177)),
)
RATIOS: Final[dict[Sex, tuple[float, float, float, float]]] = {
    "female": (0.912, 1.011, 1.045, 1.032),
    "male": (0.946, 1.016, 1.024, 1.014),
}

GATES: Final[dict[str, Range]] = {
    "bmd": (0.422, 1.901),
    "bmc": (13.2, 165.0),
    "area": (23.3, 89.8),
    "area_l1": (6.1, 20.5),
    "area_l2": (6.6, 22.5),
    "area_l3": (6.8, 23.5),
    "area_l4": (7.3, 26.0),
}
"""g/cm², g and cm²; without a vertebra's name, of L1–L4 together."""

LEVELS: Final = ("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
WIDTHS: Final = (33.0, 34.5, 36.0, 38.0, 40.0, 42.0, 44.5, 47.0, 50.0)
HEIGHTS: Final = (22.0, 22.5, 23.5, 24.5, 25.5, 26.5, 27.5, 28.0, 27.0)
DISCS: Final = (5.0, 5.5, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 11.0)
"""Height of the disc below each level."""
MALE_EXTRA_WIDTH: Final = 4.0

OSTEOPHYTE_MAX: Final = 0.14
FRACTURE_AREA: Final = 0.80
LAMINECTOMY: Final = -0.25


def spread(age: float) -> float:
    """Return the log-normal SD of one vertebra about its ratio, at ``age`` years."""
    return 0.015 + 0.072 * min(max((age - 45.0) / 35.0, 0.0), 1.0)


def band(age: int) -> Band:
    """Return the population's band of ``age``."""
    for candidate in POPULATION:
        if candidate.youngest <= age <= candidate.oldest:
            return candidate
    youngest, oldest = POPULATION[0].youngest, POPULATION[-1].oldest
    raise ValueError(f"age is {age}; the population table has {youngest} to {oldest}")


def to_lunar(hologic: float) -> float:
    """Return the GE Lunar spine BMD at which a population measures ``hologic`` on Hologic."""
    standardised = 1.0550 * (hologic - 0.972) + 1.0436
    return (standardised - 1.0436) / 0.9683 + 1.100


def t_score(bmd: float, vendor: Vendor, sex: Sex) -> float:
    """Return the T-score of an L1–L4 ``bmd`` by the vendor's own reference."""
    mean, sd = REFERENCES[vendor, sex]
    return (bmd - mean) / sd


def classify(t: float) -> Label:
    """Return the WHO class of the T-score as a scanner prints it, to one decimal."""
    printed = round(t, 1)
    if printed <= OSTEOPOROSIS_UP_TO:
        return "osteoporosis"
    return "osteopenia" if printed < OSTEOPENIA_BELOW else "normal"
