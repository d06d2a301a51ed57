"""What a token of the identity provider says, once everything about it holds.

OpenID Connect Core 3.1.3.7 (id_token), Back-Channel Logout 2.6 (logout token), RFC 9068 (access
token of a program). Signatures are joserfc's; which algorithms and keys may make one, and what is
believed of what is signed, is decided here. A header names a key by ``kid`` and nothing else:
``jwk``, ``jku``, ``x5u`` and ``x5c`` are not looked at.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError

from service.identity.oidc.errors import RefusedError
from service.identity.oidc.keys import Keys, fitting

Claims = Mapping[str, Any]

LEEWAY: Final = timedelta(seconds=60)
"""Between the provider's clock and ours."""

OLDEST: Final = timedelta(minutes=6)
"""Since a token was made that has just been fetched. Entra ID dates its own five minutes back."""

LOGOUT_OLDEST: Final = timedelta(minutes=6)

LONGEST: Final = 512 * 1024
LONGEST_HEADER: Final = 16 * 1024
LONGEST_KID: Final = 256
LONGEST_ID: Final = 255
"""Characters of ``sub``, ``sid`` and ``jti``."""

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

ID_TYPES: Final = frozenset({None, "jwt"})
LOGOUT_TYPES: Final = frozenset({None, "jwt", "logout+jwt"})
ACCESS_TYPES: Final = frozenset({None, "jwt", "at+jwt"})
"""What ``typ`` of a header may say, in lower case: one kind of token is none of another."""


class KeyUnknownError(RefusedError):
    """No key that is known has signed it: a newer one may have."""


class _Registry(jws.JWSRegistry):
    """With room for hundreds of groups, and for a chain of certificates that nobody reads."""

    max_header_length = LONGEST_HEADER
    max_payload_length = LONGEST


def read(
    token: str, keys: Keys, algorithms: Collection[str], types: frozenset[str | None]
) -> Claims:
    """Return the claims of a signed token of one of these ``types``; nothing is said of them yet.

    Raises :class:`~service.identity.oidc.errors.RefusedError`, and :class:`KeyUnknownError` where
    it is for want of a key.
    """
    header = _header(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise RefusedError("token_algorithm")
    if "crit" in header or "b64" in header or _type(header) not in types:
        raise RefusedError("token_header")
    id = header.get("kid")
    if id is not None and (not isinstance(id, str) or not 1 <= len(id) <= LONGEST_KID):
        raise RefusedError("token_key")
    found = fitting(keys, id, algorithm)
    if not found:
        raise KeyUnknownError("token_key")
    registry = _Registry(algorithms=[algorithm], strict_check_header=False)
    for key in found:
        try:
            signed = jws.deserialize_compact(
                token, key.public, algorithms=[algorithm], registry=registry
            )
        except BadSignatureError:
            continue
        except (JoseError, ValueError, TypeError):
            raise RefusedError("token_malformed") from None
        return _object(signed.payload)
    raise KeyUnknownError("token_signature")


def id_token(claims: Claims, issuer: str, client: str, nonce: str, at: datetime) -> Claims:
    """Return ``claims`` where they are of somebody who has just signed in to ``client``."""
    _issued_by(claims, issuer)
    _for_client(claims, client)
    if not _same(claims.get("nonce"), nonce):
        raise RefusedError("token_nonce")
    _in_time(claims, at, OLDEST)
    if "events" in claims:
        raise RefusedError("token_claims")
    _text(claims, "sub")
    return claims


def logout_token(claims: Claims, issuer: str, client: str, at: datetime) -> Claims:
    """Return ``claims`` where they ask for somebody to be signed out."""
    _issued_by(claims, issuer)
    _for_client(claims, client)
    # Its own time is what bounds how long an id of one has to be remembered.
    _in_time(claims, at, LOGOUT_OLDEST, must_end=False)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise RefusedError("token_claims")
    if "nonce" in claims:
        raise RefusedError("token_claims")
    _text(claims, "jti")
    named = [name for name in ("sub", "sid") if claims.get(name) is not None]
    if not named:
        raise RefusedError("token_claims")
    for name in named:
        _text(claims, name)
    return claims


def access_token(claims: Claims, issuer: str, audience: str, at: datetime) -> Claims:
    """Return ``claims`` where they are of a program that comes to us."""
    _issued_by(claims, issuer)
    if audience not in _audience(claims):
        raise RefusedError("token_audience")
    _in_time(claims, at, None)
    # An id_token has a nonce, and a message to sign out its events.
    if "nonce" in claims or "events" in claims:
        raise RefusedError("token_claims")
    return claims


def moment(claims: Claims, name: str) -> datetime | None:
    """Return a claim that is a time; None where there is none."""
    if claims.get(name) is None:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError("token_claims")
    try:
        return datetime.fromtimestamp(value, UTC)
    # What is no number, or one that no calendar has.
    except (ValueError, OverflowError, OSError):
        raise RefusedError("token_claims") from None


def _issued_by(claims: Claims, issuer: str) -> None:
    if claims.get("iss") != issuer:
        raise RefusedError("token_issuer")


def _audience(claims: Claims) -> list[str]:
    told = claims.get("aud")
    found = [told] if isinstance(told, str) else told
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise RefusedError("token_audience")
    return found


def _for_client(claims: Claims, client: str) -> None:
    """``azp`` says for whom it was made where several may read it."""
    found = _audience(claims)
    several = len(set(found)) > 1
    if client not in found or (several and claims.get("azp") is None):
        raise RefusedError("token_audience")
    if claims.get("azp") is not None and claims["azp"] != client:
        raise RefusedError("token_audience")


def _in_time(
    claims: Claims, at: datetime, oldest: timedelta | None, *, must_end: bool = True
) -> None:
    """``oldest``: since it was made, where it has to say when."""
    ends, begins, made = (moment(claims, name) for name in ("exp", "nbf", "iat"))
    if (ends is None and must_end) or (made is None and oldest is not None):
        raise RefusedError("token_claims")
    is_over = ends is not None and ends <= at - LEEWAY
    is_early = any(one is not None and one > at + LEEWAY for one in (begins, made))
    is_old = oldest is not None and made is not None and made < at - oldest
    if is_over or is_early or is_old:
        raise RefusedError("clock")


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_ID or not value.isprintable():
        raise RefusedError("token_claims")
    return value


def _same(told: Any, known: str) -> bool:
    return isinstance(told, str) and hmac.compare_digest(
        told.encode("utf-8", "replace"), known.encode()
    )


def _type(header: Mapping[str, Any]) -> str | None:
    told = header.get("typ")
    if told is None:
        return None
    return str(told).lower().removeprefix("application/") if isinstance(told, str) else ""


def _header(token: str) -> Mapping[str, Any]:
    if len(token) > LONGEST or not token.isascii() or token.count(".") != 2:
        raise RefusedError("token_malformed")
    first = token.partition(".")[0]
    if len(first) > LONGEST_HEADER:
        raise RefusedError("token_malformed")
    try:
        raw = base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError("token_malformed") from None
    return _object(raw)


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise RefusedError("token_malformed") from None
    if not isinstance(found, dict):
        raise RefusedError("token_malformed")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two members of one name readers would take different ones (RFC 8725, 2.4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found
