"""Where results go: a PACS by DICOM or DICOMweb, an interface engine by HL7, a record by FHIR.

::

    [[destination]]                [[destination]]
    name = "engine"                name = "record"
    kind = "hl7"                   kind = "fhir"
    host = "engine.clinic.example" base = "https://fhir.clinic.example/r4"
    port = 2575                    token_file = "/run/secrets/fhir-token"

    [[destination]]
    name = "cloud"
    kind = "dicomweb"
    base = "https://pacs.clinic.example/dicom-web"
    user = "osteoserve"
    password_file = "/run/secrets/pacs-password"

A FHIR server may know us by a key instead of a secret: :mod:`service.integration.assertion`.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from typing_extensions import override

from service.integration.reached import Committing, Secured

Kind = Literal["dicom", "dicomweb", "hl7", "fhir"]
KINDS: Final[tuple[Kind, ...]] = ("dicom", "dicomweb", "hl7", "fhir")

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
AeTitle = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[\x21-\x5b\x5d-\x7e]{1,16}$")
]
Port = Annotated[int, Field(ge=1, le=65535)]
# Of HL7 and HTTP: what is in a message's head is plain text.
Word = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{0,180}$")]
# Of HTTP's Basic scheme, in which a colon ends it (RFC 7617).
User = Annotated[str, StringConstraints(pattern=r"^[\x20-\x39\x3b-\x7e]{0,180}$")]

Charset = Literal["ASCII", "8859/1", "8859/2", "8859/5", "8859/15", "UNICODE UTF-8"]
"""Character sets by their names in HL7 table 0211."""


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name


class Destination(Entry):
    """What is so of every destination."""

    attempts: Annotated[int, Field(ge=1, le=10_000)] = 100
    pdf: bool = False
    """Whether each result goes along as a sheet. It stays what it is when a reader disagrees."""
    unsigned: bool = True
    """Whether what no clinician has signed or overridden is sent."""


class DicomDestination(Destination, Secured, Committing):
    """A PACS."""

    kind: Literal["dicom"] = "dicom"
    called: AeTitle
    calling: AeTitle
    host: str
    port: Port

    @model_validator(mode="after")
    def _reports_from(self) -> Self:
        if self.commitment and not self.reports_from(self.host):
            raise ValueError(
                "commitment needs addresses: whence its reports come, since host is a name"
            )
        return self


class Hl7Destination(Destination, Secured):
    """An interface engine that takes ORU^R01 by MLLP."""

    kind: Literal["hl7"]
    host: str
    port: Port
    application: Word = ""
    facility: Word = ""
    """Who receives, as MSH-5 and MSH-6 name it."""
    processing: Literal["P", "T", "D"] = "P"
    """Production, training or debugging (MSH-11)."""
    charset: Charset = "UNICODE UTF-8"
    acknowledgement: Literal["original", "enhanced"] = "original"
    """Enhanced: a commit accept (CA) is what is asked for, and is enough."""
    refusals: Annotated[int, Field(ge=1, le=1000)] = 5
    """Attempts that are answered by a refusal, after which a person decides."""
    in_order: bool = False
    """Whether nothing overtakes a message that waits."""
    order: Literal["optional", "required"] = "optional"
    """Whether a study without an accession number is sent."""
    authority: Word = ""
    """Who gives patients their numbers, where the image does not say it (PID-3.4)."""


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no http or https address")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("has neither a user, nor a query, nor a fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("is http, which is for this machine alone: https is needed")
    return value


def _base(value: str) -> str:
    return value.rstrip("/")


Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""As it is written: a signed assertion names it (``aud``), and a slash at its end is part of it."""
Address = Annotated[Endpoint, AfterValidator(_base)]


class HttpDestination(Destination):
    """What is so of every destination that is reached by HTTP.

    Files of secrets are read again for every attempt.
    """

    base: Address
    token_file: Path | None = None
    """A file with a bearer token."""
    token_url: Endpoint | None = None
    """Where a token is had by client credentials."""
    client_id: Word = ""
    client_secret_file: Path | None = None
    scope: Word = ""
    user: User = ""
    """By HTTP's Basic scheme, with a password."""
    password_file: Path | None = None
    authorities: Path | None = None
    """PEM file with those that the server's certificate is signed by; else the system's."""
    certificate: Path | None = None
    """PEM file with what the server is shown."""
    key: Path | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self._client_whole()
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file go together")
        if sum(map(bool, (self.token_file, self.client_id, self.user))) > 1:
            raise ValueError("token_file, client_id and user are ways of their own: choose one")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if self.certificate is not None and not self.base.startswith("https:"):
            raise ValueError("a certificate is shown by https alone")
        return self

    def _client_whole(self) -> None:
        """Raise ValueError where what a token is had by is not all there."""
        client = (self.token_url, self.client_id, self.client_secret_file)
        if any(client) and not all(client):
            raise ValueError("token_url, client_id and client_secret_file go together")


def _without_studies(value: str) -> str:
    return value.removesuffix("/studies")


class DicomWebDestination(HttpDestination):
    """A PACS that takes objects by STOW-RS, at ``studies`` below its base."""

    kind: Literal["dicomweb"]
    base: Annotated[Address, AfterValidator(_without_studies)]
    confirm: bool = False
    """Whether an object counts as stored only when QIDO-RS finds it."""


class FhirDestination(HttpDestination):
    """A FHIR R4 server."""

    kind: Literal["fhir"]
    patients: Word = ""
    """The identifier system of patients' numbers, where the image does not name an issuer."""
    scope: Word = "system/*.write"
    client_key_file: Path | None = None
    """A PEM file with the private key that the client signs with (SMART Backend Services), in place
    of a secret. Then the server itself says where a token is had, where ``token_url`` does not."""
    client_key_id: Word = ""
    """What the server calls the key; else its thumbprint."""

    @override
    def _client_whole(self) -> None:
        if self.client_key_file is None:
            if self.client_key_id:
                raise ValueError("client_key_id is of client_key_file, which is not there")
            super()._client_whole()
        elif self.client_secret_file is not None:
            raise ValueError(
                "client_secret_file and client_key_file are ways of their own: choose one"
            )
        elif not self.client_id:
            raise ValueError("client_id and client_key_file go together")


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "dicom"))
    return str(getattr(value, "kind", ""))


AnyDestination = Annotated[
    Annotated[DicomDestination, Tag("dicom")]
    | Annotated[DicomWebDestination, Tag("dicomweb")]
    | Annotated[Hl7Destination, Tag("hl7")]
    | Annotated[FhirDestination, Tag("fhir")],
    Discriminator(
        _kind,
        custom_error_type="kind",
        custom_error_message="kind is dicom, dicomweb, hl7 or fhir",
    ),
]
"""By ``kind``, which is ``dicom`` where it is not said."""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
