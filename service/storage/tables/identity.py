"""The tables of people, programs, and how they sign in."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint, Uuid, false
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, UtcDateTime, site


class PersonRow(Base):
    """Somebody who may sign in. Accounts are disabled and never removed: signatures name them."""

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # What they sign in with, in lower case.
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    # NULL until they have chosen a password, and for those whom an identity provider signs in.
    password: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # For when the identity provider cannot be used: signs in by password all the same.
    sealed: Mapped[bool] = mapped_column(server_default=false())


class IdentityRow(Base):
    """Who somebody is at an identity provider; nothing else says that two are the same."""

    __tablename__ = "identity"

    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(512), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MembershipRow(Base):
    """A role that a person has at a site, by hand or by a group at the identity provider."""

    __tablename__ = "membership"

    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), primary_key=True)
    site: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True, server_default="hand")


class SessionRow(Base):
    """A sign-in. The browser's cookie holds what this is the hash of."""

    __tablename__ = "session"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), index=True)
    site: Mapped[str] = site()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Written at most once a minute.
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When they last proved who they are: what a signature asks for.
    signed_in_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Of a sign-in by an identity provider, all that its messages name it by.
    issuer: Mapped[str | None] = mapped_column(String(255))
    idp_sub: Mapped[str | None] = mapped_column(String(255), index=True)
    idp_sid: Mapped[str | None] = mapped_column(String(255), index=True)
    # By which the provider knows at signing out who it is; NULL: it is too long for an address.
    id_token: Mapped[str | None] = mapped_column(String(4000))
    # A second factor was given as well when they last proved who they are.
    second: Mapped[bool] = mapped_column(server_default=false())
    # By a passkey, which is two factors at once.
    by_passkey: Mapped[bool] = mapped_column(server_default=false())
    # For another site, with a reason, for a while: the site is that one's then.
    glass_id: Mapped[UUID | None] = mapped_column(Uuid)


class SecondFactorRow(Base):
    """What a person's app makes codes of, sealed with a key that is not in the database."""

    __tablename__ = "second_factor"

    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # NULL: they have not shown yet that their app has it.
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Of the last code that was taken: neither it nor an older one is taken again.
    last_step: Mapped[int | None] = mapped_column(BigInteger)


class PasskeyRow(Base):
    """A key of a person's device, of which we have the public half."""

    __tablename__ = "passkey"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), index=True)
    # SHA-256 of what the device calls it, which is up to 1,023 bytes.
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    credential: Mapped[bytes] = mapped_column(LargeBinary)
    # As COSE writes it.
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    # Uses as the device counts them; 0: it does not.
    counter: Mapped[int] = mapped_column(BigInteger)
    # It may be on several devices at once, which do not count together.
    synced: Mapped[bool]
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PasskeyChallengeRow(Base):
    """Something random that a passkey is asked to sign, once, for one browser."""

    __tablename__ = "passkey_challenge"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    # The hash of the session, of the sign-in that waits, or of a cookie made for it.
    bound: Mapped[str] = mapped_column(String(64))
    # NULL: nobody knows yet who signs in.
    person_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("person.id"), index=True)
    address: Mapped[str | None] = mapped_column(String(45), index=True)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class RecoveryCodeRow(Base):
    """A code, of which the hash is kept, that stands in for a second factor once."""

    __tablename__ = "recovery_code"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), index=True)


class SignInStepRow(Base):
    """A sign-in whose password was right and whose second factor is still to come."""

    __tablename__ = "sign_in_step"

    # Of the cookie that the browser has meanwhile.
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), index=True)
    next: Mapped[str] = mapped_column(String(2000))
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class GlassRow(Base):
    """Somebody looked at another site's results for a while, and said why; an auditor closes it."""

    __tablename__ = "glass"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), index=True)
    home: Mapped[str] = mapped_column(String(64), index=True)
    site: Mapped[str] = mapped_column(String(64), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Until when the sign-in that it came of goes on afterwards.
    back_until: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[UUID | None] = mapped_column(Uuid)
    remark: Mapped[str | None] = mapped_column(String(500))


class SiteNameRow(Base):
    """What people call a site; the code stays, and stands in the trail."""

    __tablename__ = "site_name"

    site: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class SignInFlowRow(Base):
    """A sign-in that has been sent to the identity provider and has not come back."""

    __tablename__ = "sign_in_flow"

    # Of what the provider hands back, and of the cookie of the browser that it began in.
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    next: Mapped[str] = mapped_column(String(2000))
    # The session of whoever is to prove once more who they are.
    session: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(45), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class UsedTokenRow(Base):
    """A message of the identity provider that was obeyed, so that it is obeyed once."""

    __tablename__ = "used_token"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ClaimRow(Base):
    """A link that is used once: it makes the first administrator, or sets a person's password."""

    __tablename__ = "claim"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # NULL: the first administrator, who has no account yet.
    person_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("person.id"), index=True)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ApiKeyRow(Base):
    """A key of a program, of which the hash is kept; a program has several while one is renewed."""

    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # What predictions and batches name: it stays when the key is renewed.
    program_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    name: Mapped[str] = mapped_column(String(80))
    site: Mapped[str] = site()
    role: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_on: Mapped[date | None]


class AttemptRow(Base):
    """Failures of one account from one address, or of one address, under a hash of both."""

    __tablename__ = "attempt"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class DirectoryUserRow(Base):
    """Somebody whom the hospital's directory has sent (SCIM), for the site whose key it has."""

    __tablename__ = "directory_user"

    person_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("person.id"), primary_key=True)
    site: Mapped[str] = site()
    # NULL: it has deleted them; nothing is kept then but what disabled the account.
    user_name: Mapped[str | None] = mapped_column(String(200))
    # In lower case.
    user_key: Mapped[str | None] = mapped_column(String(200))
    external_id: Mapped[str | None] = mapped_column(String(400))
    formatted: Mapped[str] = mapped_column(String(80), server_default="")
    given_name: Mapped[str] = mapped_column(String(80), server_default="")
    family_name: Mapped[str] = mapped_column(String(80), server_default="")
    display_name: Mapped[str] = mapped_column(String(80), server_default="")
    email: Mapped[str] = mapped_column(String(254), server_default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # As the account has it where the directory disabled it, which alone it may enable again.
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("site", "user_key", name="uq_directory_user_name"),
        UniqueConstraint("site", "external_id", name="uq_directory_user_external_id"),
    )


class DirectoryGroupRow(Base):
    """A group of the hospital's directory; settings say what it gives."""

    __tablename__ = "directory_group"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    display_name: Mapped[str] = mapped_column(String(200))
    # In lower case.
    display_key: Mapped[str] = mapped_column(String(200))
    external_id: Mapped[str] = mapped_column(String(400), server_default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("site", "display_key", name="uq_directory_group_name"),)


class DirectoryMemberRow(Base):
    """Somebody in a group of the hospital's directory."""

    __tablename__ = "directory_member"

    group_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("directory_group.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("directory_user.person_id"), primary_key=True, index=True
    )
