"""What the pages of sign-in, accounts and keys are given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from service.errors import Fault
from service.identity.actor import ROLES, Role
from service.identity.passwords import LONGEST, SHORTEST
from service.identity.schemas import LONGEST_KEY_DAYS, LONGEST_NAME, ApiKey, Person
from service.language.formats import listing, moment
from service.language.locale import N_, _
from service.web.page import Page

ROLE_NAMES: Final[Mapping[Role, str]] = {
    "viewer": N_("Viewer"),
    "clinician": N_("Clinician"),
    "integrator": N_("Integrator"),
    "administrator": N_("Administrator"),
    "auditor": N_("Auditor"),
}

ROLE_HELP: Final[Mapping[Role, str]] = {
    "viewer": N_("reads results"),
    "clinician": N_("sends images, reads, enters facts and signs"),
    "integrator": N_("a program: sends images and reads what it sent"),
    "administrator": N_("manages people and keys, deletes results, sees no image"),
    "auditor": N_("reads and exports the trail, sees no image"),
}

FAULTS: Final[Mapping[str, str]] = {
    "missing": N_("This is needed."),
    "login": N_("2 to 64 of a to z, digits, and . _ @ + - are allowed."),
    "name": N_("One line of at most 80 characters, please."),
    "guessable": N_("This is easily guessed: more different characters, and not mostly a name."),
    "different": N_("This is not the same as above."),
    "role": N_("Choose one of those listed."),
    "days": N_("1 to 366 days, please."),
    "taken": N_("Somebody has this already."),
    "wrong": N_("This is not your password."),
}


def said(faults: Sequence[Fault]) -> Mapping[str, str]:
    """Return a sentence for each field at fault."""
    return {one.field: _said(one) for one in faults}


def _said(fault: Fault) -> str:
    if fault.code == "length":
        return _("%(least)s to %(most)s characters, please.", least=SHORTEST, most=LONGEST)
    return _(FAULTS[fault.code])


@dataclass(frozen=True, kw_only=True)
class SignInPage(Page):
    templates = ("signin.html",)

    next: str
    nobody: bool
    """Whether there is no account yet."""
    provider: str = ""
    """What people call the identity provider; empty: there is none."""
    away: bool = False
    """It does not answer."""
    typed: Mapping[str, str] = field(default_factory=dict)
    """What was sent, where something was wrong with it; here and below never a password."""
    trouble: str = ""
    longest: int = LONGEST


@dataclass(frozen=True, kw_only=True)
class SetupPage(Page):
    """The first account."""

    templates = ("setup.html",)

    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    shortest: int = SHORTEST
    longest: int = LONGEST
    longest_name: int = LONGEST_NAME


@dataclass(frozen=True, kw_only=True)
class WelcomePage(Page):
    """A password by a link."""

    templates = ("welcome.html",)

    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    shortest: int = SHORTEST
    longest: int = LONGEST


@dataclass(frozen=True, kw_only=True)
class AccountPage(Page):
    templates = ("account.html",)
    section = "/account"

    roles: str
    site: str
    sites: tuple[str, ...]
    changed: bool
    faults: Mapping[str, str] = field(default_factory=dict)
    shortest: int = SHORTEST
    longest: int = LONGEST


@dataclass(frozen=True, kw_only=True)
class RoleChoice:
    code: Role
    name: str
    help: str
    checked: bool


def choices(chosen: Collection[str]) -> tuple[RoleChoice, ...]:
    return tuple(
        RoleChoice(
            code=role, name=_(ROLE_NAMES[role]), help=_(ROLE_HELP[role]), checked=role in chosen
        )
        for role in ROLES
    )


def named(roles: Collection[Role]) -> str:
    return listing([_(ROLE_NAMES[role]) for role in ROLES if role in roles])


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    id: UUID
    login: str
    name: str
    roles: str
    state: str
    by_groups: str
    """Roles that groups of an identity provider give."""
    has_password: bool
    """Or may have one."""

    @classmethod
    def of(cls, person: Person) -> PersonRow:
        return cls(
            id=person.id,
            login=person.login,
            name=person.name,
            roles=named(person.roles) or _("none"),
            state=_state(person),
            by_groups=named(person.by_groups),
            has_password=not person.by_provider,
        )


def _state(person: Person) -> str:
    if person.disabled_at is not None:
        return _("Disabled since %(when)s", when=moment(person.disabled_at))
    if person.is_sealed:
        return _("Sealed: for when the identity provider is away")
    if person.by_provider:
        return _("Active, by the identity provider")
    return _("Active") if person.has_password else _("Has not chosen a password yet")


@dataclass(frozen=True, kw_only=True)
class PeoplePage(Page):
    templates = ("people.html",)

    rows: tuple[PersonRow, ...]
    offered: tuple[RoleChoice, ...]
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    longest_name: int = LONGEST_NAME


@dataclass(frozen=True, kw_only=True)
class PersonPage(Page):
    templates = ("person.html",)
    section = "/people"

    row: PersonRow
    offered: tuple[RoleChoice, ...]
    disabled: bool
    link: str = ""
    """Shown once: where they set their password."""
    days: int = 3
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    id: UUID
    name: str
    role: str
    made: str
    used: str
    state: str
    good: bool

    @classmethod
    def of(cls, key: ApiKey, now: datetime) -> KeyRow:
        good = key.revoked_at is None and key.ends_at > now
        if key.revoked_at is not None:
            state = _("Revoked on %(when)s", when=moment(key.revoked_at))
        elif not good:
            state = _("Ended on %(when)s", when=moment(key.ends_at))
        else:
            state = _("Good until %(when)s", when=moment(key.ends_at))
        return cls(
            id=key.id,
            name=key.name,
            role=_(ROLE_NAMES[key.role]),
            made=moment(key.created_at),
            used=key.used_on or _("never"),
            state=state,
            good=good,
        )


@dataclass(frozen=True, kw_only=True)
class KeysPage(Page):
    templates = ("keys.html",)

    rows: tuple[KeyRow, ...]
    offered: tuple[RoleChoice, ...]
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    longest_name: int = LONGEST_NAME
    longest_days: int = LONGEST_KEY_DAYS
    key: str = ""
    """Shown once."""
