"""The one cookie header of a request, read in linear time, and where its reader leaves it.

Nothing behind :class:`~service.http.locale.LocaleMiddleware` sees the header itself: FastAPI would
read it for every request, by Python's own parser, for which older patch levels take quadratic time
(CVE-2024-7592).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.types import Scope

SCOPE: Final = "osteoserve.cookies"


def values(header: str, name: str) -> Sequence[str]:
    """Return what each cookie of this ``name`` holds. Ours are never quoted."""
    pairs = (pair.partition("=") for pair in header.split(";"))
    return [value.strip() for found, _separator, value in pairs if found.strip() == name]


def sent(scope: Scope, name: str) -> Sequence[str]:
    """Return what a request's cookies of this ``name`` hold."""
    return values(scope.get(SCOPE, ""), name)
