"""Bounded reading of small bodies: a JSON object from programs, an HTML form from pages."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends
from starlette.requests import Request

from service.errors import ServiceError
from service.http.openapi import describes, json_content

T = TypeVar("T")

MAX_BYTES: Final = 16 * 1024
"""Far more than any form here needs, and read before anybody knows what it is."""

MAX_FIELDS: Final = 96


def json_body(
    kind: Any, parse: Callable[[Mapping[str, Any]], T], example: Mapping[str, Any]
) -> Callable[[Request], Awaitable[T]]:
    """Return the dependency that is the JSON body as ``parse`` reads it.

    The API's document describes it as ``kind``, a pydantic model or a union of some.
    """

    @describes(body=json_content(kind, example))
    async def dependency(request: Request) -> T:
        return parse(await _json_fields(request))

    return dependency


async def _json_fields(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await _body(request), parse_constant=_no_number)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ServiceError("malformed_body", "The body is not a JSON object in UTF-8.")
    return found


async def form_fields(request: Request) -> dict[str, str]:
    """Return the fields of a posted form, without those left empty.

    A field that is named twice counts once, with its last value. Raises
    :class:`~service.errors.ServiceError`.
    """
    try:
        pairs = parse_qsl(
            (await _body(request)).decode("ascii"),
            max_num_fields=MAX_FIELDS,
            errors="strict",
            strict_parsing=True,
            keep_blank_values=True,
        )
    except ValueError:
        raise ServiceError("malformed_body", "The body is not a form as pages send it.") from None
    return {name: value for name, value in pairs if value.strip()}


FormBody = Annotated[dict[str, str], Depends(form_fields)]
"""The fields of the form that the request posts."""


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ServiceError("payload_too_large", f"The body is larger than {MAX_BYTES} bytes.")
    return bytes(body)


def _no_number(_name: str) -> float:
    raise ValueError("NaN and Infinity are not JSON")
