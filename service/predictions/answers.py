"""The answer about one image as programs read it: what is stored, and what contradicts it."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from service.exams.schemas import Exam
from service.exams.service import Exams
from service.identity.actor import Actor
from service.language.locale import SOURCE, speaking
from service.predictions.conflicts import Contradiction, contradictions
from service.predictions.schemas import EXAMPLE, Prediction
from service.storage.errors import UnreadableError


class PredictionAnswer(Prediction):
    """One judged image. Research use only: not a diagnosis, not for rule-out."""

    conflicts: tuple[Contradiction, ...] | None = Field(
        None,
        description="What contradicts the T-score that is known of the exam now, side by side: "
        "none outvotes another. Empty where there is nothing, or no T-score that is classed; null "
        "where a newer version entered what is known of the exam. Lists do not have it.",
    )

    @classmethod
    def told(cls, prediction: Prediction, exam: Exam | None) -> PredictionAnswer:
        """Return the answer about ``prediction``, with what ``exam`` says otherwise."""
        # Of programs' answers the codes are what is stable, and their sentences are English.
        with speaking(SOURCE):
            return cls(**dict(prediction), conflicts=contradictions(exam, prediction))


async def answer(actor: Actor, prediction: Prediction, exams: Exams) -> PredictionAnswer:
    """Return the answer about ``prediction``, by what is known of its exam now."""
    try:
        return PredictionAnswer.told(prediction, await exams.get(actor, prediction.id))
    except UnreadableError:
        return PredictionAnswer(**dict(prediction))


def _example() -> dict[str, Any]:
    told = {"t_score": -1.8, "vertebrae": ("L1", "L2"), "sex": "female", "age_years": 67}
    facts = Exam.model_validate({"prediction_id": EXAMPLE["id"], **told})
    return PredictionAnswer.told(Prediction.model_validate(EXAMPLE), facts).document()


ANSWER_EXAMPLE: Final[dict[str, Any]] = _example()
"""A full answer, shown in the API documentation."""
