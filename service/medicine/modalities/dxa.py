"""Voices of DXA: the densitometer's T-score, and what the models say of its image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.medicine.densitometry import LEAST_VERTEBRAE, Range, Sex, applies, range_of
from service.medicine.modalities.voice import Reading, Voice
from service.types import Outcome

_T_SCORES: Final[Mapping[Range, Reading]] = {
    "osteoporosis": "low", "low_mass": "between", "normal": "not_low",
}  # fmt: skip
_OUTCOMES: Final[Mapping[Outcome, Reading]] = {
    "osteoporosis": "low", "indeterminate": "between", "normal": "not_low",
}  # fmt: skip


def t_score(
    score: float | None, *, sex: Sex | None, age: int | None, vertebrae: int | None
) -> Voice:
    """Return the word of the spine's T-score, as :func:`densitometry.applies` lets it be read.

    ``vertebrae`` is how many of them it is of, None where that is not known.
    """
    if score is None:
        return Voice(source="t_score")
    if vertebrae is not None and vertebrae < LEAST_VERTEBRAE:
        return Voice(source="t_score", present=True, against=("single_vertebra",))
    read = applies(sex, age, None)
    if read.score == "z":
        return Voice(source="t_score", present=True, against=("t_score_does_not_apply",))
    return Voice(
        source="t_score",
        present=True,
        reading=_T_SCORES[range_of(score)],
        notes=() if read.score == "t" else ("t_score_may_not_apply",),
    )


def image(outcome: Outcome) -> Voice:
    """Return the word of the image's models; a refused image has none."""
    if outcome == "refused":
        return Voice(source="image", present=True, against=("image_refused",))
    return Voice(source="image", present=True, reading=_OUTCOMES[outcome])
