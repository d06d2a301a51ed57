"""What happens to accounts, sign-ins and keys, and what is read: all of it goes into the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from service.events import Event
from service.identity.actor import Role


@dataclass(frozen=True, kw_only=True)
class SignedIn(Event):
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event):
    """``person_id``: whose name it was, where it is anybody's."""

    person_id: UUID | None
    reason: Literal["password", "disabled", "too_often", "key", "link"]
    times: int = 1
    """How many of the same address it stands for."""


@dataclass(frozen=True, kw_only=True)
class SignedOut(Event):
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class SignedInAgain(Event):
    """The password was given once more, for something that asks for it."""

    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class PersonAdded(Event):
    person_id: UUID
    roles: tuple[Role, ...]


@dataclass(frozen=True, kw_only=True)
class SiteAdded(Event):
    site: str


@dataclass(frozen=True, kw_only=True)
class RolesChanged(Event):
    person_id: UUID
    before: tuple[Role, ...]
    after: tuple[Role, ...]


@dataclass(frozen=True, kw_only=True)
class AccountEnded(Event):
    """A person's account was disabled, or a program's last key revoked.

    What they have under way ends with it.
    """

    account_id: UUID


@dataclass(frozen=True, kw_only=True)
class PersonDisabled(AccountEnded):
    pass


@dataclass(frozen=True, kw_only=True)
class PersonEnabled(Event):
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class LinkMade(Event):
    """A link was made by which a person sets their password, or the first account is made."""

    person_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class KeyAdded(Event):
    key_id: UUID
    program_id: UUID
    role: Role


@dataclass(frozen=True, kw_only=True)
class KeyRenewed(KeyAdded):
    pass


@dataclass(frozen=True, kw_only=True)
class KeyRevoked(Event):
    key_id: UUID
    program_id: UUID


@dataclass(frozen=True, kw_only=True)
class ProgramEnded(AccountEnded):
    pass


@dataclass(frozen=True, kw_only=True)
class Denied(Event):
    """Somebody asked for what their role may not, or without a sign-in, or from another site."""

    method: str
    route: str
    code: str = "forbidden"
    times: int = 1
    """How many of the same address it stands for: of whoever is not known."""


@dataclass(frozen=True, kw_only=True)
class WasRead(Event):
    """Something of a patient's, or of the trail, was asked for; ``id`` as the address had it."""

    what: Literal["result", "list", "patient", "batch", "trail"]
    id: str | None
    route: str


@dataclass(frozen=True, kw_only=True)
class Exported(Event):
    form: Literal["csv", "ndjson"]
