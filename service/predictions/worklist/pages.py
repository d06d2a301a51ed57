"""The worklist, at ``/history``: what there is, what is next, and all of it as a table.

Parts of a patient's reference come by POST alone; addresses hold keys.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from service.exams.schemas import ExamError, reference
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity.dependencies import Acting
from service.language.locale import _, current
from service.patients.dependencies import PatientsDep
from service.predictions.worklist.contexts import ADDRESS, WorklistPage
from service.predictions.worklist.contexts import address as list_address
from service.predictions.worklist.dependencies import WorklistReadingDep
from service.predictions.worklist.export import COLUMNS, cells
from service.predictions.worklist.query import MOST_PATIENTS, WorklistQuery
from service.predictions.worklist.schemas import NoSuchPlaceError
from service.web import tables
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix=ADDRESS, include_in_schema=False)

PART = "part"


def asked(parameters: Mapping[str, str]) -> WorklistQuery:
    """Return what a list is asked for. Raises :class:`RequestValidationError`."""
    # A form sends every field, also those left empty, and a tick as yes.
    given: dict[str, Any] = {name: value for name, value in parameters.items() if value.strip()}
    try:
        return WorklistQuery.model_validate(given)
    except ValidationError as error:
        faults = [{**item, "loc": ("query", *item["loc"])} for item in error.errors()]
        raise RequestValidationError(faults) from None


@router.get("")
async def listed(
    request: Request,
    actor: Acting,
    reading: WorklistReadingDep,
    patients: PatientsDep,
    templates: TemplatesDep,
) -> Response:
    query = asked(request.query_params)
    try:
        found = await reading.page(actor, query)
    except NoSuchPlaceError:
        raise Problem(
            "invalid_request", "The list cannot begin there: that result is not there any more."
        ) from None
    named = await patients.references(actor, query.patient or ())
    page = WorklistPage.of(query, found, named, finds_parts=patients.finds_parts)
    return templates.respond(request, page, headers=NO_STORE)


@router.post("")
async def search(
    request: Request,
    actor: Acting,
    reading: WorklistReadingDep,
    patients: PatientsDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``part`` of a reference, and the filters that are to be kept."""
    part = sent.pop(PART, "")
    query = asked({name: it for name, it in sent.items() if name not in ("after", "before")})
    error = ""
    try:
        keys = await patients.search(actor, reference(part), MOST_PATIENTS + 1)
    except ExamError:
        keys, error = (), _("1 to 64 printable characters, please.")
    if not keys and not error and patients.finds_parts:
        error = _("No patient’s reference contains this.")
    elif not keys and not error:
        error = _("No patient has exactly this reference.")
    if len(keys) > MOST_PATIENTS:
        error = _("More than %(most)s patients fit: type more of it.", most=MOST_PATIENTS)
    if not error:
        chosen = query.model_copy(update={"patient": keys})
        return RedirectResponse(list_address(chosen), 303)
    found = await reading.page(actor, query)
    page = WorklistPage.of(
        query, found, finds_parts=patients.finds_parts, part=part, part_error=error
    )
    return templates.respond(
        request, page, 422, {**NO_STORE, "Content-Location": list_address(query)}
    )


@router.get("/export.csv")
async def csv(request: Request, actor: Acting, reading: WorklistReadingDep) -> Response:
    """All that the list has on all its pages, by codes."""
    pages = await reading.export(actor, asked(request.query_params), "csv")

    async def text() -> AsyncIterator[str]:
        yield tables.comma_separated([tuple(COLUMNS)])
        async for found in pages:
            yield tables.comma_separated(cells(one, in_words=False) for one in found)

    return StreamingResponse(
        text(), headers=_named("osteoserve-list.csv"), media_type=f"{tables.CSV}; header=present"
    )


@router.get("/export.xlsx")
async def xlsx(request: Request, actor: Acting, reading: WorklistReadingDep) -> Response:
    """The same in words, in the language and zone of the page."""
    pages = await reading.export(actor, asked(request.query_params), "xlsx")
    with BytesIO() as file:
        headings = [_(heading) for heading, _width in COLUMNS.values()]
        widths = [width for _heading, width in COLUMNS.values()]
        sheet = tables.Sheet(file, _("Worklist"), headings, widths)
        async for found in pages:
            rows = [cells(one, in_words=True) for one in found]
            await anyio.to_thread.run_sync(sheet.add, rows)
        await anyio.to_thread.run_sync(sheet.close)
        data = file.getvalue()
    headers = {
        **_named("osteoserve-list.xlsx"),
        "Content-Language": current().code,
        "Vary": "Accept-Language, Cookie",
    }
    return Response(data, headers=headers, media_type=tables.XLSX)


def _named(name: str) -> dict[str, str]:
    """Return headers of a download. Its name holds nothing of a patient: files get sent around."""
    return {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}


@router.get("/next")
async def following(request: Request, actor: Acting, reading: WorklistReadingDep) -> Response:
    """Lead to what nobody has read. Parameter: ``after``, the result that one comes from."""
    try:
        behind = UUID(request.query_params.get("after", ""))
    except ValueError:
        behind = None
    found = await reading.next_unread(actor, behind)
    where = f"{ADDRESS}?reviewed=false" if found is None else f"/results/{found}"
    return RedirectResponse(where, 303, NO_STORE)
