"""``/smart``: a patient's results out of a record, by SMART App Launch.

Pages here are shown in no frame: the record opens a window of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from service.http.caching import NO_STORE
from service.identity.dependencies import Acting
from service.identity.services import CookieDep
from service.integration.smart.contexts import NothingPage, RefusedPage
from service.integration.smart.dependencies import SmartDep, opened
from service.integration.smart.errors import LaunchError, status
from service.web.dependencies import TemplatesDep
from service.web.templates import Templates

router = APIRouter(prefix="/smart", include_in_schema=False)


@router.get("/launch")
async def launch(
    request: Request, actor: Acting, smart: SmartDep, templates: TemplatesDep
) -> Response:
    """Go to the record's authorization server; ``iss``: whose, ``launch``: what for."""
    query = _query(request)
    try:
        begun = await smart.begin(actor, query.get("iss", ""), query.get("launch", ""))
    except LaunchError as error:
        return _refused(request, error, templates)
    response = RedirectResponse(begun.address, 303, NO_STORE)
    smart.cookies.put(request.scope, response, begun.state, begun.browser)
    return response


@router.get("/callback/{name}")
async def callback(
    request: Request,
    name: str,
    actor: Acting,
    smart: SmartDep,
    cookie: CookieDep,
    templates: TemplatesDep,
) -> Response:
    """Where the server of the record ``name`` sends the browser back to."""
    answer = _query(request)
    state = answer.get("state", "")
    try:
        done = await smart.finish(actor, name, answer, smart.cookies.token(request.scope, state))
    except LaunchError as error:
        response = _refused(request, error, templates)
        if error.reason not in ("record_unknown", "flow_unknown", "flow_cookie"):
            smart.cookies.clear(response, state)
        return response
    response = RedirectResponse(done.address, 303, NO_STORE)
    cookie.put(response, done.token)
    smart.cookies.clear(response, state)
    return response


@router.get("/nothing", dependencies=[Depends(opened)])
async def nothing(request: Request, templates: TemplatesDep) -> Response:
    """Say that of the patient whose chart is open there is nothing to show."""
    page = NothingPage(ambiguous="ambiguous" in request.query_params)
    return templates.respond(request, page, 200, NO_STORE)


def _query(request: Request) -> Mapping[str, str]:
    """Return the address's query; of two of a name nobody can say which one is meant: it is there,
    and is nothing."""
    count = Counter(name for name, _value in request.query_params.multi_items())
    return {name: request.query_params[name] if many == 1 else "" for name, many in count.items()}


def _refused(request: Request, error: LaunchError, templates: Templates) -> Response:
    wait = error.retry_after
    headers = dict(NO_STORE) if wait is None else {**NO_STORE, "Retry-After": str(round(wait) or 1)}
    page = RefusedPage.of(error.reason, error.record)
    return templates.respond(request, page, status(error.reason), headers)
