"""``ETag`` and ``If-Match`` (RFC 9110): a change is only made to what its sender has seen."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.requests import Request

from service.http.openapi import describes

_TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e]{0,64})"')
"""Also a weak one: who compresses on the way makes ours weak."""

MOST: Final = 16
"""Versions that one request may name."""


def tag(version: str) -> dict[str, str]:
    """Return the header that tells a client the ``version`` of what it gets."""
    return {"ETag": f'"{version}"'}


@describes(
    parameter={
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` that came with what you have read. If somebody else has written "
        "since, nothing is changed and the answer is 412, with what is kept now. Without it, "
        "whatever is there is taken as read.",
        "schema": {"type": "string", "maxLength": 1024},
    }
)
async def demanded(request: Request) -> frozenset[str] | None:
    """Return the versions that the request may change; None: whichever there is.

    What is no list of tags matches nothing.
    """
    header = ",".join(request.headers.getlist("if-match"))
    if not header or header.strip() == "*":
        return None
    return frozenset(_TAG.findall(header)[:MOST])


IfMatch = Annotated[frozenset[str] | None, Depends(demanded)]

ETAG: Final[dict[str, Any]] = {
    "ETag": {
        "description": "The version of what is kept, for `If-Match`.",
        "schema": {"type": "string"},
    }
}
