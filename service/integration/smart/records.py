"""Out of which records results are opened: a TOML file, read once at the start.

::

    [[record]]
    name = "ehr"
    iss = "https://fhir.clinic.example/r4"         # as its launches name it, letter by letter
    issuer = "https://login.clinic.example"        # whose id_tokens; iss where nothing is said
    client_id = "osteoserve"
    client_key_file = "/run/secrets/client-key.pem"  # or client_secret_file, or neither
    system = "urn:oid:1.2.276.0.76.4711"           # of the identifiers that are compared
    authority = "CLINIC"                           # who gives them, as images name it
    site = "default"                               # whose results are looked for
    roles = { "dxa-readers" = "viewer" }           # what groups of this issuer may do

No address that a launch names is asked: only those of this file, and what they name themselves.
"""

from __future__ import annotations

import json
import ssl
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from service.identity.actor import DEFAULT_SITE
from service.identity.oidc.grants import Grants, grants
from service.identity.oidc.settings import ALGORITHMS, ClaimNames
from service.identity.settings import LONGEST_ISSUER, is_loopback
from service.integration import assertion
from service.integration.destinations import Name, Word

SCOPES: Final = "launch openid fhirUser patient/Patient.r"
NEEDED: Final = frozenset({"launch", "openid"})


def _address(value: str) -> str:
    parts = urlsplit(value)
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    )
    if not is_safe or not parts.hostname or len(value) > LONGEST_ISSUER:
        raise ValueError(f"is no https address of at most {LONGEST_ISSUER} characters")
    if parts.query or parts.fragment or "@" in parts.netloc or not value.isascii():
        raise ValueError("has neither a user, nor a query, nor a fragment")
    return value


Address = Annotated[str, AfterValidator(_address)]


class RecordsError(ValueError):
    """The file cannot be used; the message says why."""


class Record(BaseModel):
    """A record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    iss: Address
    """Its FHIR server, as a launch names it and as ``aud``."""
    issuer: Address | None = None
    client_id: Annotated[Word, StringConstraints(min_length=1)]
    client_secret_file: Path | None = None
    client_key_file: Path | None = None
    client_key_id: Word = ""
    scopes: Word = SCOPES
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)] = ("RS256",)
    """Of its id_tokens."""
    authorities: Path | None = None
    """PEM file with those that its certificates are signed by; else the system's."""
    site: Name = DEFAULT_SITE
    system: Annotated[Word, StringConstraints(min_length=1)]
    authority: Word | None = None
    groups_claim: Annotated[Word, StringConstraints(min_length=1)] = "groups"
    subject_claims: Annotated[tuple[str, ...], Field(min_length=1)] = ("sub",)
    roles: dict[str, str | list[str]] = {}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.client_secret_file is not None and self.client_key_file is not None:
            raise ValueError("client_secret_file and client_key_file are ways of their own")
        if self.client_key_id and self.client_key_file is None:
            raise ValueError("client_key_id is of client_key_file, which is not there")
        missing = NEEDED - set(self.scopes.split())
        if missing:
            raise ValueError(f"scopes have to name {' and '.join(sorted(missing))}")
        if set(self.algorithms) - set(ALGORITHMS):
            raise ValueError(f"algorithms are of {', '.join(ALGORITHMS)}")
        _ = self.grants
        return self

    @property
    def known_as(self) -> str:
        """The issuer of its id_tokens."""
        return self.issuer or self.iss

    @cached_property
    def grants(self) -> Grants:
        return grants(json.dumps(self.roles)) if self.roles else {}

    @property
    def claim_names(self) -> ClaimNames:
        return ClaimNames(subject=self.subject_claims, groups=self.groups_claim)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    record: Annotated[tuple[Record, ...], Field(min_length=1)]


def read(path: Path | None, oidc_issuer: str | None) -> tuple[Record, ...]:
    """Return who is named in ``path``. Raises :class:`RecordsError`.

    ``oidc_issuer``: the identity provider; records that sign people in by it have its roles.
    """
    if path is None:
        return ()
    try:
        found = _File.model_validate(tomllib.loads(path.read_text("utf-8"))).record
    except OSError as error:
        raise RecordsError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecordsError(f"{path} is no TOML: {error}") from None
    except ValidationError as error:
        said = (
            f"{path}: {'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise RecordsError("\n".join(said)) from None
    faults = list(_faults(found, oidc_issuer))
    if faults:
        raise RecordsError("\n".join(f"{path}: {one}" for one in faults))
    return found


def _faults(records: tuple[Record, ...], oidc_issuer: str | None) -> Iterator[str]:
    for name in ("name", "iss"):
        values = [getattr(one, name) for one in records]
        if len(values) != len(set(values)):
            yield f"two records have the same {name}"
    for one in records:
        if one.known_as == oidc_issuer:
            if one.roles or {"groups_claim", "subject_claims"} & one.model_fields_set:
                yield (
                    f"record {one.name} signs people in by OSTEOSERVE_OIDC_ISSUER, which says what "
                    "they may do: leave roles, groups_claim and subject_claims out"
                )
        elif not one.roles:
            yield (
                f"record {one.name} names no roles, so that nobody could come from it: say what "
                "groups of its issuer may do"
            )
        if one.client_secret_file is not None and not one.client_secret_file.is_file():
            yield f"record {one.name} names {one.client_secret_file}, which is no file"
        try:
            ssl.create_default_context(cafile=one.authorities)
        except OSError:
            yield f"record {one.name}: {one.authorities} has no certificates in PEM"
        if one.client_key_file is not None:
            try:
                assertion.read(one.client_key_file)
            except assertion.KeyFileError as error:
                yield f"record {one.name}: {error}"
