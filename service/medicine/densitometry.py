"""What a T-score or Z-score says, and of whom: the limits that pages, reports and rules share.

Ranges after the World Health Organization, applied as the International Society for Clinical
Densitometry does. Scores are taken as the scanner reports them, with one decimal; none is computed
here, since each scanner has its own reference data.
"""

from __future__ import annotations

from typing import Final, Literal

Range = Literal["osteoporosis", "low_mass", "normal"]

OSTEOPOROSIS: Final = -2.5
"""T-scores of −2.5 and lower (WHO)."""

LOW_MASS: Final = -1.0
"""Between this and −2.5: low bone mass; normal at −1.0 and higher (WHO)."""

BELOW_FOR_AGE: Final = -2.0
"""Z-scores of −2.0 and lower are below the expected range for age (ISCD)."""

MEN_FROM: Final = 50
"""Age in years from which T-scores apply to men; to women they do after menopause (ISCD)."""

LEAST_VERTEBRAE: Final = 2
"""With fewer, the spine serves neither diagnosis nor monitoring (ISCD)."""

SCORE_RANGE: Final = (-6.0, 6.0)
"""What is plausible as a T- or Z-score; anything else is taken for a slip of the keyboard."""


def range_of(t_score: float) -> Range:
    if t_score <= OSTEOPOROSIS:
        return "osteoporosis"
    return "low_mass" if t_score < LOW_MASS else "normal"
