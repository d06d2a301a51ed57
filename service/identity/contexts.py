"""What the pages of sign-in, accounts and keys are given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from service.identity.actor import ROLES, Role
from service.identity.factors import Offer, Standing
from service.identity.form import ROLE_NAMES
from service.identity.repository.glass import Use
from service.identity.repository.passkeys import Passkey
from service.identity.repository.tries import Try
from service.identity.schemas import ApiKey, Person
from service.identity.sessions import Own
from service.language.formats import listing, moment
from service.language.locale import N_, _
from service.web.forms import Field, FieldGroup
from service.web.page import Page

_HOW: Final[Mapping[str, str]] = {
    "password": N_("password"),
    "two_factors": N_("password and code"),
    "passkey": N_("passkey"),
    "provider": N_("identity provider"),
    "break_glass": N_("break-glass"),
    "code": N_("wrong code"),
    "passkey_counter": N_("passkey that was copied"),
    "disabled": N_("account is disabled"),
    "too_often": N_("too many tries"),
}
"""By what somebody signed in, or why not; further codes are those of docs/sign-in.md."""

_TRIES: Final[Mapping[str, str]] = {
    "signed_in": N_("Signed in"),
    "signed_in_again": N_("Signed in once more, for something that asks for it"),
    "sign_in_failed": N_("Failed"),
}


@dataclass(frozen=True, kw_only=True)
class SignInPage(Page):
    templates = ("signin.html",)

    fields: tuple[Field, ...]
    next: str
    nobody: bool
    """Whether there is no account yet."""
    provider: str = ""
    """What people call the identity provider; empty: there is none."""
    away: bool = False
    """It does not answer."""
    passkeys: bool = False
    """Browsers have passkeys for the address that was asked."""
    trouble: str = ""
    """Here and below: what is wrong with no field of the form."""


@dataclass(frozen=True, kw_only=True)
class PausedPage(Page):
    """In place of a page that lay idle, while the sign-in is used elsewhere."""

    templates = ("paused.html",)

    back: str


@dataclass(frozen=True, kw_only=True)
class SetupPage(Page):
    """The first account."""

    templates = ("setup.html",)

    fields: tuple[Field, ...]
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class WelcomePage(Page):
    """A password by a link."""

    templates = ("welcome.html",)

    fields: tuple[Field, ...]
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class AccountPage(Page):
    templates = ("account.html",)
    section = "/account"

    roles: str
    site: str
    sites: Field | None
    """The choice between several."""
    fields: tuple[Field, ...]
    changed: bool
    trouble: str = ""


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
    has_second: bool

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
            has_second=person.has_second,
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
    fields: tuple[Field, ...]
    """None where an identity provider signs people in: nobody is added by hand."""
    roles: FieldGroup


@dataclass(frozen=True, kw_only=True)
class PersonPage(Page):
    templates = ("person.html",)
    section = "/people"

    row: PersonRow
    roles: FieldGroup
    elsewhere: Mapping[str, FieldGroup]
    """Roles at other sites that whoever looks manages, by the site's code."""
    disabled: bool
    link: str = ""
    """Shown once: where they set their password."""
    days: int = 3
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class SiteRow:
    code: str
    name: str
    """What people call it; empty: its code."""
    field: Field | None
    """Of another name; None: it is not theirs to give."""


@dataclass(frozen=True, kw_only=True)
class SitesPage(Page):
    templates = ("sites.html",)
    section = "/people"

    sites: tuple[SiteRow, ...]
    fields: tuple[Field, ...]
    """Of the form that adds one; none where that is not theirs."""


@dataclass(frozen=True, kw_only=True)
class CodePage(Page):
    """The second factor at sign-in."""

    templates = ("second.html",)

    fields: tuple[Field, ...]
    offer: Offer | None
    """What an app is to take up first; None: it has."""
    app: bool
    """They have one; otherwise recovery codes alone stand in for a passkey."""
    passkey: bool
    """They have one that this browser may know."""
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class CodesPage(Page):
    """Recovery codes, shown once."""

    templates = ("codes.html",)
    section = "/account"

    codes: tuple[str, ...]
    next: str


