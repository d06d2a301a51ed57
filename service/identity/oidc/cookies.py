"""A cookie for each sign-in under way: only the browser that it began in can end it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Final

from starlette.responses import Response
from starlette.types import Scope

from service.http.cookies import SCOPE, sent
from service.identity.cookie import SessionCookie

SECONDS: Final = 600
MOST: Final = 5
"""In one browser at a time; of one more the oldest gives way."""


class FlowCookies:
    """Named after the session's, so that they are marked for https as it is.

    ``kind``: of which sign-ins; those of another kind are others.
    """

    def __init__(self, session: SessionCookie, kind: str = "flow") -> None:
        self._session = session
        self._prefix = f"{session.name}-{kind}-"

    def put(self, scope: Scope, response: Response, state: str, token: str) -> None:
        """Have the browser send ``token`` with what the provider answers to ``state``."""
        kept = sorted(self._all(scope))
        for _begun, name in kept[: max(0, len(kept) - MOST + 1)]:
            self._session.set(response, name, "", seconds=0)
        value = f"{int(time.time())}.{token}"
        self._session.set(response, self._name(state), value, seconds=SECONDS)

    def token(self, scope: Scope, state: str) -> str | None:
        """Return what the browser has of the sign-in ``state``; None: it began elsewhere."""
        found = sent(scope, self._name(state))
        return found[0].partition(".")[2] if len(found) == 1 else None

    def clear(self, response: Response, state: str) -> None:
        self._session.set(response, self._name(state), "", seconds=0)

    def _name(self, state: str) -> str:
        return self._prefix + hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()[:16]

    def _all(self, scope: Scope) -> Iterator[tuple[int, str]]:
        for pair in str(scope.get(SCOPE, "")).split(";"):
            name, _separator, value = (part.strip() for part in pair.partition("="))
            if name.startswith(self._prefix) and len(name) == len(self._prefix) + 16:
                begun = value.partition(".")[0]
                yield int(begun) if begun.isdecimal() and len(begun) < 16 else 0, name
