"""What a listener says when it ends a connection itself, before or instead of the application.

The same shape as every other problem (RFC 9457); the front's table of problems has these rows too,
and a test holds them to be the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final


@dataclass(frozen=True)
class Refusal:
    """A problem that is answered without anybody having read the request."""

    code: str
    status: int
    title: str
    detail: str
    retry_after: int | None = None

    def answer(self) -> bytes:
        """Return the whole answer, after which the connection is closed.

        ``instance`` is missing: the path may not be here yet, or be longer than is read.
        """
        document = {
            "type": f"/problems#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        content = json.dumps(document).encode()
        retry = "" if self.retry_after is None else f"retry-after: {self.retry_after}\r\n"
        head = (
            f"HTTP/1.1 {self.status} {_phrase(self.status)}\r\n"
            "content-type: application/problem+json\r\n"
            f"content-length: {len(content)}\r\n"
            "cache-control: no-store\r\n"
            "x-content-type-options: nosniff\r\n"
            f"{retry}connection: close\r\n\r\n"
        )
        return head.encode("ascii") + content


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


HEAD_TOO_LARGE: Final = Refusal(
    "head_too_large",
    431,
    "Headers are too large",
    "The request's line and headers are more than is read here.",
)
HEAD_TIMEOUT: Final = Refusal(
    "head_timeout",
    408,
    "Request did not arrive",
    "The request's headers took too long.",
)
UPLOAD_TIMEOUT: Final = Refusal(
    "upload_timeout",
    408,
    "Upload took too long",
    "The upload paused, or was slower than is waited for.",
)
TOO_MANY_CONNECTIONS: Final = Refusal(
    "too_many_connections",
    503,
    "Too many connections",
    "All connections that are held at a time are in use.",
    retry_after=5,
)
BAD_REQUEST: Final = Refusal(
    "bad_request",
    400,
    "Request cannot be answered",
    "This is no request of HTTP/1.1 that is understood here.",
)
NO_UPGRADE: Final = Refusal(
    "bad_request",
    400,
    "Request cannot be answered",
    "Nothing but HTTP/1.1 is spoken here, no WebSocket either: leave Upgrade out.",
)

ALL: Final = (
    HEAD_TOO_LARGE,
    HEAD_TIMEOUT,
    UPLOAD_TIMEOUT,
    TOO_MANY_CONNECTIONS,
    BAD_REQUEST,
    NO_UPGRADE,
)

ENDS: Final = (*sorted({one.code for one in ALL}), "silent", "unread", "displaced")
"""Why a listener ends a connection: what it answered, or without a word a connection on which
nothing was ever asked, one that does not take its answer, one that made room for another."""
