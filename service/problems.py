"""What can go wrong, as RFC 9457 problem details: one table, one shape, one place that renders it.

::

    Problem                       has a code; status and title come from KINDS
    ScanError (models.errors)     the file cannot be read     → its own code, a row of KINDS each
    RunnersUnavailableError            no base runner answered     → runners_unavailable
    OverloadedError                    no decoder in time          → overloaded
    StorageUnavailableError            the database did not answer → storage_unavailable
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
from service.analysis import OverloadedError, RunnersUnavailableError
from service.pages import ErrorPage, Pages
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
    "unreadable_scan": Kind(422, "File cannot be read", "Export the image again and send that."),
    "empty_file": Kind(422, "File is empty", "The upload held no bytes. Choose the file again."),
    "unsupported_format": Kind(
        415, "Not an image we read", "Send PNG, JPEG, TIFF or DICOM; others need converting first."
    ),
    "corrupt_file": Kind(
        422, "File is damaged", "It is cut short or not what its header says. Export it again."
    ),
    "too_many_pixels": Kind(413, "Image is too large", "Export it at the scanner's resolution."),
    "too_few_pixels": Kind(422, "Image is too small", "Send the full image, not a thumbnail."),
    "constant_image": Kind(422, "Image is blank", "Every pixel has the same value."),
    "multiple_frames": Kind(
        422, "File holds several images", "Send one file for each image: no animation, no stack."
    ),
    "unsupported_colour": Kind(
        422, "Colours cannot be read as grey", "Export the scan as greyscale or plain RGB."
    ),
    "transparency": Kind(
        422, "Image is partly transparent", "What shows depends on a background. Flatten it first."
    ),
    "no_pixel_data": Kind(
        422, "DICOM file without an image", "Reports and structured files hold nothing to judge."
    ),
    "missing_tag": Kind(422, "DICOM tag is missing", "The pixels cannot be read without it."),
    "invalid_tag": Kind(422, "DICOM tag is invalid", "Its value cannot be used for the pixels."),
    "unsupported_transfer_syntax": Kind(
        415, "DICOM compression not supported", "Send it uncompressed, or as JPEG, JPEG-LS, "
        "JPEG 2000 or RLE."
    ),
    # How it was sent.
    "payload_too_large": Kind(413, "File is too large", "Send a smaller file; one will do."),
    "unsupported_media_type": Kind(
        415, "Content type not accepted", "Send multipart/form-data with the field file, or the "
        "file itself as image/png, image/jpeg, image/tiff, application/dicom or "
        "application/octet-stream."
    ),
    "content_type_mismatch": Kind(
        415, "Content is not what its type says", "Name the true type, or leave it out."
    ),
    "malformed_upload": Kind(400, "Upload cannot be parsed", "The multipart body is broken."),
    "missing_file": Kind(422, "No file was sent", "Put the image into the form field file."),
    "several_files": Kind(422, "More than one file was sent", "Send one request for each image."),
    "upload_timeout": Kind(408, "Upload took too long", "Send it again over a faster line."),
    "client_disconnected": Kind(499, "Client went away", "Nobody was left to read the answer."),
    # What was asked for.
    "not_found": Kind(404, "Nothing here", "No page or resource has this address."),
    "prediction_not_found": Kind(
        404, "No such result", "It was never made here, or it has been removed."
    ),
    "method_not_allowed": Kind(405, "Method not allowed", "The Allow header names those that are."),
    "invalid_request": Kind(422, "Request is invalid", "A parameter has a value that cannot be."),
    "cross_origin": Kind(
        403, "Sent from another site", "Files are only accepted from this site's own pages; "
        "programs send neither Origin nor Sec-Fetch-Site."
    ),
    "bad_request": Kind(400, "Request cannot be answered", "See detail."),
    # What is wrong here.
    "runners_unavailable": Kind(
        503, "No model is available", "Nothing was judged or stored. Try again after Retry-After."
    ),
    "overloaded": Kind(
        503, "Too busy", "Nothing was judged or stored. Try again after Retry-After."
    ),
    "storage_unavailable": Kind(
        503, "Results cannot be stored or read", "The database does not answer. Nothing was "
        "stored. Try again after Retry-After."
    ),
    "not_ready": Kind(503, "Not ready", "See checks for what is being waited for."),
    "internal_error": Kind(
        500, "Something went wrong here", "This is our mistake; it has been logged."
    ),
}  # fmt: skip

_HTTP_CODES: Final[Mapping[int, str]] = {404: "not_found", 405: "method_not_allowed"}


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
            title=problem.kind.title,
            detail=problem.detail,
            help=problem.kind.help,
            code=problem.code,
            instance=instance,
            retry_after=headers.get("Retry-After"),
        )
        return pages.respond(page, problem.kind.status, {**headers, "Cache-Control": "no-store"})
    return JSONResponse(
        problem.document(instance), problem.kind.status, headers, media_type=MEDIA_TYPE
    )


def wants_page(request: Request) -> bool:
    """Programs' paths answer JSON; elsewhere a page, unless the client asks for JSON alone."""
    if request.url.path.startswith(("/api/", "/health/", "/metrics")):
        return False
    accept = request.headers.get("accept", "").lower()
    return "json" not in accept or "text/html" in accept


def _from_validation(error: RequestValidationError) -> Problem:
    # Names only: a value may be anything, and it is the sender's own to look up.
    names = sorted({".".join(map(str, item["loc"])) for item in error.errors()})
    return Problem("invalid_request", "Not valid: " + ", ".join(names) + ".")


def _from_http(error: HTTPException) -> Problem:
    code = _HTTP_CODES.get(error.status_code)
    headers = dict(error.headers or {})
    if code == "method_not_allowed":
        return Problem(code, f"Allowed here: {headers.get('Allow', 'see the API page')}.", headers)
    if code == "not_found":
        return Problem(code, "No page or resource has this address.", headers)
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
