"""The tables of the audit trail."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, UtcDateTime


class AuditEventRow(Base):
    """What somebody did. Rows are added, never changed; no name and no foreign key is in them."""

    __tablename__ = "audit_event"
    # What an account's own page asks; reads of results, which are most of the trail, are not in it.
    __table_args__ = (
        Index(
            "ix_audit_event_account",
            "object_id",
            "at",
            sqlite_where=text("object_kind = 'account'"),
            postgresql_where=text("object_kind = 'account'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # Microseconds since 1970: what is sealed must not depend on how a database writes a time.
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[str] = mapped_column(String(32), index=True)
    site: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[UUID | None] = mapped_column(Uuid)
    key_id: Mapped[UUID | None] = mapped_column(Uuid)
    address: Mapped[str | None] = mapped_column(String(45))
    object_kind: Mapped[str | None] = mapped_column(String(16))
    object_id: Mapped[str | None] = mapped_column(String(64))
    # JSON as text, since it is sealed as it stands.
    detail: Mapped[str] = mapped_column(String(1000))


class AuditPendingRow(Base):
    """An event that no link holds yet."""

    __tablename__ = "audit_pending"

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)


class AuditLinkRow(Base):
    """A link of the chain that seals the trail: number 1, 2, 3 …, each made of the one before."""

    __tablename__ = "audit_link"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    hash: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """Where the chain ends, so that a tail that was cut off is missed."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str] = mapped_column(String(64))


class AuditCheckpointRow(Base):
    """Where the chain begins since its oldest links were cut; sealed, so that nobody else cuts."""

    __tablename__ = "audit_checkpoint"

    # The last link that is gone.
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    cut_at: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str] = mapped_column(String(64))


class AuditSinkRow(Base):
    """How far the trail has been told to a collector of audit messages."""

    __tablename__ = "audit_sink"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The last link whose entry the collector has taken.
    number: Mapped[int] = mapped_column(BigInteger)
    # Which front tells it, and until when no other does.
    holder: Mapped[UUID | None] = mapped_column(Uuid)
    leased_until: Mapped[datetime] = mapped_column(UtcDateTime)
