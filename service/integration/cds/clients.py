"""Which records may call: a TOML file, read once at the start, and their signed tokens.

::

    [[client]]
    name = "ehr"
    issuer = "https://ehr.clinic.example"
    keys = "/etc/osteoserve/ehr.jwks.json"      # its public keys, a JWK set
    site = "default"
    origins = ["https://ehr.clinic.example"]    # of its pages, where a browser calls
    fhir = "https://fhir.clinic.example/r4"     # the one server that a patient is asked of
    system = "urn:oid:1.2.3.4"                  # of the identifiers that are compared

A token names its endpoint, lives at most five minutes and is used once (CDS Hooks 2.0, "Trusting
CDS Clients"). Keys come from the file alone: no address in a token is looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from service.clock import now
from service.identity.actor import DEFAULT_SITE, Actor
from service.identity.attempts import Attempts
from service.identity.events import SignInFailed
from service.identity.oidc import repository, tokens
from service.identity.oidc.errors import RefusedError
from service.identity.oidc.keys import Keys, keys
from service.integration.destinations import Name
from service.storage.transaction import Transaction, Transactions

ALGORITHMS: Final = ("ES384", "RS384")
TYPES: Final = frozenset({None, "jwt"})
LONGEST_LIFE: Final = timedelta(minutes=5)
_SPACE: Final = UUID("0f3a1f8e-7a52-4a5c-9d3e-0b6f1a0f8c11")

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+$")]


class ClientsError(ValueError):
    """The file cannot be used; the message says why."""


class Client(BaseModel):
    """A record that calls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    issuer: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    keys: Path
    site: Name = DEFAULT_SITE
    origins: tuple[Origin, ...] = ()
    fhir: Url | None = None
    system: str | None = None

    def actor(self, address: str | None) -> Actor:
        """Return whom its calls are: a program that reads the site's results, and no more."""
        return Actor(
            site=self.site,
            id=uuid5(_SPACE, f"{self.site}/{self.name}"),
            name=self.name,
            roles=frozenset({"viewer"}),
            address=address,
        )


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    client: Annotated[tuple[Client, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Known:
    client: Client
    keys: Keys


def read(path: Path | None) -> tuple[Known, ...]:
    """Return who is named in ``path``, with their keys. Raises :class:`ClientsError`."""
    if path is None:
        return ()
    try:
        found = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ClientsError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ClientsError(f"{path} is no TOML: {error}") from None
    except ValidationError as error:
        said = (
            f"{path}: {'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_url=False, include_context=False)
        )
        raise ClientsError("\n".join(said)) from None
    issuers = [one.issuer for one in found.client]
    if len(issuers) != len(set(issuers)):
        raise ClientsError(f"{path}: two clients have the same issuer")
    return tuple(Known(one, _keys(path, one)) for one in found.client)


def _keys(path: Path, client: Client) -> Keys:
    try:
        told = json.loads(client.keys.read_text("utf-8"))
    except (OSError, ValueError):
        told = None
    found = keys(told) if isinstance(told, dict) else ()
    if not found:
        raise ClientsError(f"{path}: {client.keys} is no JWK set with a public key of RSA or P-384")
    return found


class Clients:
    """Raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        known: tuple[Known, ...],
        public_url: str | None,
        transactions: Transactions,
        attempts: Attempts,
    ) -> None:
        self._known = {one.client.issuer: one for one in known}
        self._public_url = None if public_url is None else public_url.rstrip("/")
        self._transactions = transactions
        self._attempts = attempts

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(origin for one in self._known.values() for origin in one.client.origins)

    def of(self, actor: Actor) -> Client | None:
        """Return the client that ``actor`` is; None: a program with a key."""
        for one in self._known.values():
            if one.client.actor(None).id == actor.id:
                return one.client
        return None

    async def find(self, token: str, address: str | None, url: str, path: str) -> Actor | None:
        """Return the client that has signed ``token`` for this endpoint; None where it opens
        nothing, which counts as a failed try.
        """
        known = self._known.get(_issuer(token))
        if known is None:
            return None
        try:
            return await self._read(token, known, address, self._endpoint(url, path))
        except RefusedError as error:
            await self._attempts.begin("", address)
            event = SignInFailed(actor=Actor(address=address), person_id=None, reason=error.reason)
            await self._transactions.emit(event)
            return None

    def _endpoint(self, url: str, path: str) -> str:
        return url if self._public_url is None else self._public_url + path

    async def _read(self, token: str, known: Known, address: str | None, endpoint: str) -> Actor:
        at, client = now(), known.client
        claims = tokens.read(token, known.keys, ALGORITHMS, TYPES)
        tokens.access_token(claims, client.issuer, endpoint, at)
        made, ends = tokens.moment(claims, "iat"), tokens.moment(claims, "exp")
        if made is None or ends is None:
            raise RefusedError("token_claims")
        if ends - made > LONGEST_LIFE + tokens.LEEWAY or made < at - LONGEST_LIFE - tokens.LEEWAY:
            raise RefusedError("stale")
        number = claims.get("jti")
        if not isinstance(number, str) or not 1 <= len(number) <= tokens.LONGEST_ID:
            raise RefusedError("token_claims")
        used = hashlib.sha256(f"cds\n{client.issuer}\n{number}".encode()).hexdigest()

        async def work(transaction: Transaction) -> bool:
            return await repository.use_once(
                transaction.connection, used, at, ends + 2 * tokens.LEEWAY
            )

        if not await self._transactions.write(work):
            raise RefusedError("logout_used")
        return client.actor(address)


def _issuer(token: str) -> str:
    """Return who a token says that it is from; nothing is believed of it yet."""
    parts = token.split(".")
    if len(parts) != 3 or len(parts[1]) > tokens.LONGEST_HEADER:
        return ""
    try:
        raw = base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True)
        claims: Any = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        return ""
    issuer = claims.get("iss") if isinstance(claims, Mapping) else None
    return issuer if isinstance(issuer, str) else ""
