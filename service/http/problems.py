"""Errors as RFC 9457 problem details: one shape, one handler, one place that renders it.

Codes, statuses and titles are rows of :mod:`service.http.problem_types`; what a room's errors say
is theirs (:mod:`service.errors`). ``type`` points at ``/problems#{code}``, a page made from the
same table. The text of a bug is never shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from models.image.errors import ScanError
from service.errors import ServiceError, service_error
from service.http import scim, sub_path
from service.http.caching import NO_STORE
from service.http.negotiation import weight
from service.http.problem_types import KINDS, Kind
from service.http.validation import faults
from service.language.locale import N_

HANDLED: Final[tuple[type[Exception], ...]] = (
    ServiceError, ScanError, ClientDisconnect, RequestValidationError, HTTPException,
)  # fmt: skip
"""What :func:`respond` is the handler of; anything else is a bug."""

MEDIA_TYPE: Final = "application/problem+json"

_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")


_HTTP_CODES: Final[Mapping[int, str]] = {
    404: "not_found",
    405: "method_not_allowed",
    429: "too_many_requests",
}


class ProblemDocument(BaseModel):
    """The body of every answer that is not a success (RFC 9457)."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(description="Where the code is explained.", examples=["/problems#empty_file"])
    title: str = Field(description="What kind of problem it is.", examples=["File is empty"])
    status: int = Field(description="The HTTP status, once more.", examples=[422])
    detail: str = Field(description="What is wrong with this request.")
    instance: str = Field(description="The path that was asked.", examples=["/api/v1/predictions"])
    code: str = Field(description="Stable; programs go by this.", examples=["empty_file"])


class Problem(ServiceError):  # noqa: N818 - RFC 9457's own word
    """A :class:`ServiceError` with what HTTP adds: ``headers``, and ``more`` members."""

    def __init__(
        self,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.headers = headers or {}
        self.more = more or {}

    @property
    def kind(self) -> Kind:
        return KINDS[self.code]

    def document(self, instance: str, below: str = "") -> dict[str, Any]:
        return {
            "type": f"{below}/problems#{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": f"{below}{instance}",
            "code": self.code,
            **self.more,
        }


def translate(error: Exception) -> Problem:
    """Return the problem that ``error`` is to a client."""
    match error:
        case Problem():
            return error
        case ClientDisconnect():
            return Problem("client_disconnected", "The connection closed during the upload.")
        case RequestValidationError():
            return _from_validation(error)
        case HTTPException():
            return _from_http(error)
    return _problem(service_error(error))


def _problem(said: ServiceError) -> Problem:
    wait = {} if said.retry_after is None else {"Retry-After": _seconds(said.retry_after)}
    more = {"faults": {one.field: str(one) for one in said.faults}} if said.faults else {}
    return Problem(said.code, said.detail, wait, more)


ShowPage = Callable[[Request, Problem, Mapping[str, str]], Response]
"""Answers a problem as a page, with these headers."""


def respond(request: Request, error: Exception, show: ShowPage) -> Response:
    """Answer ``error`` as a page or as JSON. The only place that decides which."""
    problem = translate(error)
    if problem.code == "method_not_allowed":
        problem = _allowing(request, problem.headers.get("Allow", ""))
    headers = {**problem.headers, **NO_STORE}
    if wants_page(request):
        return show(request, problem, headers)
    if request.url.path.startswith(scim.PREFIX):
        body = scim.error(problem.kind.status, problem.detail, problem.more.get("scimType"))
        return JSONResponse(body, problem.kind.status, headers, media_type=scim.MEDIA_TYPE)
    told = problem.document(request.url.path, sub_path.of(request.scope))
    return JSONResponse(told, problem.kind.status, headers, media_type=MEDIA_TYPE)


PROGRAMS: Final = (
    "/api/", "/dicom-web/", "/cds-services", "/health/", "/metrics", scim.PREFIX
)  # fmt: skip
"""Paths that programs ask."""


def wants_page(request: Request) -> bool:
    """Programs' paths answer JSON; elsewhere a page, unless the client would rather have JSON."""
    if request.url.path.startswith(PROGRAMS):
        return False
    accept = request.headers.get("accept", "")
    json = max(weight(accept, kind) for kind in (MEDIA_TYPE, "application/json"))
    return weight(accept, "text/html") >= json


def _from_validation(error: RequestValidationError) -> Problem:
    found = faults(error.errors(), _sentence)
    said = "; ".join(sorted(f"{one.field}: {one}" for one in found))
    return _problem(ServiceError("invalid_request", f"{said}.", faults=found))


def _sentence(item: Mapping[str, Any]) -> str:
    """Say what is allowed, with nothing of what was sent."""
    if item["type"] == "extra_forbidden":
        return "there is a parameter that is not known here"
    told = item["msg"].removeprefix("Value error, ") if item["type"] in _TELLING else "not valid"
    return str(told).replace("%", "%%")


_TELLING: Final = frozenset(
    {
        "missing", "literal_error", "value_error", "string_pattern_mismatch", "string_too_long",
        "greater_than_equal", "less_than_equal", "int_parsing", "bool_parsing",
    }
)  # fmt: skip
"""Kinds of error whose sentence, pydantic's or ours, says what is allowed and quotes nothing."""


def _from_http(error: HTTPException) -> Problem:
    code = _HTTP_CODES.get(error.status_code)
    headers = dict(error.headers or {})
    if code == "method_not_allowed":
        return Problem(code, "See the API page for what is allowed here.", headers)
    if code == "not_found":
        return Problem(code, N_("No page or resource has this address."), headers)
    if code == "too_many_requests":
        return Problem(code, N_("More was asked for than is answered at once."), headers)
    if error.status_code < 500:
        return Problem("bad_request", "The request cannot be answered as it is.", headers)
    return Problem("internal_error", "The request could not be answered.", headers)


def _allowing(request: Request, told: str) -> Problem:
    """Name the methods of all routes with this path; the router itself tells those of one.

    Below a folder of files, which is no route, it is ``told`` all.
    """
    methods = {
        method
        for method in _METHODS
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }
    if "GET" in methods:
        methods.add("HEAD")
    allowed = ", ".join(sorted(methods)) or told
    return Problem("method_not_allowed", f"Allowed here: {allowed}.", {"Allow": allowed})


def _seconds(value: float) -> str:
    return str(max(1, math.ceil(value)))


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document problem answers in OpenAPI, each status with the codes that it can carry."""
    return {
        status: {
            "description": ", ".join(
                f"`{code}`" for code, kind in KINDS.items() if kind.status == status
            ),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }
