"""The tables. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from service.identity.actor import DEFAULT_SITE


class UtcDateTime(TypeDecorator[datetime]):
    """SQLite keeps no time zone: times go in and come out as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("time without a zone")
        return value if value is None else value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Document(TypeDecorator[Any]):
    """JSON, not JSONB: what was answered comes back in the order it was answered in.

    What is no JSON is read as :data:`DAMAGED`, so that one such row does not hide all others.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        # Not process_result_value: that comes behind the parser, where it is too late.
        parse = super().result_processor(dialect, coltype)

        def tolerant(value: Any) -> Any:
            try:
                return value if parse is None else parse(value)
            except ValueError:
                return DAMAGED

        return tolerant


DAMAGED: Final = "damaged"
"""In place of a document: no document is a text."""


class Base(DeclarativeBase):
    pass


def _site() -> MappedColumn[str]:
    """The site that a row is of: its keys, patients and images are not those of another."""
    return mapped_column(String(64), server_default=DEFAULT_SITE)


class PatientRow(Base):
    """A patient's identifier and who issued it, under a random key.

    The key is what addresses and logs may hold.
    """

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("identifier", "issuer", "site", name="uq_patient_identifier"),
    )

    key: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = _site()
    # Empty for a pseudonym that somebody has typed.
    issuer: Mapped[str] = mapped_column(String(64))
    identifier: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ExamRow(Base):
    """One visit to a scanner, which made one image or several. DICOM calls it a study."""

    __tablename__ = "exam"
    __table_args__ = (
        UniqueConstraint("study_instance_uid", "site", name="uq_exam_study_instance_uid"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = _site()
    patient_key: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("patient.key"), index=True)
    study_instance_uid: Mapped[str | None] = mapped_column(String(64))
    acquired_on: Mapped[date | None]
    device_vendor: Mapped[str | None] = mapped_column(String(32))
    device_serial: Mapped[str | None] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]] = mapped_column(Document)


class ImageRow(Base):
    """A file that was judged, however often."""

    __tablename__ = "image"

    # Made of site and hash, so that no file is kept twice at one site.
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = _site()
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    sop_instance_uid: Mapped[str | None] = mapped_column(String(64))
    exam_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("exam.id"), index=True)


class CanonicalImageRow(Base):
    """An image as models saw it: another recipe, or other vertebrae found, make another of it."""

    __tablename__ = "canonical_image"

    # Made of the image's and the picture's own hash.
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    image_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("image.id", ondelete="CASCADE"), index=True
    )
    png: Mapped[bytes] = mapped_column(LargeBinary)


class PredictionRow(Base):
    __tablename__ = "prediction"
    __table_args__ = (
        Index("ix_prediction_newest", "site", "created_at", "id"),
        Index("uq_prediction_idempotency_key", "idempotency_key", "site", unique=True),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = _site()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    outcome: Mapped[str] = mapped_column(String(32), index=True)
    # Both are there unless a damaged file lost them.
    image_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("image.id"), index=True)
    canonical_image_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("canonical_image.id"), index=True
    )
    version: Mapped[str | None] = mapped_column(String(80), index=True)
    # The account of the person or program that sent it; NULL: from before there were accounts, or
    # where nobody signs in.
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    # The hash of what the client named its request by.
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    # Copies out of the document, for lists to filter and sort by.
    degraded: Mapped[bool]
    probability: Mapped[float | None] = mapped_column(Double)
    document: Mapped[dict[str, Any]] = mapped_column(Document)


class HeatMapRow(Base):
    """One base model's heat map of a prediction's image, by the version that voted."""

    __tablename__ = "heat_map"

    prediction_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("prediction.id", ondelete="CASCADE"), primary_key=True
    )
    model: Mapped[str] = mapped_column(String(16), primary_key=True)
    version: Mapped[str] = mapped_column(String(80))
    rows: Mapped[list[list[float]]] = mapped_column(Document)


class ReviewRow(Base):
    """What a clinician said of a prediction. Rows are added, never changed."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("prediction_id", "number", name="uq_review_prediction_id_number"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    prediction_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("prediction.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    action: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(32))
    reviewer: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str | None] = mapped_column(String(1000))
    # NULL, all three: the name was typed, before there were accounts or where nobody signs in.
    person_id: Mapped[UUID | None] = mapped_column(Uuid)
    method: Mapped[str | None] = mapped_column(String(16))
    document_sha256: Mapped[str | None] = mapped_column(String(64))


