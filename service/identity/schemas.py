"""People, keys and what is wrong with what was entered of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from service.errors import CodedError, Fault, FieldsError
from service.identity.actor import KEY_ROLES, ROLES, Role
from service.identity.passwords import LONGEST, SHORTEST
from service.identity.secrets import is_token
from service.language.locale import N_

LONGEST_LOGIN: Final = 64
LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")
SITE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LONGEST_SITE: Final = 63
LONGEST_NAME: Final = 80
LONGEST_KEY_DAYS: Final = 366

SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 500

FaultCode = Literal[
    "missing", "login", "name", "length", "guessable", "different", "role", "days", "taken",
    "wrong", "site", "listed", "reason", "remark",
]  # fmt: skip

ALLOWED: Final[Mapping[FaultCode, str]] = {
    "missing": "is missing",
    "login": "2 to 64 of a to z, digits, and . _ @ + - are allowed",
    "name": f"1 to {LONGEST_NAME} characters on one line are allowed",
    "length": f"{SHORTEST} to {LONGEST} characters are allowed",
    "guessable": "among those that are tried first, or made of few words that everybody knows",
    "different": "is not the same as the first",
    "role": f"{', '.join(KEY_ROLES)} are allowed",
    "days": f"1 to {LONGEST_KEY_DAYS} days are allowed",
    "taken": "somebody has this already",
    "wrong": "is not the one that is kept",
    "listed": "one of those listed is allowed",
    "reason": f"{SHORTEST_REASON} to {LONGEST_REASON} characters on one line are allowed",
    "remark": f"at most {LONGEST_REASON} characters on one line are allowed",
    "site": "1 to 63 of a to z, digits and - are allowed",
}


class AccountError(FieldsError):
    """What was entered of an account cannot be taken."""

    code = "invalid_account"


class LastAdministratorError(CodedError):
    code = "last_administrator"

    def __init__(self) -> None:
        super().__init__("Nobody else could manage accounts then.")


class LinkError(CodedError):
    """The link was used already, is too old, or never was one."""

    code = "link_used"

    def __init__(self) -> None:
        super().__init__("The link was used already, or is too old.")


class CredentialsError(CodedError):
    """The name or the password is wrong: which of them is told to nobody."""

    code = "credentials"

    def __init__(self) -> None:
        super().__init__("The name or the password is wrong.")


class CodeError(CodedError):
    """The code of the second factor is wrong, too old, or was used."""

    code = "second_factor"

    def __init__(self) -> None:
        super().__init__("The code is wrong, too old, or was used already.")


class PasskeyError(CodedError):
    """The answer of a passkey is not taken: why is in the trail alone."""

    code = "passkey"

    def __init__(self) -> None:
        super().__init__("The passkey was not taken.")


class NoKeyError(CodedError):
    """No key is set that could seal what apps make codes of."""

    code = "second_factor_off"

    def __init__(self) -> None:
        super().__init__(N_("Second factors need OSTEOSERVE_SECRET_KEYS here."))


class LocalAccountsOffError(CodedError):
    """An identity provider signs people in: an account of our own would open nothing."""

    code = "local_accounts_off"

    def __init__(self) -> None:
        super().__init__(N_("An identity provider signs people in here; its groups give roles."))


class TooOftenError(CodedError):
    code = "too_many_attempts"

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many failed tries from this address.", retry_after)


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account as administrators see it."""

    id: UUID
    login: str
    name: str
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool
    is_sealed: bool
    """Kept for when the identity provider is away."""
    roles: tuple[Role, ...]
    """At the site of whoever looks, in the order of :data:`~service.identity.actor.ROLES`."""
    by_hand: tuple[Role, ...]
    by_groups: tuple[Role, ...]
    """Those of them that were given here, and those that an identity provider's groups give."""
    by_provider: bool
    """An identity provider signs them in."""
    has_second: bool
    """They sign in by two factors."""


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as administrators see it: all but the key."""

    id: UUID
    program_id: UUID
    name: str
    role: Role
    site: str
    created_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    used_on: str | None


def in_order(roles: Collection[str]) -> tuple[Role, ...]:
    """Return ``roles`` in the order that all tables have them."""
    return tuple(role for role in ROLES if role in roles)


def taken(field: str) -> AccountError:
    return AccountError([_fault(field, "taken")])


def wrong(field: str) -> AccountError:
    return AccountError([_fault(field, "wrong")])


def guessable() -> AccountError:
    return AccountError([_fault("password", "guessable")])


def token(sent: Mapping[str, str]) -> str:
    """Return the code of a link in ``sent``. Raises :class:`LinkError`."""
    found = sent.get("token", "").strip()
    if not is_token(found):
        raise LinkError
    return found


def account(sent: Mapping[str, str]) -> tuple[str, str]:
    """Return login and name of what was ``sent``. Raises :class:`AccountError`."""
    login = sent.get("login", "").strip().lower()
    name = " ".join(sent.get("name", "").split())
    faults = []
    if not login:
        faults.append(_fault("login", "missing"))
    elif not LOGIN.fullmatch(login):
        faults.append(_fault("login", "login"))
    if not name:
        faults.append(_fault("name", "missing"))
    elif len(name) > LONGEST_NAME or not name.isprintable():
        faults.append(_fault("name", "name"))
    if faults:
        raise AccountError(faults)
    return login, name


def chosen(sent: Mapping[str, str]) -> str:
    """Return the password in ``sent``, given twice. Raises :class:`AccountError`."""
    password = sent.get("password", "")
    if not password:
        raise AccountError([_fault("password", "missing")])
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError([_fault("password", "length")])
    if sent.get("again", "") != password:
        raise AccountError([_fault("again", "different")])
    return password


def site(text: str) -> str:
    """Return ``text`` as the code of a site. Raises :class:`AccountError`."""
    code = text.strip().lower()
    if not SITE.fullmatch(code):
        raise AccountError([_fault("site", "site" if code else "missing")])
    return code


def reason(text: str) -> str:
    """Return ``text`` as why somebody breaks glass. Raises :class:`AccountError`."""
    found = " ".join(text.split())
    if not SHORTEST_REASON <= len(found) <= LONGEST_REASON or not found.isprintable():
        raise AccountError([_fault("reason", "reason" if found else "missing")])
    return found


def remark(text: str) -> str:
    """Return ``text`` as an auditor's remark, which may be empty. Raises :class:`AccountError`."""
    found = " ".join(text.split())
    if len(found) > LONGEST_REASON or not found.isprintable():
        raise AccountError([_fault("remark", "remark")])
    return found


def site_name(text: str) -> str:
    """Return ``text`` as what people call a site. Raises :class:`AccountError`."""
    found = " ".join(text.split())
    if not 1 <= len(found) <= LONGEST_NAME or not found.isprintable():
        raise AccountError([_fault("name", "name" if found else "missing")])
    return found


def fault(field: str, code: FaultCode) -> AccountError:
    """Return the error that one field is at fault."""
    return AccountError([_fault(field, code)])


def role(text: str) -> Role:
    """Return ``text`` as a role of a key. Raises :class:`AccountError`."""
    for known in KEY_ROLES:
        if known == text:
            return known
    raise AccountError([_fault("role", "role")])


def key_name(text: str) -> str:
    """Return the name of a key. Raises :class:`AccountError`."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise AccountError([_fault("name", "name" if name else "missing")])
    return name


def key_days(text: str) -> int:
    """Return for how many days a key is to be good. Raises :class:`AccountError`."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LONGEST_KEY_DAYS:
        raise AccountError([_fault("days", "days")])
    return int(text)


def _fault(field: str, code: FaultCode) -> Fault:
    return Fault(field, code, ALLOWED[code])
