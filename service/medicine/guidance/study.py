"""From the facts that were entered about a study to those that considerations ask for.

Nothing of the image goes this way: no probability, no outcome, no finding.
"""

from __future__ import annotations

from service.exams.schemas import ExamFacts


def fields_of(exam: ExamFacts) -> dict[str, str]:
    """Return what is known of a study as fields of the form of considerations."""
    known = {
        "age": exam.age_years,
        "sex": exam.sex,
        "t_scores.lumbar_spine": exam.t_score,
        "evaluable_vertebrae": None if exam.vertebrae is None else len(exam.vertebrae),
    }
    return {name: str(value) for name, value in known.items() if value is not None}