class BatchRow(Base):
    __tablename__ = "batch"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = _site()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The front that works on it says so again and again; silence means that it has died.
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    total: Mapped[int]
    finished: Mapped[int]


class BatchLineRow(Base):
    """One finished item; ``line`` counts in the order of finishing, ``item`` in that of sending."""

    __tablename__ = "batch_line"

    batch_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("batch.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    item: Mapped[int]
    # Without either, the prediction has been deleted since.
    prediction_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("prediction.id", ondelete="SET NULL"), index=True
    )
    problem: Mapped[dict[str, Any] | None] = mapped_column(Document(none_as_null=True))


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
    site: Mapped[str] = _site()
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
    site: Mapped[str] = _site()
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


class AuditEventRow(Base):
    """What somebody did. Rows are added, never changed; no name and no foreign key is in them."""

    __tablename__ = "audit_event"

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


class CaseRow(Base):
    """What has arrived of a DICOM study, up to one result of it: its revision 0, 1, 2 …"""

    __tablename__ = "ledger_case"
    __table_args__ = (
        UniqueConstraint("study_uid", "site", "revision", name="uq_ledger_case_study_uid"),
        Index("ix_ledger_case_due", "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = _site()
    study_uid: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    # The rule that it is ignored by, or why it is in quarantine.
    reason: Mapped[str | None] = mapped_column(String(64))
    peer: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Objects that have joined it: whoever works on it sees whether another has since.
    objects: Mapped[int]
    # What was judged, in the order of the objects: their hashes and the ids of predictions.
    judged: Mapped[list[Any] | None] = mapped_column(Document(none_as_null=True))
    attempts: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Whoever works on it: the lease's end, and a number that only the last one holds.
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int]


class ArrivalRow(Base):
    """A DICOM object that was received and acknowledged, or kept apart, as its sender encoded it.

    This and the results made of it are all that holds what a scanner says of a patient.
    """

    __tablename__ = "ledger_arrival"
    __table_args__ = (
        UniqueConstraint("sop_uid", "site", "sha256", name="uq_ledger_arrival_sop_uid"),
        Index("ix_ledger_arrival_study_uid", "study_uid", "site"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = _site()
    case_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("ledger_case.id"), index=True)
    sop_uid: Mapped[str] = mapped_column(String(64))
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64))
    study_uid: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    peer: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # held, ignored, quarantined or discarded; of the latter three the reason.
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    # Patient ID and its issuer; NULL with the bytes, once those are not needed any more.
    patient: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[bytes | None] = mapped_column(LargeBinary)


class CaseResultRow(Base):
    """A DICOM object that was made of a case: made once, sent as often as need be."""

    __tablename__ = "ledger_result"

    sop_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("ledger_case.id"), index=True)
    number: Mapped[int]
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64), index=True)
    data: Mapped[bytes | None] = mapped_column(LargeBinary)


class DeliveryRow(Base):
    """The way of a case's results to one destination."""

    __tablename__ = "ledger_delivery"
    __table_args__ = (
        UniqueConstraint("case_id", "destination", name="uq_ledger_delivery_case_id"),
        Index("ix_ledger_delivery_due", "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    case_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("ledger_case.id"))
    destination: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    # Why it waits or is dead; what a person said who discarded it stands in the events.
    reason: Mapped[str | None] = mapped_column(String(64))
    # What became of each object: its UID and the last DIMSE status, in hexadecimal, or a word.
    objects: Mapped[dict[str, Any]] = mapped_column(Document)
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int]


class LedgerEventRow(Base):
    """A change of a case, an object or a delivery, written in its transaction."""

    __tablename__ = "ledger_event"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    case_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    # The arrival or delivery that changed; NULL: the case itself.
    about_id: Mapped[UUID | None] = mapped_column(Uuid)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(200))
