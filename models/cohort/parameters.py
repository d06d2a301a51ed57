"""What simulated patients are drawn from: published figures, and what differs between cohorts.

Every number has its source in docs/domain.md §6: *seen* there, or *convention*, ours with its
reason. All rates are of the lumbar spine, shares a year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models.progression.visit import DrugClass, Sex

BMD: Final[Mapping[Sex, tuple[tuple[float, float, float], ...]]] = {
    "female": (
        (25.5, 1.064, 0.106), (35.5, 1.065, 0.110), (45.5, 1.056, 0.134), (55.5, 0.993, 0.141),
        (65.5, 0.952, 0.142), (75.5, 0.902, 0.167),
    ),
    "male": (
        (25.5, 1.057, 0.110), (35.5, 1.042, 0.117), (45.5, 1.051, 0.129), (55.5, 1.053, 0.143),
        (65.5, 1.070, 0.142), (75.5, 1.068, 0.177),
    ),
}  # fmt: skip
"""Age, mean and standard deviation in g/cm² of L1–L4, NHANES, Hologic (§6.1)."""

MAKERS: Final[Mapping[str, float]] = {"Hologic": 1.0, "GE Lunar": 1.127}
"""What the same bone reads with each maker's scanners, against Hologic's (§1.2)."""

REFERENCE: Final[Mapping[tuple[str, Sex], tuple[float, float]]] = {
    ("Hologic", "female"): (1.047, 0.110), ("Hologic", "male"): (1.091, 0.110),
    ("GE Lunar", "female"): (1.18, 0.12), ("GE Lunar", "male"): (1.22, 0.12),
}  # fmt: skip
"""Mean and standard deviation of young adults, L1–L4 (§1.2)."""

BEFORE_MENOPAUSE: Final = -0.002
"""Until two years before the final menstrual period (§6.1: before 50 years)."""
APPROACHING: Final = -0.017
"""In the year from two years before it (§6.1, Michigan)."""
AROUND: Final = -0.0738 / 3
"""From one year before it to two after (§6.1, SWAN)."""
AFTER: Final = -0.011
"""From the second to the seventh year after it (§6.1, Michigan)."""
LATE: Final = -0.008
"""Later: the middle of 0.6 to 1.0 % (§6.1)."""
MEN: Final = (-0.002, -0.004)
"""Before and from 50 (§6.1: convention; spine BMD of men hides loss behind degeneration)."""

MENOPAUSE: Final = (50.0, 3.0)
"""Age at the final menstrual period, mean and standard deviation (§1.1, §6.1)."""

DEGENERATION: Final = (60.0, 12.0)
"""Age at which it begins: 35 % have it at 55 and 80 % at 70 years (§6.1)."""
MOST_DEGENERATION: Final = 0.14
"""By which osteophytes raise BMD at most (§1.6)."""

KILOGRAM: Final = 0.004
"""Share of BMD a kilogram of weight (§6.1: half of what it is between people)."""


@dataclass(frozen=True)
class Effect:
    """Gain over the start: ``fast`` × (1 − exp(−years / ``onset``)) + ``yearly`` × years.

    ``lost`` of it goes when no drug follows, two thirds of that within ``onset_of_loss`` years.
    """

    fast: float
    onset: float
    yearly: float
    lost: float
    onset_of_loss: float = 0.8


EFFECTS: Final[Mapping[DrugClass, Effect]] = {
    "bisphosphonate": Effect(fast=0.045, onset=0.8, yearly=0.009, lost=0.0),
    "denosumab": Effect(fast=0.045, onset=0.7, yearly=0.0184, lost=0.8),
    "parathyroid": Effect(fast=0.075, onset=0.8, yearly=0.019, lost=0.6),
    "romosozumab": Effect(fast=0.140, onset=0.35, yearly=0.0, lost=0.6),
}
"""As trials report them against the start, hence with natural loss in them (§6.2)."""

AFTER_ANOTHER: Final = 0.72
"""Of romosozumab's effect is left after an antiresorptive: 9.8 for 13.7 % (§6.2)."""

RETAINED: Final = 0.25
"""Of natural loss goes on for years after a bisphosphonate (§6.2)."""

NO_RESPONSE: Final = 0.167
"""Share of people whose BMD a drug does not raise (§6.2: 16.7 % of 78 on teriparatide)."""

INVALID: Final[Mapping[str, float]] = {"L1": 0.049, "L2": 0.044, "L3": 0.062, "L4": 0.079}
"""Share of vertebrae that are not valid, NHANES 2007–08 (§6.3)."""

FEWER: Final = {4: 1.0, 3: 1.07, 2: 1.24}
"""Times the precision with fewer vertebrae (§1.3, Manitoba)."""


@dataclass(frozen=True, kw_only=True)
class Nuisance:
    """What may be otherwise from one clinic to the next, and is of no interest itself (§6.3).

    Pairs are the ends of a range from which a facility or a patient draws evenly.
    """

    precision: tuple[float, float] = (0.008, 0.011)
    """The facility's, g/cm²: what Nelson 2010 observed."""
    habitus: float = 0.15
    """Spread of people's own precision about it, as a logarithm."""
    interval: tuple[float, float] = (1.0, 2.0)
    """Years between visits."""
    visits: tuple[int, int] = (4, 10)
    men: float = 0.2
    ages: tuple[float, float] = (48.0, 78.0)
    """At the first visit."""
    treated: float = 0.55
    """Share of people who begin a drug at some time."""
    stopped: float = 0.08
    """Share of those on a drug who stop it, a year."""
    another_machine: float = 0.04
    """Share of visits from which on another machine is used."""
    offset: tuple[float, float] = (0.01, 0.03)
    """By which two machines differ, up or down."""
    slope: float = 0.005
    """Standard deviation of people's own yearly change."""
    wandering: float = 0.004
    """What a year adds to a person's change that nothing explains, as a standard deviation."""
    response: float = 0.3
    """Standard deviation of the effect among those who respond, as a share."""
    kilograms: float = 0.5
    """Standard deviation of people's own yearly change of weight."""


TRAINING: Final = Nuisance()

CALIBRATING: Final = Nuisance(
    precision=(0.0075, 0.012),
    habitus=0.18,
    interval=(0.9, 2.3),
    visits=(4, 10),
    men=0.25,
    ages=(46.0, 80.0),
    treated=0.6,
    stopped=0.10,
    another_machine=0.055,
    offset=(0.01, 0.035),
    slope=0.0055,
    wandering=0.0045,
    response=0.33,
    kilograms=0.65,
)
"""Wider than those learnt from: intervals are widened on these, so as to hold elsewhere too."""

HELD_OUT: Final = Nuisance(
    precision=(0.007, 0.013),
    habitus=0.2,
    interval=(0.8, 2.6),
    visits=(4, 9),
    men=0.3,
    ages=(45.0, 82.0),
    treated=0.65,
    stopped=0.12,
    another_machine=0.07,
    offset=(0.01, 0.04),
    slope=0.0055,
    wandering=0.0045,
    response=0.35,
    kilograms=0.8,
)
"""Other ranges, with which models are judged and never fitted."""
