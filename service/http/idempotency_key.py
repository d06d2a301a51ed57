"""``Idempotency-Key``: a request sent again under its key is answered with what it made before.

After the IETF's draft (draft-ietf-httpapi-idempotency-key-header). The key is the client's free
text, so only its hash is kept; it is remembered as long as the prediction is.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Protocol, TypeVar

from fastapi import Depends
from starlette.requests import Request

from service.errors import CodedError
from service.http.openapi import describes
from service.identity.dependencies import Acting

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255


class Hashed(Protocol):
    @property
    def sha256(self) -> str: ...


class OfImage(Protocol):
    """What a request under a key made, of one image."""

    @property
    def image(self) -> Hashed: ...


R = TypeVar("R", bound=OfImage)


class KeyReusedError(CodedError):
    """The key was used for another file."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(f"{HEADER} was used for another file.")


class KeyInvalidError(CodedError):
    """Not 1 to 255 visible ASCII characters."""

    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__(f"{HEADER}: 1 to {LONGEST} visible ASCII characters are allowed.")


@describes(
    parameter={
        "name": HEADER,
        "in": "header",
        "required": False,
        "description": "A name for this request, a random UUID for example. Sent again under the "
        "same name, the same file is answered with the prediction that it made the first time.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"},
    }
)
async def hashed(request: Request, actor: Acting) -> str | None:
    """Return what is stored of the request's key, which is its sender's and nobody else's.

    Raises :class:`KeyInvalidError`.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise KeyInvalidError
    whose = "" if actor.id is None else f"{actor.id} "
    return hashlib.sha256(f"{whose}{key}".encode()).hexdigest()


IdempotencyKey = Annotated[str | None, Depends(hashed)]


def replayed(earlier: R, digest: str) -> R:
    """Return ``earlier`` where its file has this ``digest``. Raises :class:`KeyReusedError`."""
    if earlier.image.sha256 != digest:
        raise KeyReusedError
    return earlier
