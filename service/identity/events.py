"""What happens to accounts, sign-ins and keys, and what is read: all of it goes into the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from service.events import Event
from service.identity.actor import Role

ProviderReason = Literal[
    "flow_unknown", "flow_cookie", "answer_malformed", "answer_issuer", "provider_refused",
    "provider_unavailable", "code_refused", "token_malformed", "token_header", "token_algorithm",
    "token_key", "token_signature", "token_issuer", "token_audience", "token_nonce", "token_claims",
    "clock", "stale", "other_person", "overage", "no_role", "disabled", "logout_used",
    "too_many_flows",
]  # fmt: skip
"""Why an identity provider's word is not taken. The trail and metrics have these: they stay."""

LocalReason = Literal[
    "password", "disabled", "too_often", "key", "link", "local_off", "code", "passkey",
    "passkey_counter",
]  # fmt: skip
"""Why a try without the provider fails."""

How = Literal["password", "provider", "two_factors", "passkey", "break_glass"]
"""How somebody proves who they are."""


@dataclass(frozen=True, kw_only=True)
class SignedIn(Event):
    person_id: UUID
    how: How = "password"


@dataclass(frozen=True, kw_only=True)
class SealedAccountUsed(Event):
    """Somebody signed in by an account that is kept for when the identity provider is away."""

    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event):
    """``person_id``: whose name it was, where it is anybody's."""

    person_id: UUID | None
    reason: LocalReason | ProviderReason
    times: int = 1
    """How many of the same address it stands for."""


@dataclass(frozen=True, kw_only=True)
class SignedOut(Event):
    """``by_provider``: the identity provider ended it; ``elsewhere``: they did, from another."""

    person_id: UUID
    by_provider: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, kw_only=True)
class LogoutRefused(Event):
    """What asked us to sign somebody out was not the identity provider, or not any more."""

    reason: ProviderReason


@dataclass(frozen=True, kw_only=True)
class SignedInAgain(Event):
    """They proved once more who they are, for something that asks for it."""

    person_id: UUID
    how: How = "password"


@dataclass(frozen=True, kw_only=True)
class PersonAdded(Event):
    person_id: UUID
    roles: tuple[Role, ...]


@dataclass(frozen=True, kw_only=True)
class SiteAdded(Event):
    site: str


@dataclass(frozen=True, kw_only=True)
class RolesChanged(Event):
    """Those that ``source`` gives at the actor's site: a hand, or the provider's groups."""

    person_id: UUID
    before: tuple[Role, ...]
    after: tuple[Role, ...]
    source: Literal["hand", "idp", "scim"] = "hand"


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
class PersonChanged(Event):
    """The hospital's directory has other words for somebody."""

    person_id: UUID
    fields: tuple[str, ...]
    """Which, never what they hold."""


@dataclass(frozen=True, kw_only=True)
class GroupAdded(Event):
    """The hospital's directory has a group for this site."""

    group_id: UUID


@dataclass(frozen=True, kw_only=True)
class GroupChanged(GroupAdded):
    """It is called another name."""


@dataclass(frozen=True, kw_only=True)
class GroupRemoved(GroupAdded):
    pass


@dataclass(frozen=True, kw_only=True)
class MemberAdded(Event):
    person_id: UUID
    group_id: UUID


@dataclass(frozen=True, kw_only=True)
class MemberRemoved(MemberAdded):
    pass


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class FactorChanged(Event):
    """Something became of somebody's second factor."""

    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class FactorAdded(FactorChanged):
    pass


@dataclass(frozen=True, kw_only=True)
class FactorRemoved(FactorChanged):
    """By themselves, or by whoever manages accounts: then the actor is another."""


@dataclass(frozen=True, kw_only=True)
class PasskeyAdded(FactorChanged):
    passkey_id: UUID


@dataclass(frozen=True, kw_only=True)
class PasskeyRemoved(PasskeyAdded):
    """By themselves, or by whoever manages accounts: then the actor is another."""


@dataclass(frozen=True, kw_only=True)
class RecoveryCodesMade(FactorChanged):
    pass


@dataclass(frozen=True, kw_only=True)
class RecoveryCodeUsed(FactorChanged):
    pass


@dataclass(frozen=True, kw_only=True)
class GlassBroken(Event):
    """Somebody begins to read another site's results; the actor is already at that site."""

    glass_id: UUID
    person_id: UUID
    home: str


@dataclass(frozen=True, kw_only=True)
class GlassEnded(GlassBroken):
    pass


@dataclass(frozen=True, kw_only=True)
class GlassClosed(Event):
    """An auditor has looked into it."""

    glass_id: UUID


@dataclass(frozen=True, kw_only=True)
class SiteRenamed(Event):
    site: str


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

    what: Literal["result", "list", "patient", "batch", "trail", "workitem"]
    id: str | None
    route: str


@dataclass(frozen=True, kw_only=True)
class Exported(Event):
    form: Literal["csv", "ndjson"]
