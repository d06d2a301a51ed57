"""What contradicts a T-score is said with its source, and only where a T-score is classed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from service.exams.measurements import Measured, Measurement
from service.exams.schemas import Exam
from service.medicine.vertebrae.schemas import Finding
from service.predictions.answers import ANSWER_EXAMPLE, PredictionAnswer
from service.predictions.conflicts import conflicts, contradictions
from service.predictions.schemas import EXAMPLE, Prediction

DENSE = Finding(code="denser_than_neighbours", level="L3", value=1.4, rule="1.25 times or more")


def prediction(curve: float = 0.0, *findings: Finding) -> Prediction:
    found = Prediction.model_validate(EXAMPLE)
    assert found.vertebrae is not None
    interval = (max(0.0, curve - 2.7), curve + 2.7)
    vertebrae = found.vertebrae.model_copy(
        update={"curve": curve, "curve_interval": interval, "findings": findings}
    )
    return found.model_copy(update={"vertebrae": vertebrae})


def exam(t_score: float | None = 0.2, hip: float | None = None, **facts: Any) -> Exam:
    hips = () if hip is None else (Measurement(region="total_hip", side="left", t_score=hip),)
    measured = (Measured(source="Enhanced SR", values=hips),)
    told: dict[str, Any] = {"sex": "female", "age_years": 70, "t_score": t_score, **facts}
    return Exam(prediction_id=UUID(EXAMPLE["id"]), measured=measured, **told)


def said(known: Exam | None, judged: Prediction) -> list[str]:
    found = conflicts(known, judged)
    assert all(one.source for one in found)
    return [one.text for one in found]


def test_a_curve_a_dense_vertebra_and_the_hip_stand_side_by_side() -> None:
    curve, dense, hip = said(exam(hip=-2.6), prediction(14.0, DENSE))
    assert "14.0° (11.3° to 16.7°)" in curve
    assert "Cobb" not in curve
    assert dense.startswith("L3: far denser")
    assert "−2.6, is in the range of osteoporosis" in hip


@pytest.mark.parametrize(
    ("known", "judged"),
    [
        (None, prediction(14.0, DENSE)),
        (exam(None), prediction(14.0, DENSE)),
        (exam(-2.5, hip=-2.6), prediction(14.0, DENSE)),
        (exam(vertebrae=("L3",), hip=-2.6), prediction(14.0, DENSE)),
        (exam(age_years=30, hip=-2.6), prediction(14.0, DENSE)),
        (exam(hip=-2.4), prediction(11.0)),
    ],
    ids=["no exam", "no score", "low already", "one vertebra", "Z-score", "uncertain curve"],
)
def test_there_is_none_where_nothing_is_contradicted(
    known: Exam | None, judged: Prediction
) -> None:
    assert said(known, judged) == []


def test_programs_are_told_the_models_word_among_the_rest_in_english() -> None:
    judged = prediction(14.0, DENSE)
    found = contradictions(exam(hip=-2.6), judged)
    assert [one.code for one in found] == ["models_differ", "curve", "denser_vertebra", "lower_hip"]
    assert [one.levels for one in found] == [(), (), ("L3",), ()]
    assert found[1:] == conflicts(exam(hip=-2.6), judged)
    agreed = judged.model_copy(update={"outcome": "normal"})
    assert contradictions(exam(-2.6), judged) == ()
    assert [one.code for one in contradictions(exam(-2.6), agreed)] == ["models_differ"]
    assert contradictions(None, judged) == ()


def test_the_documented_answer_is_one() -> None:
    answer = PredictionAnswer.model_validate(ANSWER_EXAMPLE)
    assert answer.document() == ANSWER_EXAMPLE
    assert {name: it for name, it in ANSWER_EXAMPLE.items() if name != "conflicts"} == EXAMPLE
    assert [one.code for one in answer.conflicts or ()] == ["models_differ", "denser_vertebra"]
