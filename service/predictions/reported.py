"""The T-score that a scanner reports and whose it is, beside what the models say of its image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from service.exams.schemas import Exam
from service.language.formats import listing, number
from service.language.locale import N_, _
from service.medicine.densitometry import LEAST_VERTEBRAE, Range, applies, range_of
from service.types import Outcome

RANGES: Final[Mapping[Range, str]] = {
    "osteoporosis": N_("in the range of osteoporosis (−2.5 or lower)"),
    "low_mass": N_("in the range of low bone mass (between −2.5 and −1.0)"),
    "normal": N_("in the normal range (−1.0 or higher)"),
}

INTENDED_FROM: Final = 50
"""Years of age from which the models are meant for women and men alike; before, for women after
menopause (``service.web.labels.INTENDED``)."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """``range`` says in which class the score lies, or why it lies in none."""

    value: str
    range: str
    differs: bool
    measured: str = ""
    """What the scanner itself has told, where another value is kept."""

    @classmethod
    def of(cls, exam: Exam | None, outcome: Outcome) -> Reported | None:
        """By the same rule as considerations for treatment: :func:`densitometry.applies`."""
        if exam is None or exam.t_score is None:
            return None
        return replace(cls._read(exam, exam.t_score, outcome), measured=_measured(exam))

    @classmethod
    def _read(cls, exam: Exam, t_score: float, outcome: Outcome) -> Reported:
        value = number(t_score, 1, signed=True)
        # As the rules of treatment have it: such a score is no ground for a range.
        if exam.vertebrae is not None and len(exam.vertebrae) < LEAST_VERTEBRAE:
            said = _("of a single vertebra, which is not used for diagnosis")
            return cls(value=value, range=said, differs=False)
        read = applies(exam.sex, exam.age_years, None)
        if read.score == "z":
            return cls(value=value, range=_not_classed(exam), differs=False)
        found = range_of(t_score)
        said = _(RANGES[found])
        if read.score is None:
            said = _(
                "%(range)s if it is of a woman after menopause or a man of 50 and over, which is "
                "not known here; in others the Z-score is read",
                range=said,
            )
        elif read.assumed:
            said = _("%(range)s; after menopause is assumed from the age", range=said)
        judged = outcome in ("osteoporosis", "normal")
        differs = judged and (found == "osteoporosis") != (outcome == "osteoporosis")
        return cls(value=value, range=said, differs=differs)


def _measured(exam: Exam) -> str:
    told = [one.measured for one in exam.conflicts if one.field == "t_score"]
    return listing(number(one, 1, signed=True) for one in told)


def _not_classed(exam: Exam) -> str:
    if exam.sex == "male":
        return _("in a man under 50, for whom the Z-score is read and no class by T-score")
    return _(
        "in somebody taken from the age to be before menopause, or a man under 50: the Z-score is "
        "read and no class by T-score"
    )


def outside_intended_use(exam: Exam | None) -> str:
    """Return that this person is, or may be, none whom the models are meant for; empty: no such
    thing is known."""
    if exam is None or exam.age_years is None or exam.age_years >= INTENDED_FROM:
        return ""
    read = applies(exam.sex, exam.age_years, None)
    if read.score is None:
        return _(
            "Perhaps outside the intended use: under 50 the models are meant for women after "
            "menopause alone, and whether that holds is not known here."
        )
    assumed = "" if exam.sex == "male" else _("Before menopause is assumed from the age.")
    said = _(
        "Outside the intended use: the models are meant for adults of 50 and over, and for women "
        "after menopause. What they say here has not been tried on people like this one."
    )
    return f"{said} {assumed}".strip()
