"""What contradicts a spine's T-score that does not show osteoporosis: curve, dense bone, the hip.

Each is said as it is, with where it is written; none outvotes another, and nothing is corrected. A
T-score in the range of osteoporosis has nothing of that: what lifts density cannot explain it. That
the image's models say otherwise (:mod:`service.predictions.reported`) has a place of its own on
pages and paper; programs are told it among the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from pydantic import Field

from service.exams.parts import BesideSpine
from service.exams.regions import lowest
from service.exams.schemas import Exam
from service.language.formats import listing, number
from service.language.locale import N_, _
from service.medicine.densitometry import LEAST_VERTEBRAE, applies, range_of
from service.medicine.osteoporosis.view import told
from service.medicine.schemas import Part
from service.medicine.scoliosis import wording as curves
from service.medicine.scoliosis.screening import Screening, screen
from service.predictions.reported import Reported
from service.predictions.schemas import Prediction

Code = Literal["models_differ", "curve", "denser_vertebra", "lower_hip"]

_HIP: Final[tuple[BesideSpine, ...]] = ("total_hip", "femoral_neck")
MODELS: Final = N_("The T-score and the models differ. The T-score counts.")
CURVE: Final = N_(
    "The image shows a curve of %(angle)s: where the lumbar spine is curved it was found to read "
    "denser, and the hip less dense, than in others. The spine’s T-score may be too high: compare "
    "it with the hip’s."
)
DENSER: Final = N_(
    "%(levels)s: far denser than its neighbours, as osteophytes, sclerosis or a fracture make a "
    "vertebra. The spine’s T-score may be too high: look whether it is to be left out."
)
HIP: Final = N_(
    "The hip’s T-score, %(value)s, is in the range of osteoporosis, the spine’s is not. The lower "
    "one counts."
)
_CLASSES: Final = N_("WHO’s classes as the ISCD applies them")
SOURCES: Final = {
    CURVE: N_("Pappou 2006, PubMed 16778698, abstract"),
    DENSER: N_("PubMed 9115160: up to 14 %; ISCD’s positions, J Clin Densitom 2024;27:101436"),
    HIP: _CLASSES,
    MODELS: _CLASSES,
}
"""Where each is written."""


class Contradiction(Part):
    """What contradicts the T-score of an exam: shown beside it, and nothing is corrected by it."""

    code: Code
    levels: tuple[str, ...] = Field((), description="The vertebrae that it is of; none: the spine.")
    text: str
    source: str = Field(description="Where it is written.")

    @classmethod
    def of(cls, code: Code, text: str, source: str, levels: Iterable[str] = ()) -> Contradiction:
        return cls(code=code, levels=tuple(levels), text=text, source=_(source))


def contradictions(exam: Exam | None, prediction: Prediction) -> tuple[Contradiction, ...]:
    """Return all that contradicts the T-score of ``exam``, the image's models first."""
    reported = Reported.of(exam, told(prediction))
    differ = reported is not None and reported.differs
    models = [Contradiction.of("models_differ", _(MODELS), SOURCES[MODELS])] if differ else []
    return (*models, *conflicts(exam, prediction))


def conflicts(exam: Exam | None, prediction: Prediction) -> tuple[Contradiction, ...]:
    """Return what contradicts the T-score of ``exam``; nothing where none is classed.

    That the models differ from it is not among these.
    """
    if exam is None or exam.t_score is None or not _is_classed(exam):
        return ()
    if range_of(exam.t_score) == "osteoporosis":
        return ()
    return tuple(_found(exam, prediction))


def _is_classed(exam: Exam) -> bool:
    """Whether the T-score is read at all, by the rule that considerations go by."""
    if exam.vertebrae is not None and len(exam.vertebrae) < LEAST_VERTEBRAE:
        return False
    return applies(exam.sex, exam.age_years, None).score != "z"


def _found(exam: Exam, prediction: Prediction) -> Iterator[Contradiction]:
    vertebrae = prediction.vertebrae
    curve = None if vertebrae is None else screen(vertebrae)
    if isinstance(curve, Screening) and curve.standing == "reached":
        text = _(CURVE, angle=curves.angle(curve))
        yield Contradiction.of("curve", text, SOURCES[CURVE])
    found = () if vertebrae is None else vertebrae.findings
    levels = [one.level for one in found if one.code == "denser_than_neighbours" and one.level]
    if levels:
        text = _(DENSER, levels=listing(levels))
        yield Contradiction.of("denser_vertebra", text, SOURCES[DENSER], levels)
    scores = [lowest(exam.measured, exam.regions, site, "t_score") for site in _HIP]
    hip = min((one for one in scores if one is not None), default=None)
    if hip is not None and range_of(hip) == "osteoporosis":
        text = _(HIP, value=number(hip, 1, signed=True))
        yield Contradiction.of("lower_hip", text, SOURCES[HIP])
