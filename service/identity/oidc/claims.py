"""Who somebody is by the claims of their id_token, and which groups they are in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from service.identity.oidc import tokens
from service.identity.oidc.errors import RefusedError
from service.identity.oidc.settings import ClaimNames
from service.identity.oidc.tokens import Claims
from service.identity.schemas import LONGEST_NAME

MOST_GROUPS: Final = 10_000
LONGEST_SUBJECT: Final = 512

_NOT_IN_LOGIN: Final = re.compile(r"[^a-z0-9._@+-]+")
_LONGEST_LOGIN: Final = 56
"""What is added where somebody has it already makes 64 of it."""


@dataclass(frozen=True, kw_only=True)
class Who:
    """Somebody whom the identity provider has signed in."""

    issuer: str
    subject: str
    """With the issuer what they are known by. Nothing else is: addresses of mail move on."""
    sub: str
    sid: str | None
    login: str
    name: str
    groups: frozenset[str]
    proved_at: datetime | None
    """``auth_time``: when they last proved who they are; None: nobody has said."""


def who(claims: Claims, issuer: str, names: ClaimNames) -> Who:
    """Return whoever ``claims`` are of, by the ``names`` that this issuer has for what they say.

    Raises :class:`~service.identity.oidc.errors.RefusedError`: ``overage`` where groups are not in
    the token because they are too many.
    """
    sub = str(claims["sub"])
    login = login_of(_first(claims, names.login))
    sid = claims.get("sid")
    if sid is not None and (not isinstance(sid, str) or not 1 <= len(sid) <= tokens.LONGEST_ID):
        raise RefusedError("token_claims")
    return Who(
        issuer=issuer,
        subject=_subject(claims, names.subject),
        sub=sub,
        sid=sid,
        login=login,
        name=name_of(_first(claims, names.name)) or login,
        groups=_groups(claims, names.groups),
        proved_at=tokens.moment(claims, "auth_time"),
    )


def _subject(claims: Claims, names: Sequence[str]) -> str:
    values = [claims.get(name) for name in names]
    if not all(isinstance(value, str) and value for value in values):
        raise RefusedError("token_claims")
    told = str(values[0]) if len(values) == 1 else json.dumps(values, separators=(",", ":"))
    if len(told) > LONGEST_SUBJECT or not told.isprintable():
        raise RefusedError("token_claims")
    return told


def _first(claims: Claims, names: Sequence[str]) -> str:
    found = (claims.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value.strip()), "")


def login_of(told: str) -> str:
    """Return ``told`` as a name for signing in; it opens nothing, since there is no password."""
    plain = _NOT_IN_LOGIN.sub("-", told.strip().lower()[:200]).strip("._@+-")
    return plain[:_LONGEST_LOGIN] if len(plain) > 1 else "somebody"


def name_of(told: str) -> str:
    """Return ``told`` on one line, as it stands beside what somebody signs."""
    kept = "".join(one if one.isprintable() else " " for one in told[:400])
    return " ".join(kept.split())[:LONGEST_NAME].strip()


def _groups(claims: Claims, name: str) -> frozenset[str]:
    told = _found(claims, name)
    if told is None:
        if _are_elsewhere(claims, name):
            raise RefusedError("overage")
        return frozenset()
    listed = [told] if isinstance(told, str) else told
    if not isinstance(listed, list) or len(listed) > MOST_GROUPS:
        raise RefusedError("token_claims")
    return frozenset(one for one in listed if isinstance(one, str) and one)


def _found(claims: Claims, name: str) -> Any:
    """Return a claim by its name, which may have dots itself, or by the way that dots lead."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _are_elsewhere(claims: Claims, name: str) -> bool:
    """Whether Entra ID has left groups out, and tells where they could be asked for instead."""
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and name in elsewhere:
        return True
    return name == "groups" and claims.get("hasgroups") in (True, "true")
