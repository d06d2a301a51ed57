"""From the facts that were entered about a study to those that considerations ask for.

Nothing of the image goes this way: no probability, no outcome, no finding.
"""

from __future__ import annotations

from service.exams.parts import SIDED
from service.exams.regions import lowest
from service.exams.schemas import Exam


def fields_of(exam: Exam) -> dict[str, str]:
    """Return what is known of a study as fields of the form of considerations.

    What a scanner measured is as good as entered; where a person has entered otherwise, that is
    taken.
    """
    spine = next((one.spine for one in reversed(exam.measured) if one.spine is not None), None)
    z_score = None if spine is None else spine.z_score
    known = {
        "age": exam.age_years,
        "sex": exam.sex,
        **{
            f"{score}s.{site}": lowest(exam.measured, exam.regions, site, score)
            for site in SIDED
            for score in ("t_score", "z_score")
        },
        "t_scores.lumbar_spine": exam.t_score,
        "z_scores.lumbar_spine": z_score if exam.z_score is None else exam.z_score,
        "evaluable_vertebrae": None if exam.vertebrae is None else len(exam.vertebrae),
    }
    return {name: str(value) for name, value in known.items() if value is not None}
