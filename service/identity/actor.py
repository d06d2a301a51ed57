"""Who does something: every verb takes one, those that read as well as those that write."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Self, get_args
from uuid import UUID

DEFAULT_SITE: Final = "default"

Role = Literal["viewer", "clinician", "integrator", "administrator", "auditor", "provisioner"]
KEY_ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""What a key may be for."""

ROLES: Final[tuple[Role, ...]] = tuple(role for role in KEY_ROLES if role != "provisioner")
"""What people may have, and programs that come with the identity provider's tokens."""


@dataclass(frozen=True, kw_only=True)
class Within:
    """The rows that an actor may see: those of a site, or of these only what it made itself."""

    site: str
    made_by: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Glass:
    """Break-glass: that somebody reads what is another site's, for a reason that is kept."""

    id: UUID
    home: str
    """The site that they are of."""
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Session:
    """A sign-in, as long as it lasts."""

    hash: str
    """SHA-256 of what the browser's cookie holds."""
    since: datetime
    """When they last proved who they are."""
    left: timedelta = timedelta(minutes=15)
    """Until it ends where nothing more is asked for."""
    by_provider: bool = False
    """They come from the identity provider, and have no password here."""
    second: bool = False
    """They gave a second factor as well."""
    has_factor: bool = False
    """They have one to give."""
    by_passkey: bool = False
    """They proved who they are by a passkey, which is both factors."""
    has_passkey: bool = False
    glass: Glass | None = None
    """They look at another site's results for a while."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person or a program, and the site that they act for.

    ``id`` is a person's account or a program's; None: nobody signs in here, or the service itself.
    """

    site: str = DEFAULT_SITE
    """Idempotency keys, patients and images of one site are not those of another."""
    id: UUID | None = None
    name: str = ""
    """As it stands beside what they sign; in no log and no trail."""
    roles: frozenset[Role] = field(default_factory=frozenset)
    session: Session | None = None
    """A person's; a program has none."""
    key: UUID | None = None
    """The key that a program came with."""
    address: str | None = None
    """The network address that the request came from."""

    @classmethod
    def anonymous(cls) -> Self:
        """Return whoever it is where nobody signs in: they may do everything."""
        return cls(roles=frozenset(ROLES))

    @property
    def is_anybody(self) -> bool:
        """Whether nobody signs in here."""
        return self.id is None and bool(self.roles)

    @property
    def is_person(self) -> bool:
        return self.session is not None

    @property
    def within(self) -> Within:
        """What they may see: an integrator without another role sees what it sent itself."""
        own = self.roles == {"integrator"}
        return Within(site=self.site, made_by=self.id if own else None)
