"""``/usage``: how a site uses the service, as a page and as a table."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from models.artifact import ArtifactError
from service.clock import now
from service.http.caching import NO_STORE
from service.http.problems import Problem
from service.identity.dependencies import Acting
from service.language import formats
from service.language.locale import N_
from service.served_models.schemas import lineup
from service.usage import export
from service.usage.contexts import ADDRESS, UsagePage
from service.usage.dependencies import ShownSettingsDep, UsageDep
from service.usage.schemas import LENGTHS, Period
from service.web import tables
from service.web.dependencies import TemplatesDep

router = APIRouter(prefix=ADDRESS, include_in_schema=False)

_USUAL = 12


def _period(request: Request) -> Period:
    sent = request.query_params.get("months", str(_USUAL))
    if sent not in map(str, LENGTHS):
        raise Problem("invalid_request", N_("3, 12 or 36 months can be looked back over."))
    return Period.of(int(sent), now(), formats.zone())


@router.get("")
async def page(
    request: Request,
    actor: Acting,
    usage: UsageDep,
    settings: ShownSettingsDep,
    templates: TemplatesDep,
) -> Response:
    """Parameter: ``months``, one of :data:`~service.usage.schemas.LENGTHS`."""
    use = await usage.of(actor, _period(request))
    shown = UsagePage.of(use, await _served(), settings)
    return templates.respond(request, shown, headers=NO_STORE)


@router.get("/export.csv")
async def csv(request: Request, actor: Acting, usage: UsageDep) -> Response:
    """The same counts for programs, of the same months."""
    rows = export.rows(await usage.of(actor, _period(request)))
    headers = {**NO_STORE, "Content-Disposition": 'attachment; filename="osteoserve-usage.csv"'}
    return Response(
        tables.comma_separated([export.COLUMNS, *rows]),
        media_type=f"{tables.CSV}; header=present",
        headers=headers,
    )


async def _served() -> str | None:
    """Return the version that would judge now; None where the models cannot be shown."""
    try:
        return (await run_in_threadpool(lineup)).version
    except ArtifactError:
        return None
