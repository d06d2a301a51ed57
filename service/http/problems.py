"""What can go wrong, as RFC 9457 problem details: one shape, one place that renders it.

::

    Problem             has a code; status and title come from service.http.problem_types
    ScanError           the file cannot be read         → its own code (models.image.errors)
    AnalysisError       nobody could judge it           → runners_unavailable, overloaded
    StorageError        see service.storage.errors      → its own code
    ExplanationError    no heat map to show             → its own code
    KeyReusedError, KeyInvalidError                     → idempotency_key_reused, …_invalid
    ReviewError         a review that cannot be         → invalid_review
    anything else       a bug                           → internal_error, text never shown

``type`` points at ``/problems#{code}``, a page made from the same table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from models.image.errors import ScanError
from service.http.caching import NO_STORE
from service.http.idempotency_key import HEADER, LONGEST, KeyInvalidError, KeyReusedError
from service.http.negotiation import weight
from service.http.problem_types import KINDS, Kind
from service.language import locale as language
from service.language.locale import N_, _
from service.medicine.osteoporosis.pipeline import OverloadedError, RunnersUnavailableError
from service.predictions.heat_maps.service import ExplanationError
from service.reviews.schemas import ALLOWED, ReviewError
from service.storage.errors import StorageError
from service.web.errors import ErrorPage
from service.web.page import Pages

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


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that is no success. ``detail`` is for people and holds no text from a file."""

    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        return KINDS[self.code]

    def document(self, instance: str) -> dict[str, Any]:
        return {
            "type": f"/problems#{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            **self.more,
        }


def translate(error: Exception) -> Problem:  # noqa: PLR0911 - a table in the form of a match
    """Return the problem that ``error`` is to a client."""
    match error:
        case Problem():
            return error
        case ScanError():
            return Problem(error.code, str(error))
        case RunnersUnavailableError() | OverloadedError():
            return Problem(error.code, str(error), {"Retry-After": _seconds(error.retry_after)})
        case ExplanationError() | StorageError():
            wait = {} if error.retry_after is None else {"Retry-After": _seconds(error.retry_after)}
            return Problem(error.code, str(error), wait)
        case KeyReusedError():
            return Problem("idempotency_key_reused", f"{HEADER} was used for another file.")
        case KeyInvalidError():
            allowed = f"1 to {LONGEST} visible ASCII characters are allowed"
            return Problem("idempotency_key_invalid", f"{HEADER}: {allowed}.")
        case ReviewError():
            faults = {name: ALLOWED[fault] for name, fault in error.faults.items()}
            return Problem("invalid_review", f"Not valid: {error}.", more={"faults": faults})
        case ClientDisconnect():
            return Problem("client_disconnected", "The connection closed during the upload.")
        case RequestValidationError():
            return _from_validation(error)
        case HTTPException():
            return _from_http(error)
        case _:
            return Problem("internal_error", "The request could not be answered.")


def respond(request: Request, error: Exception, pages: Pages) -> Response:
    """Answer ``error`` as a page or as JSON. The only place that decides which."""
    problem = translate(error)
    if problem.code == "method_not_allowed":
        problem = _allowing(request)
    instance = request.url.path
    headers = {**problem.headers, **NO_STORE}
    if wants_page(request):
        page = ErrorPage(
            status=problem.kind.status,
            title=_(problem.kind.title),
            detail=_(problem.detail),
            detail_language=_language_of(problem.detail),
            help=_(problem.kind.help),
            code=problem.code,
            instance=instance,
            retry_after=headers.get("Retry-After"),
        )
        return pages.respond(request, page, problem.kind.status, headers)
    return JSONResponse(
        problem.document(instance), problem.kind.status, headers, media_type=MEDIA_TYPE
    )


def _language_of(detail: str) -> str:
    """The language that ``detail`` is shown in: a sentence with a file's numbers stays English."""
    return language.SOURCE if _(detail) == detail else language.current().code


def wants_page(request: Request) -> bool:
    """Programs' paths answer JSON; elsewhere a page, unless the client would rather have JSON."""
    if request.url.path.startswith(("/api/", "/health/", "/metrics")):
        return False
    accept = request.headers.get("accept", "")
    json = max(weight(accept, kind) for kind in (MEDIA_TYPE, "application/json"))
    return weight(accept, "text/html") >= json


def _from_validation(error: RequestValidationError) -> Problem:
    return Problem("invalid_request", "; ".join(sorted(set(map(_fault, error.errors())))) + ".")


def _fault(item: Mapping[str, Any]) -> str:
    """Say where a value is wrong and what is allowed, with nothing of what was sent."""
    if item["type"] == "extra_forbidden":
        # What an unknown parameter is called is the sender's own text.
        return f"{item['loc'][0]}: there is a parameter that is not known here"
    place = ".".join(map(str, item["loc"]))
    told = item["type"] in _TELLING
    return f"{place}: {item['msg'].removeprefix('Value error, ') if told else 'not valid'}"


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


def _allowing(request: Request) -> Problem:
    """Name the methods of all routes with this path; the router itself tells those of one."""
    methods = {
        method
        for method in _METHODS
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }
    if "GET" in methods:
        methods.add("HEAD")
    allowed = ", ".join(sorted(methods))
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
