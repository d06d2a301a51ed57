"""Settings of sign-in."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from service.identity.actor import ROLES
from service.types import SettingsGroup, Url

LEAST_TOKEN = 32
LONGEST_ISSUER = 255


class IdentitySettings(SettingsGroup):
    """Who is let in, and for how long."""

    auth: Literal["local", "none"] = Field(
        "local",
        description="local: people sign in with accounts of the front, programs send keys. none: "
        "nobody signs in and everybody may do everything, which is allowed on loopback alone.",
    )
    oidc_issuer: Url | None = Field(
        None,
        description="Identity provider that people sign in by (OpenID Connect), as it names itself "
        "in its metadata; https, or http on loopback. Accounts of the front are off then, but "
        "sealed ones, which 'python -m service people add --sealed' makes.",
    )
    session_idle_minutes: int = Field(
        15, ge=1, le=24 * 60, description="Minutes without a request after which a sign-in ends."
    )
    session_hours: int = Field(
        10, ge=1, le=24 * 7, description="Hours after which a sign-in ends in any case."
    )
    signature_minutes: int = Field(
        5,
        ge=1,
        le=24 * 60,
        description="Minutes since the password was last given, within which a result is signed "
        "without giving it again.",
    )
    second_factor: str = Field(
        "",
        description="Roles whose people give a code of their app beside the password, with commas "
        "between, or all; who has none of an account yet takes it up at the next sign-in. Empty: "
        "whoever wants to. Sign-in by an identity provider is the provider's to ask more of.",
    )
    secret_keys: SecretStr | None = Field(
        None,
        description="Keys of 32 characters or more, with blanks between, that seal what people's "
        "apps make codes of: the first one seals, each opens. Every front needs the same. None: "
        "OSTEOSERVE_VAR/secrets.key, made when it is first needed, which PostgreSQL does not go "
        "with.",
    )
    password_kib: int = Field(
        19 * 1024,
        ge=8,
        le=2**20,
        description="Memory in KiB that Argon2id takes for a password; two are hashed at a time.",
    )
    password_passes: int = Field(
        2, ge=1, le=100, description="Passes of Argon2id over that memory."
    )
    first_administrator: SecretStr | None = Field(
        None,
        description="A token of 32 characters or more, as from a Secret: whoever gives it at "
        "/setup while there is no account becomes the first administrator. None: "
        "'python -m service people claim' prints a link for that.",
    )
    trusted_proxies: str = Field(
        "",
        description="Networks of the proxies in front, as 10.0.0.0/8, with commas between: what "
        "they say in X-Forwarded-For is the address that tries to sign in are counted by.",
    )

    @field_validator("oidc_issuer")
    @classmethod
    def _trustworthy(cls, value: str | None) -> str | None:
        if value is None:
            return value
        parts = urlsplit(value)
        is_safe = parts.scheme == "https" or is_loopback(parts.hostname or "")
        if not is_safe or "@" in parts.netloc or len(value) > LONGEST_ISSUER:
            raise ValueError(
                f"an https address of at most {LONGEST_ISSUER} characters is allowed, or http on "
                "loopback"
            )
        return value

    @field_validator("first_administrator")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < LEAST_TOKEN:
            raise ValueError(f"shorter than {LEAST_TOKEN} characters")
        return value

    @field_validator("second_factor")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        for one in filter(None, (part.strip() for part in value.split(","))):
            if one != "all" and one not in ROLES:
                raise ValueError(f"all, or some of {', '.join(ROLES)}, are allowed")
        return value

    @field_validator("secret_keys")
    @classmethod
    def _long_keys(cls, value: SecretStr | None) -> SecretStr | None:
        keys = [] if value is None else value.get_secret_value().split()
        if value is not None and (not keys or min(map(len, keys)) < LEAST_TOKEN):
            raise ValueError(f"each of {LEAST_TOKEN} characters or more")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for one in filter(None, (part.strip() for part in value.split(","))):
            try:
                ipaddress.ip_network(one)
            except ValueError:
                raise ValueError(
                    "networks as 10.0.0.0/8 or fd00::/8 with commas between are allowed"
                ) from None
        return value

    def needs_second_factor(self, roles: Collection[str]) -> bool:
        """Whether somebody with these roles signs in by two factors."""
        needed = {part.strip() for part in self.second_factor.split(",")} - {""}
        return "all" in needed or not needed.isdisjoint(roles)

    @property
    def proxies(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The networks of :attr:`trusted_proxies`."""
        parts = (part.strip() for part in self.trusted_proxies.split(","))
        return tuple(ipaddress.ip_network(one) for one in parts if one)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on ``host``."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
