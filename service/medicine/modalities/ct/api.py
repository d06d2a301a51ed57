"""``/api/v1/predictions/{id}/ct``: a series of CT, and the region that is measured in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from service.http.body import json_body
from service.http.caching import NO_STORE
from service.http.problems import problems
from service.identity.dependencies import Acting
from service.medicine.modalities.compared import compared
from service.medicine.modalities.ct.dependencies import CtDep, FilesDep, no_such_series
from service.medicine.modalities.ct.schemas import Placed, SeriesAnswer, read
from service.medicine.modalities.dependencies import ModalitySettingsDep
from service.medicine.modalities.schemas import ModalitiesAnswer
from service.results import ResultDep, no_such_prediction

router = APIRouter(prefix="/api/v1/predictions/{id}/ct", tags=["studies"])

_REGION: Final[dict[str, Any]] = {
    "slice": 16, "x": 253.0, "y": 307.5, "radius_x_mm": 9.0, "radius_y_mm": 7.0, "contrast": "none",
}  # fmt: skip


def _placed(sent: Mapping[str, Any]) -> Placed:
    return read(sent)


RegionBody = Annotated[Placed, Depends(json_body(Placed, _placed, _REGION))]


@router.post(
    "",
    summary="Send a series of CT",
    response_model=SeriesAnswer,
    status_code=201,
    responses={
        201: {"description": "It waits to be measured: for a day, then until another comes."},
        **problems(400, 403, 404, 408, 413, 415, 422, 500, 503, 507),
    },
)
async def send(
    result: ResultDep, actor: Acting, ct: CtDep, files: FilesDep, response: Response
) -> SeriesAnswer:
    """Axial slices of one series, as DICOM. It takes the place of what was sent before.

    Hounsfield units are each slice's own; a file that has none is left out and counted.
    """
    found = await ct.receive(actor, result.id, files)
    if found is None:
        raise no_such_prediction()
    response.headers.update(NO_STORE)
    return found


@router.get(
    "",
    summary="Read what is kept of a series of CT",
    response_model=SeriesAnswer,
    responses={200: {"description": "No pixels."}, **problems(404, 500, 503)},
)
async def series(result: ResultDep, actor: Acting, ct: CtDep, response: Response) -> SeriesAnswer:
    found = await ct.series(actor, result.id)
    if found is None:
        raise no_such_series()
    response.headers.update(NO_STORE)
    return found.answer


@router.put(
    "",
    summary="Measure a region of L1",
    response_model=ModalitiesAnswer,
    responses={
        200: {"description": "What each modality says from now on."},
        **problems(400, 403, 404, 413, 422, 500, 503, 507),
    },
)
async def measure(
    result: ResultDep,
    actor: Acting,
    ct: CtDep,
    settings: ModalitySettingsDep,
    placed: RegionBody,
    response: Response,
) -> ModalitiesAnswer:
    """An ellipse in L1's trabecular body, as a reader places it. That slice alone is kept then."""
    exam = await ct.accept(actor, result.id, placed)
    if exam is None:
        raise no_such_series()
    response.headers.update(NO_STORE)
    return ModalitiesAnswer.of(exam, compared(exam, result.outcome, settings))


@router.delete(
    "",
    summary="Remove CT",
    response_model=ModalitiesAnswer,
    responses={
        200: {"description": "What each modality says from now on."},
        **problems(403, 404, 500, 503),
    },
)
async def remove(
    result: ResultDep,
    actor: Acting,
    ct: CtDep,
    settings: ModalitySettingsDep,
    response: Response,
) -> ModalitiesAnswer:
    exam = await ct.remove(actor, result.id)
    if exam is None:
        raise no_such_prediction()
    response.headers.update(NO_STORE)
    return ModalitiesAnswer.of(exam, compared(exam, result.outcome, settings))
