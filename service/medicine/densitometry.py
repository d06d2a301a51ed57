"""What a T-score or Z-score says, and of whom: the limits that pages, reports and rules share.

Ranges after the World Health Organization, applied as the International Society for Clinical
Densitometry does. Scores are taken as the scanner reports them, with one decimal; none is computed
here, since each scanner has its own reference data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Range = Literal["osteoporosis", "low_mass", "normal"]
Sex = Literal["female", "male"]
Menopause = Literal["premenopausal", "postmenopausal"]
Score = Literal["t", "z"]

OSTEOPOROSIS: Final = -2.5
"""T-scores of −2.5 and lower (WHO)."""

LOW_MASS: Final = -1.0
"""Between this and −2.5: low bone mass; normal at −1.0 and higher (WHO)."""

BELOW_FOR_AGE: Final = -2.0
"""Z-scores of −2.0 and lower are below the expected range for age (ISCD)."""

MEN_FROM: Final = 50
"""Age in years from which T-scores apply to men; to women they do after menopause (ISCD)."""

AFTER_MENOPAUSE_FROM: Final = 60
"""Age in years from which a woman of whom nothing else is known is taken to be after menopause."""

BEFORE_MENOPAUSE_UNTIL: Final = 45
"""Age in years below which she is taken to be before it; in between nothing is assumed."""

ADULT_AGES: Final = (18, 120)
"""Years that are taken; children are outside of what this is made for (domain.md §1.1)."""

LEAST_VERTEBRAE: Final = 2
"""With fewer, the spine serves neither diagnosis nor monitoring (ISCD)."""

SCORE_RANGE: Final = (-6.0, 6.0)
"""What is plausible as a T- or Z-score; anything else is taken for a slip of the keyboard."""


def range_of(t_score: float) -> Range:
    if t_score <= OSTEOPOROSIS:
        return "osteoporosis"
    return "low_mass" if t_score < LOW_MASS else "normal"


@dataclass(frozen=True)
class Applies:
    """Which score is read: ``score`` is None where ``missing`` facts would decide.

    ``assumed`` is the menopause that nobody entered and that follows from the age.
    """

    score: Score | None
    assumed: Menopause | None = None
    missing: tuple[str, ...] = ()


def applies(sex: Sex | None, age: int | None, menopause: Menopause | None) -> Applies:
    """Return whether T-scores or Z-scores are read (ISCD; domain.md §1.1).

    T-scores in women after menopause and men of :data:`MEN_FROM` and over, Z-scores in everybody
    else. Where the sex is not known, what both would have in common.
    """
    if sex == "male":
        return _man(age)
    if sex == "female":
        return _woman(age, menopause)
    man, woman = _man(age), _woman(age, menopause)
    if man.score is not None and man.score == woman.score:
        return woman
    return Applies(None, missing=("sex", *woman.missing, *man.missing))


def _man(age: int | None) -> Applies:
    if age is None:
        return Applies(None, missing=("age",))
    return Applies("t" if age >= MEN_FROM else "z")


def _woman(age: int | None, menopause: Menopause | None) -> Applies:
    assumed = assumed_menopause(age) if menopause is None else None
    known = menopause or assumed
    if known is None:
        return Applies(None, missing=("menopause",))
    return Applies("t" if known == "postmenopausal" else "z", assumed)


def assumed_menopause(age: int | None) -> Menopause | None:
    """Return what a woman's age alone says of her menopause; None where it says nothing."""
    if age is None or BEFORE_MENOPAUSE_UNTIL <= age < AFTER_MENOPAUSE_FROM:
        return None
    return "postmenopausal" if age >= AFTER_MENOPAUSE_FROM else "premenopausal"
