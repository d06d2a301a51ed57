"""By what the identity provider knows whom its directory names."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

_TENANT: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def template(claims: Sequence[str], issuer: str) -> tuple[str | None, ...] | None:
    """Return the parts of a subject, with None for ``externalId``; None: they cannot be known.

    Of Entra ID's ``tid`` and ``oid`` the first is in the issuer's address.
    """
    if len(claims) == 1:
        return (None,)
    tenants = _TENANT.findall(urlsplit(issuer).path)
    parts = tuple(tenants[0] if name == "tid" and tenants else None for name in claims)
    return parts if parts.count(None) == 1 else None


def subject(parts: tuple[str | None, ...], external_id: str) -> str:
    """Return the subject as a sign-in finds it (:func:`service.identity.oidc.claims.who`)."""
    told = [external_id if part is None else part for part in parts]
    return told[0] if len(told) == 1 else json.dumps(told, separators=(",", ":"))
