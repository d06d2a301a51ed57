"""Settings of sign-in by the hospital's identity provider."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from service.identity.oidc.grants import Grants, by_site, grants
from service.identity.settings import IdentitySettings, is_loopback
from service.types import SettingsGroup

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
)  # fmt: skip
"""With a key that only the provider has: none that is shared, and never "none"."""


@dataclass(frozen=True, kw_only=True)
class ClaimNames:
    """What the claims of an id_token are called that say who somebody is."""

    subject: tuple[str, ...] = ("sub",)
    login: tuple[str, ...] = ("preferred_username", "upn", "unique_name", "email")
    name: tuple[str, ...] = ("name", "preferred_username", "upn", "unique_name")
    groups: str = "groups"


class OidcSettings(SettingsGroup):
    """The identity provider's client: who we are to it, and what its groups may do here."""

    oidc_client_id: str = Field("", description="What the identity provider knows the front as.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="The client's secret. None: a public client, which PKCE alone protects."
    )
    oidc_client_secret_file: Path | None = Field(
        None, description="File that holds the client's secret instead; read whenever it is sent."
    )
    oidc_ca_file: Path | None = Field(
        None,
        description="PEM file of the authorities that the provider's certificate is held against. "
        "None: the system's.",
    )
    oidc_name: str = Field(
        "",
        max_length=80,
        description="What people call the identity provider, as it stands on the sign-in page; "
        "empty: its host.",
    )
    oidc_contact: str = Field(
        "",
        max_length=200,
        description="Whom somebody is told to ask whose groups have no role here, as 'the IT "
        "service desk, 4711'; empty: whoever manages groups.",
    )
    oidc_scopes: str = Field(
        "openid profile", description="Scopes that are asked for, openid among them."
    )
    oidc_algorithms: str = Field(
        "RS256",
        description="Algorithms that tokens may be signed with, with commas between: "
        f"{', '.join(ALGORITHMS)}.",
    )
    oidc_subject_claims: str = Field(
        "sub",
        description="Claims of the id_token that together say who somebody is, with commas "
        "between; Entra ID: tid,oid. Changed later, everybody is somebody new.",
    )
    oidc_login_claims: str = Field(
        "preferred_username,upn,unique_name,email",
        description="Claims of which the first that is there is shown as an account's name for "
        "signing in; AD FS has upn or unique_name.",
    )
    oidc_name_claims: str = Field(
        "name,preferred_username,upn,unique_name",
        description="Claims of which the first that is there stands beside what somebody signs.",
    )
    oidc_groups_claim: str = Field(
        "groups",
        min_length=1,
        description="Claim of the id_token that lists groups; dots lead into it, as in "
        "realm_access.roles. Entra's app roles: roles.",
    )
    oidc_roles: str = Field(
        "",
        description="What groups may do, as JSON: "
        '{"dxa-readers": "viewer", "dxa-admins": ["administrator", "north:administrator"]}. A role '
        "without a site is one at the site default. Nobody has a role without a group.",
    )
    oidc_audience: str = Field(
        "",
        description="Audience that access tokens of programs are for. Empty: programs send keys "
        "alone.",
    )
    oidc_programs: str = Field(
        "",
        description="What programs may do that come with an access token of their own (client "
        'credentials), by client, as JSON: {"pacs-router": "integrator"}; one site each.',
    )

    @field_validator("oidc_scopes")
    @classmethod
    def _openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("openid has to be among the scopes")
        return value

    @field_validator("oidc_algorithms")
    @classmethod
    def _algorithms(cls, value: str) -> str:
        found = _listed(value)
        if not found or set(found) - set(ALGORITHMS):
            raise ValueError(f"one or more of {', '.join(ALGORITHMS)} are allowed")
        return value

    @field_validator("oidc_subject_claims", "oidc_login_claims", "oidc_name_claims")
    @classmethod
    def _claims(cls, value: str) -> str:
        if not _listed(value):
            raise ValueError("names of claims with commas between are allowed, one at least")
        return value

    @field_validator("oidc_roles")
    @classmethod
    def _roles(cls, value: str) -> str:
        grants(value)
        return value

    @field_validator("oidc_programs")
    @classmethod
    def _programs(cls, value: str) -> str:
        if any(len(by_site(given)) > 1 for given in grants(value).values()):
            raise ValueError("a program acts for one site: give each site a client of its own")
        return value

    @property
    def algorithms(self) -> tuple[str, ...]:
        return _listed(self.oidc_algorithms)

    @property
    def subject_claims(self) -> tuple[str, ...]:
        return _listed(self.oidc_subject_claims)

    @property
    def login_claims(self) -> tuple[str, ...]:
        return _listed(self.oidc_login_claims)

    @property
    def name_claims(self) -> tuple[str, ...]:
        return _listed(self.oidc_name_claims)

    @property
    def claim_names(self) -> ClaimNames:
        return ClaimNames(
            subject=self.subject_claims,
            login=self.login_claims,
            name=self.name_claims,
            groups=self.oidc_groups_claim,
        )

    @property
    def group_grants(self) -> Grants:
        return grants(self.oidc_roles)

    @property
    def program_grants(self) -> Grants:
        return grants(self.oidc_programs)

    def client_secret(self) -> str | None:
        """Return the client's secret; None: it has none. Raises OSError."""
        if self.oidc_client_secret is not None:
            return self.oidc_client_secret.get_secret_value()
        file = self.oidc_client_secret_file
        return None if file is None else file.read_text("utf-8").strip()

    def is_default(self) -> bool:
        """Whether nothing is set of an identity provider."""
        return all(
            getattr(self, name) == field.default
            for name, field in OidcSettings.model_fields.items()
        )


