"""What can go wrong, as RFC 9457 problem details: one table, one shape, one place that renders it.

::

    Problem                       has a code; status and title come from KINDS
    ScanError (models.errors)     the file cannot be read     → its own code, a row of KINDS each
    RunnersUnavailableError            no base runner answered     → runners_unavailable
    OverloadedError                    no decoder in time          → overloaded
    StorageUnavailableError            the database did not answer → storage_unavailable
    ExplanationError              no heat map to show         → its own code
    ReviewError                   a review that cannot be     → invalid_review
    anything else                 a bug                       → internal_error, text never shown

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

from models.errors import ScanError
from service import language
from service.analysis import OverloadedError, RunnersUnavailableError
from service.explanation import ExplanationError
from service.language import N_, _
from service.negotiation import weight
from service.pages import ErrorPage, Pages
from service.review import ALLOWED, ReviewError
from service.storage import StorageUnavailableError

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A row of the table: what a code means, wherever it turns up."""

    status: int
    title: str
    help: str


KINDS: Final[Mapping[str, Kind]] = {
    # What was sent cannot be read as one scan (models.errors).
    "unreadable_scan": Kind(
        422, N_("File cannot be read"), N_("Export the image again and send that.")
    ),
    "empty_file": Kind(
        422, N_("File is empty"), N_("The upload held no bytes. Choose the file again.")
    ),
    "unsupported_format": Kind(
        415,
        N_("Not an image we read"),
        N_("Send PNG, JPEG, TIFF or DICOM; others need converting first."),
    ),
    "corrupt_file": Kind(
        422,
        N_("File is damaged"),
        N_("It is cut short or not what its header says. Export it again."),
    ),
    "too_many_pixels": Kind(
        413, N_("Image is too large"), N_("Export it at the scanner's resolution.")
    ),
    "too_few_pixels": Kind(
        422, N_("Image is too small"), N_("Send the full image, not a thumbnail.")
    ),
    "constant_image": Kind(422, N_("Image is blank"), N_("Every pixel has the same value.")),
    "multiple_frames": Kind(
        422,
        N_("File holds several images"),
        N_("Send one file for each image: no animation, no stack."),
    ),
    "unsupported_colour": Kind(
        422, N_("Colours cannot be read as grey"), N_("Export the scan as greyscale or plain RGB.")
    ),
    "transparency": Kind(
        422,
        N_("Image is partly transparent"),
        N_("What shows depends on a background. Flatten it first."),
    ),
    "no_pixel_data": Kind(
        422,
        N_("DICOM file without an image"),
        N_("Reports and structured files hold nothing to judge."),
    ),
    "missing_tag": Kind(
        422, N_("DICOM tag is missing"), N_("The pixels cannot be read without it.")
    ),
    "invalid_tag": Kind(
        422, N_("DICOM tag is invalid"), N_("Its value cannot be used for the pixels.")
    ),
    "unsupported_transfer_syntax": Kind(
        415,
        N_("DICOM compression not supported"),
        N_("Send it uncompressed, or as JPEG, JPEG-LS, JPEG 2000 or RLE."),
    ),
    # How it was sent.
    "payload_too_large": Kind(
        413, N_("File is too large"), N_("Send a smaller file; one will do.")
    ),
    "unsupported_media_type": Kind(
        415,
        N_("Content type not accepted"),
        N_(
            "Send multipart/form-data with the field file, or the "
            "file itself as image/png, image/jpeg, image/tiff, application/dicom or "
            "application/octet-stream."
        ),
    ),
    "content_type_mismatch": Kind(
        415, N_("Content is not what its type says"), N_("Name the true type, or leave it out.")
    ),
    "malformed_upload": Kind(
        400, N_("Upload cannot be parsed"), N_("The multipart body is broken.")
    ),
    "malformed_body": Kind(
        400, N_("Request cannot be parsed"), N_("Send what the API page or the form describes.")
    ),
    "invalid_review": Kind(
        422,
        N_("Review cannot be taken"),
        N_("Sign, or override with another outcome and a reason; say who you are."),
    ),
    "missing_file": Kind(
        422, N_("No file was sent"), N_("Put the image into the form field file.")
    ),
    "several_files": Kind(
        422, N_("More than one file was sent"), N_("Send one request for each image.")
    ),
    "upload_timeout": Kind(
        408, N_("Upload took too long"), N_("Send it again over a faster line.")
    ),
    "client_disconnected": Kind(
        499, N_("Client went away"), N_("Nobody was left to read the answer.")
    ),
    "invalid_archive": Kind(
        422,
        N_("Archive cannot be taken"),
        N_("Pack the images again as a plain zip file, or choose them one by one."),
    ),
    "encrypted_archive": Kind(
        422, N_("Archive is encrypted"), N_("Pack the images again without a password.")
    ),
    "batch_too_large": Kind(
        413, N_("Batch is too large"), N_("Send fewer images at a time, as several batches.")
    ),
    # What was asked for.
    "not_found": Kind(404, N_("Nothing here"), N_("No page or resource has this address.")),
    "prediction_not_found": Kind(
        404, N_("No such result"), N_("It was never made here, or it has been removed.")
    ),
    "no_heat_map": Kind(
        404,
        N_("No heat map"),
        N_("Not every model draws one, and one that did not vote has nothing to show."),
    ),
    "model_changed": Kind(
        409,
        N_("Model has changed"),
        N_("The map of another version would explain another vote. Analyse the image again."),
    ),
    "batch_not_found": Kind(404, N_("No such batch"), N_("No batch has this number.")),
    "patient_not_found": Kind(
        404, N_("No such patient"), N_("No study that is kept has this patient.")
    ),
    "invalid_study": Kind(
        422, N_("Study facts cannot be taken"), N_("The fields named above need another value.")
    ),
    "method_not_allowed": Kind(
        405, N_("Method not allowed"), N_("The Allow header names those that are.")
    ),
    "invalid_request": Kind(
        422, N_("Request is invalid"), N_("A parameter has a value that cannot be.")
    ),
    "invalid_facts": Kind(
        422, N_("Facts cannot be taken"), N_("See faults: each names a fact and what is allowed.")
    ),
    "cross_origin": Kind(
        403,
        N_("Sent from another site"),
        N_(
            "Files are only accepted from this site's own pages; "
            "programs send neither Origin nor Sec-Fetch-Site."
        ),
    ),
    "bad_request": Kind(400, N_("Request cannot be answered"), N_("See detail.")),
    "too_many_requests": Kind(
        429,
        N_("Too many requests"),
        N_("Nothing was judged or stored. Try again after Retry-After."),
    ),
    # What is wrong here.
    "model_unavailable": Kind(
        503, N_("Model does not answer"), N_("The result stands. Try again after Retry-After.")
    ),
    "runners_unavailable": Kind(
        503,
        N_("No model is available"),
        N_("Nothing was judged or stored. Try again after Retry-After."),
    ),
    "overloaded": Kind(
        503, N_("Too busy"), N_("Nothing was judged or stored. Try again after Retry-After.")
    ),
    "bulk_busy": Kind(
        503,
        N_("Too many batches"),
        N_("Nothing was taken. Send the batch again after Retry-After."),
    ),
    "storage_unavailable": Kind(
        503,
        N_("Results cannot be stored or read"),
        N_("The database does not answer. Nothing was stored. Try again after Retry-After."),
    ),
    "not_ready": Kind(503, N_("Not ready"), N_("See checks for what is being waited for.")),
    "models_unreadable": Kind(
        500,
        N_("Models cannot be shown"),
        N_("What lies beside the front is not what was trained. Whoever runs it must look."),
    ),
    "internal_error": Kind(
        500, N_("Something went wrong here"), N_("This is our mistake; it has been logged.")
    ),
}

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
        case RunnersUnavailableError() | OverloadedError() | StorageUnavailableError():
            return Problem(error.code, str(error), {"Retry-After": _seconds(error.retry_after)})
        case ExplanationError():
            wait = {} if error.retry_after is None else {"Retry-After": _seconds(error.retry_after)}
            return Problem(error.code, str(error), wait)
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
    instance = request.url.path
    headers = dict(problem.headers)
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
        headers["Cache-Control"] = "no-store"
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
        return Problem(code, f"Allowed here: {headers.get('Allow', 'see the API page')}.", headers)
    if code == "not_found":
        return Problem(code, N_("No page or resource has this address."), headers)
    if code == "too_many_requests":
        return Problem(code, N_("More was asked for than is answered at once."), headers)
    if error.status_code < 500:
        return Problem("bad_request", "The request cannot be answered as it is.", headers)
    return Problem("internal_error", "The request could not be answered.", headers)


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
