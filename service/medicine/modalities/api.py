"""What other modalities measured of an exam, and ``…/modalities``: all of them side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from service.exams.dependencies import ExamsDep
from service.exams.schemas import Exam
from service.http.body import json_body
from service.http.caching import NO_STORE
from service.http.preconditions import ETAG, IfMatch, tag
from service.http.problems import Problem, problems
from service.identity.dependencies import Acting
from service.medicine.modalities.compared import compared
from service.medicine.modalities.dependencies import ModalitiesDep, ModalitySettingsDep
from service.medicine.modalities.schemas import ULTRASOUND_EXAMPLE, ModalitiesAnswer
from service.medicine.modalities.ultrasound.schemas import Ultrasound, read
from service.results import ResultDep, no_such_prediction
from service.storage.errors import ChangedError

router = APIRouter(prefix="/api/v1/predictions/{id}", tags=["studies"])

_ANSWER: Final[dict[str, Any]] = {"headers": ETAG}


def _measured(sent: Mapping[str, Any]) -> Ultrasound:
    return read(sent)


UltrasoundBody = Annotated[
    Ultrasound, Depends(json_body(Ultrasound, _measured, ULTRASOUND_EXAMPLE))
]


@router.get(
    "/modalities",
    summary="Read what each modality says",
    response_model=ModalitiesAnswer,
    responses={
        200: {"description": "Each by itself, side by side; nothing is imputed.", **_ANSWER},
        **problems(404, 500, 503),
    },
)
async def side_by_side(
    result: ResultDep,
    response: Response,
    actor: Acting,
    exams: ExamsDep,
    settings: ModalitySettingsDep,
) -> ModalitiesAnswer:
    """DXA's T-score and image, CT and ultrasound. Research use only."""
    exam = await exams.get(actor, result.id)
    if exam is None:
        raise no_such_prediction()
    response.headers.update({**NO_STORE, **tag(exam.modalities.version)})
    return ModalitiesAnswer.of(exam, compared(exam, result.outcome, settings))


@router.put(
    "/ultrasound",
    summary="Enter ultrasound of the heel",
    response_model=ModalitiesAnswer,
    responses={
        200: {"description": "What is kept from now on.", **_ANSWER},
        **problems(400, 403, 404, 412, 413, 422, 500, 503, 507),
    },
)
async def enter_ultrasound(
    result: ResultDep,
    response: Response,
    actor: Acting,
    modalities: ModalitiesDep,
    settings: ModalitySettingsDep,
    measured: UltrasoundBody,
    seen: IfMatch,
) -> ModalitiesAnswer:
    """It takes the place of what was entered before. No class follows from it."""
    try:
        exam = await modalities.enter_ultrasound(actor, result.id, measured, seen)
    except ChangedError as error:
        raise changed(error) from None
    return _answer(exam, result.outcome, settings, response)


@router.delete(
    "/ultrasound",
    summary="Remove ultrasound of the heel",
    response_model=ModalitiesAnswer,
    responses={
        200: {"description": "What is kept from now on.", **_ANSWER},
        **problems(403, 404, 412, 500, 503),
    },
)
async def remove_ultrasound(
    result: ResultDep,
    response: Response,
    actor: Acting,
    modalities: ModalitiesDep,
    settings: ModalitySettingsDep,
    seen: IfMatch,
) -> ModalitiesAnswer:
    try:
        exam = await modalities.enter_ultrasound(actor, result.id, None, seen)
    except ChangedError as error:
        raise changed(error) from None
    return _answer(exam, result.outcome, settings, response)


def _answer(
    exam: Exam | None, outcome: Any, settings: ModalitySettingsDep, response: Response
) -> ModalitiesAnswer:
    if exam is None:
        raise no_such_prediction()
    response.headers.update({**NO_STORE, **tag(exam.modalities.version)})
    return ModalitiesAnswer.of(exam, compared(exam, outcome, settings))


def changed(error: ChangedError) -> Problem:
    """Return the problem with what is kept by now."""
    entered = error.kept.modalities
    more = {"kept": entered.model_dump(mode="json")}
    return Problem(error.code, str(error), tag(entered.version), more)