def faults(
    sign_in: IdentitySettings, settings: OidcSettings, public_url: str | None
) -> Iterator[str]:
    """Yield what does not go together, each a sentence with the names of variables."""
    if sign_in.oidc_issuer is None:
        if not settings.is_default():
            yield (
                "OSTEOSERVE_OIDC_ISSUER is not set, but other OSTEOSERVE_OIDC_… are: people would "
                "sign in with accounts of the front. Set it, or leave the others out."
            )
        return
    if sign_in.auth == "none":
        yield "OSTEOSERVE_AUTH=none does not go with OSTEOSERVE_OIDC_ISSUER: leave one of them out."
    if sign_in.first_administrator is not None:
        yield (
            "OSTEOSERVE_FIRST_ADMINISTRATOR does not go with OSTEOSERVE_OIDC_ISSUER: give a group "
            "the role administrator in OSTEOSERVE_OIDC_ROLES."
        )
    yield from _missing(sign_in.oidc_issuer, settings, public_url)
    if settings.oidc_client_secret is not None and settings.oidc_client_secret_file is not None:
        yield (
            "OSTEOSERVE_OIDC_CLIENT_SECRET and OSTEOSERVE_OIDC_CLIENT_SECRET_FILE are both set: "
            "leave one of them out."
        )
    if not _is_trust(settings.oidc_ca_file):
        yield "OSTEOSERVE_OIDC_CA_FILE is no file that can be read as certificates in PEM."
    if settings.oidc_audience and settings.oidc_audience == settings.oidc_client_id:
        yield (
            "OSTEOSERVE_OIDC_AUDIENCE is the client's own id: tokens that sign people in would "
            "open the API as well. Have the provider give programs an audience of its own."
        )
    if bool(settings.oidc_programs.strip()) != bool(settings.oidc_audience):
        yield (
            "OSTEOSERVE_OIDC_PROGRAMS and OSTEOSERVE_OIDC_AUDIENCE are needed together: which "
            "programs come, and which audience their tokens are for."
        )


def _missing(issuer: str, settings: OidcSettings, public_url: str | None) -> Iterator[str]:
    needed: Mapping[str, object] = {
        "OSTEOSERVE_OIDC_CLIENT_ID": settings.oidc_client_id,
        "OSTEOSERVE_OIDC_ROLES": settings.group_grants,
        "OSTEOSERVE_PUBLIC_URL": public_url,
    }
    for name, value in needed.items():
        if not value:
            yield f"{name} is needed with OSTEOSERVE_OIDC_ISSUER={issuer}."
    if public_url is not None and not _is_safe(public_url):
        yield (
            "OSTEOSERVE_PUBLIC_URL has to be https with OSTEOSERVE_OIDC_ISSUER, or http on "
            "loopback: what the identity provider sends back signs somebody in."
        )


def _is_trust(file: Path | None) -> bool:
    if file is None:
        return True
    try:
        ssl.create_default_context(cafile=file)
    except OSError:
        return False
    return True


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))
