"""From the facts that were entered about a study to those that considerations ask for.

Nothing of the image goes this way: no probability, no outcome, no finding.
"""

from __future__ import annotations

from typing import Final

from service.exams.measurements import Region, lowest
from service.exams.schemas import Exam

_SITES: Final[tuple[Region, ...]] = ("total_hip", "femoral_neck", "one_third_radius")


def fields_of(exam: Exam) -> dict[str, str]:
    """Return what is known of a study as fields of the form of considerations.

    What a scanner measured of other regions is as good as entered; of the spine's T-score the
    exam's own is taken, which a person may have entered otherwise.
    """
    spine = next((one.spine for one in reversed(exam.measured) if one.spine is not None), None)
    known = {
        "age": exam.age_years,
        "sex": exam.sex,
        **{
            f"{score}s.{site}": lowest(exam.measured, site, score)
            for site in _SITES
            for score in ("t_score", "z_score")
        },
        "t_scores.lumbar_spine": exam.t_score,
        "z_scores.lumbar_spine": None if spine is None else spine.z_score,
        "evaluable_vertebrae": None if exam.vertebrae is None else len(exam.vertebrae),
    }
    return {name: str(value) for name, value in known.items() if value is not None}
