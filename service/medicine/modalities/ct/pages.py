"""Pages of CT: a series is sent, a slice chosen, a region placed, looked at and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from models.attenuation.region import Ellipse
from service.errors import ServiceError
from service.exams.dependencies import ExamsDep
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problems import translate
from service.identity.dependencies import Acting
from service.language.formats import number
from service.language.locale import _
from service.medicine.modalities.ct import form
from service.medicine.modalities.ct.contexts import CtPage, Measured, card
from service.medicine.modalities.ct.dependencies import CtDep, FilesDep, no_such_series
from service.medicine.modalities.ct.overview import drawn, size
from service.medicine.modalities.ct.schemas import Placed, RegionFieldsError, read
from service.medicine.modalities.ct.service import ellipse
from service.medicine.modalities.dependencies import ModalitySettingsDep
from service.results import ResultDep, no_such_prediction
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix="/results/{id}/ct", include_in_schema=False)

_PNG: Final = "image/png"
_REMOVE: Final = "remove"


def _number(number: str) -> int:
    if not (number.isascii() and number.isdecimal() and len(number) < 6):
        raise no_such_series()
    return int(number)


SliceNumber = Annotated[int, Depends(_number)]


@router.get("")
async def show(
    request: Request,
    result: ResultDep,
    actor: Acting,
    exams: ExamsDep,
    ct: CtDep,
    settings: ModalitySettingsDep,
    templates: TemplatesDep,
) -> Response:
    page = await _page(request.query_params, result, actor, exams, ct, settings)
    return templates.respond(request, page, headers=NO_STORE)


@router.post("")
async def send(
    request: Request,
    result: ResultDep,
    actor: Acting,
    exams: ExamsDep,
    ct: CtDep,
    settings: ModalitySettingsDep,
    templates: TemplatesDep,
    files: FilesDep,
) -> Response:
    try:
        found = await ct.receive(actor, result.id, files)
    except ServiceError as error:
        problem = translate(error)
        page = await _page({}, result, actor, exams, ct, settings, _(problem.detail))
        headers = {**NO_STORE, **problem.headers}
        return templates.respond(request, page, problem.kind.status, headers)
    if found is None:
        raise no_such_prediction()
    return RedirectResponse(f"/results/{result.id}/ct", 303)


@router.post("/region")
async def keep(
    request: Request,
    result: ResultDep,
    actor: Acting,
    exams: ExamsDep,
    ct: CtDep,
    settings: ModalitySettingsDep,
    templates: TemplatesDep,
    fields: FormBody,
) -> Response:
    if fields.pop(_REMOVE, None) is not None:
        if await ct.remove(actor, result.id) is None:
            raise no_such_prediction()
        return RedirectResponse(f"/results/{result.id}/ct", 303)
    try:
        kept = await ct.accept(actor, result.id, form.parse(fields))
    except RegionFieldsError as error:
        page = await _page(fields, result, actor, exams, ct, settings, faults=error)
        return templates.respond(request, page, 422, NO_STORE)
    if kept is None:
        raise no_such_series()
    return RedirectResponse(f"/results/{result.id}#modalities", 303)


@router.get("/overview.png")
async def overview(result: ResultDep, actor: Acting, ct: CtDep) -> Response:
    found = await ct.series(actor, result.id)
    if found is None:
        raise no_such_series()
    return Response(found.overview, media_type=_PNG, headers=NO_STORE)


@router.get("/{number}.png")
async def picture(
    request: Request, result: ResultDep, wanted: SliceNumber, actor: Acting, ct: CtDep
) -> Response:
    """A region that the query names is drawn where it lies in the slice."""
    series = await ct.series(actor, result.id)
    found = await ct.slice(actor, result.id, wanted)
    if series is None or found is None:
        raise no_such_series()
    region: Ellipse | None = None
    choice = form.chosen(request.query_params, series.answer, (1, 1))
    if choice.region is not None:
        try:
            region = ellipse(read({**choice.region, "slice": wanted}), series.answer.spacing_mm)
        except RegionFieldsError:
            region = None
    png = await anyio.to_thread.run_sync(drawn, found.stored, found.rescale, region)
    return Response(png, media_type=_PNG, headers=NO_STORE)


async def _page(
    asked: Mapping[str, str],
    result: ResultDep,
    actor: Acting,
    exams: ExamsDep,
    ct: CtDep,
    settings: ModalitySettingsDep,
    trouble: str = "",
    faults: RegionFieldsError | None = None,
) -> CtPage:
    """Return the page with what ``asked`` chooses: a query's fields or a form's."""
    exam = await exams.get(actor, result.id)
    if exam is None:
        raise no_such_prediction()
    series = await ct.series(actor, result.id)
    shown = None
    if series is not None:
        choice = form.chosen(asked, series.answer, size(series.overview))
        kept = exam.modalities.ct
        if kept is not None and choice.region is None:
            choice = form.Choice(**kept.region.model_dump())
        preview, error = None, "" if faults is None else form.other(faults.faults)
        found = () if faults is None else faults.faults
        if choice.region is not None and faults is None:
            try:
                preview = await ct.measured(actor, result.id, _placed(choice.region, asked))
            except RegionFieldsError as wrong:
                error, found = form.other(wrong.faults), wrong.faults
        said = (error, asked.get("contrast", ""))
        shown = card(exam, series, choice, preview, settings, said, form.numbers(choice, found))
    return CtPage(
        id=str(result.id),
        most=number(settings.ct_slices),
        kept=None if exam.modalities.ct is None else Measured.of(exam.modalities.ct, settings),
        series=shown,
        trouble=trouble,
    )


def _placed(region: Mapping[str, object], asked: Mapping[str, str]) -> Placed:
    contrast = asked.get("contrast", "")
    return read({**region, **({"contrast": contrast} if contrast else {})})