@dataclass(frozen=True, kw_only=True)
class FactorPage(Page):
    """One's own second factor."""

    templates = ("factor.html",)
    section = "/account"

    standing: Standing
    offer: Offer | None
    can: bool
    """Whether anybody takes one up here."""
    confirming: tuple[Field, ...]
    proving: tuple[Field, ...]
    removing: tuple[Field, ...]
    """The same, in another form."""
    passkey: bool
    """One of theirs may stand in for both."""
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class PasskeyRow:
    id: UUID
    name: str
    made: str
    used: str

    @classmethod
    def of(cls, key: Passkey) -> PasskeyRow:
        return cls(
            id=key.id,
            name=key.name,
            made=moment(key.created_at),
            used=_("never") if key.used_at is None else moment(key.used_at),
        )


@dataclass(frozen=True, kw_only=True)
class PasskeysPage(Page):
    """One's own passkeys."""

    templates = ("passkeys.html",)
    section = "/account"

    rows: tuple[PasskeyRow, ...]
    fresh: bool
    """They have proved who they are just now."""
    here: bool
    """Browsers have passkeys for the address that was asked."""
    full: bool
    """There are as many as anybody may have."""
    removable: bool
    naming: tuple[Field, ...]
    proving: tuple[Field, ...]
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    id: str
    since: str
    used: str
    ends: str
    how: str
    site: str
    here: bool

    @classmethod
    def of(cls, own: Own) -> SessionRow:
        found = own.open
        how = "provider" if found.issuer is not None else "password"
        if found.second:
            how = "passkey" if found.by_passkey else "two_factors"
        return cls(
            id=own.number,
            since=moment(found.created_at),
            used=moment(found.seen_at),
            ends=moment(found.ends_at),
            how=_(_HOW[how]),
            site=found.site,
            here=own.here,
        )


@dataclass(frozen=True, kw_only=True)
class TryRow:
    when: str
    what: str
    how: str
    address: str

    @classmethod
    def of(cls, one: Try) -> TryRow:
        return cls(
            when=moment(one.at),
            what=_(_TRIES[one.kind]),
            how=_(_HOW[one.how]) if one.how in _HOW else one.how,
            address=one.address or "",
        )


@dataclass(frozen=True, kw_only=True)
class SessionsPage(Page):
    """One's own sign-ins."""

    templates = ("sessions.html",)
    section = "/account"

    rows: tuple[SessionRow, ...]
    tries: tuple[TryRow, ...]
    fresh: bool
    """They have proved who they are just now."""
    by_provider: bool
    proving: tuple[Field, ...]
    passkey: bool
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class GlassPage(Page):
    """Before another site's results are read."""

    templates = ("glass.html",)
    section = "/account"

    fields: tuple[Field, ...]
    minutes: int
    sites: bool
    """Whether there is another one."""


@dataclass(frozen=True, kw_only=True)
class UseRow:
    id: UUID
    person: UUID
    name: str
    way: str
    reason: str
    when: str
    until: str
    open: bool
    """The auditor of the site that was read has not looked into it, and may."""
    closed: str

    @classmethod
    def of(cls, use: Use, site: str) -> UseRow:
        closed = "" if use.closed_at is None else moment(use.closed_at)
        return cls(
            id=use.id,
            person=use.person_id,
            name=use.name,
            way=f"{use.home} → {use.site}",
            reason=use.reason,
            when=moment(use.began_at),
            until=moment(use.ended_at or use.ends_at),
            open=use.closed_at is None and use.site == site,
            closed=f"{closed}: {use.remark}" if use.remark else closed,
        )


@dataclass(frozen=True, kw_only=True)
class UsesPage(Page):
    """The auditors' list of break-glass."""

    templates = ("uses.html",)
    section = "/audit"

    rows: tuple[UseRow, ...]
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
    fields: tuple[Field, ...]
    key: str = ""
    """Shown once."""
