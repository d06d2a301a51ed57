"""``Idempotency-Key``: a request sent again under its key is answered with what it made before.

After the IETF's draft (draft-ietf-httpapi-idempotency-key-header). The key is the client's free
text, so only its hash is kept; it is remembered as long as the prediction is.
"""

from __future__ import annotations

import hashlib
from typing import Final

from service.predictions.schemas import Prediction

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255


class KeyReusedError(Exception):
    """The key was used for another file."""


class KeyInvalidError(Exception):
    """Not 1 to 255 visible ASCII characters."""


def hashed(key: str) -> str:
    """Return what is stored of ``key``. Raises :class:`KeyInvalidError`."""
    if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise KeyInvalidError
    return hashlib.sha256(key.encode()).hexdigest()


def replayed(earlier: Prediction, digest: str) -> Prediction:
    """Return ``earlier`` where its file has this ``digest``. Raises :class:`KeyReusedError`."""
    if earlier.image.sha256 != digest:
        raise KeyReusedError
    return earlier
