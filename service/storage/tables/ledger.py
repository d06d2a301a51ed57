"""The tables of the gateway's ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base, Document, Encrypted, UtcDateTime, site


class CaseRow(Base):
    """What has arrived of a DICOM study, up to one result of it: its revision 0, 1, 2 …"""

    __tablename__ = "ledger_case"
    __table_args__ = (
        UniqueConstraint("study_uid", "site", "revision", name="uq_ledger_case_study_uid"),
        Index("ix_ledger_case_due", "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
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
    site: Mapped[str] = site()
    case_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("ledger_case.id"), index=True)
    sop_uid: Mapped[str] = mapped_column(String(64))
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64))
    study_uid: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    peer: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # held, ignored, quarantined or discarded; of the latter three the reason. A scanner's report is
    # reading until its numbers have been taken, and read from then on.
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    # Patient ID and its issuer; NULL with the bytes, once those are not needed any more.
    patient: Mapped[str | None] = mapped_column(String(200))
    # Where columns are encrypted; the former holds a blind index of the Patient ID then.
    patient_sealed: Mapped[Any | None] = mapped_column(
        Encrypted("ledger_arrival.patient_sealed", ("id",))
    )
    data: Mapped[Any | None] = mapped_column(Encrypted("ledger_arrival.data", ("id",), "bytes"))
    # What a scanner's report tells, for images of its study that are judged later.
    numbers: Mapped[dict[str, Any] | None] = mapped_column(Document(none_as_null=True))
    # Where its rule has the study's result go, by names; NULL: to every destination.
    destinations: Mapped[list[Any] | None] = mapped_column(Document(none_as_null=True))


class JudgementRow(Base):
    """A prediction that a case's result is made of: whose signature is that of the result."""

    __tablename__ = "ledger_judgement"

    case_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("ledger_case.id"), primary_key=True)
    prediction_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, index=True)


class CaseResultRow(Base):
    """A DICOM object that was made of a case: made once, sent as often as need be."""

    __tablename__ = "ledger_result"

    sop_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("ledger_case.id"), index=True)
    number: Mapped[int]
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64), index=True)
    data: Mapped[Any | None] = mapped_column(Encrypted("ledger_result.data", ("sop_uid",), "bytes"))


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
    # The last question whether the destination commits to what it was sent.
    transaction_uid: Mapped[str | None] = mapped_column(String(64), index=True)
    # What is sent by HL7 or FHIR, made once; NULL where the case's objects are sent, and once its
    # bytes are not needed any more.
    message: Mapped[Any | None] = mapped_column(
        Encrypted("ledger_delivery.message", ("id",), "bytes")
    )
    # What the other side said when it refused, without what the message says of the patient.
    detail: Mapped[str | None] = mapped_column(String(400))
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int]


class CommitmentRow(Base):
    """A peer's question whether what it sent is stored, and how far it has been answered."""

    __tablename__ = "ledger_commitment"
    __table_args__ = (
        UniqueConstraint("transaction_uid", "site", "peer", name="uq_ledger_commitment_uid"),
        Index("ix_ledger_commitment_due", "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    peer: Mapped[str] = mapped_column(String(64))
    transaction_uid: Mapped[str] = mapped_column(String(64))
    # SOP class and SOP Instance UID of each object that it asks about.
    objects: Mapped[list[Any]] = mapped_column(Document)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int]


class PullRow(Base):
    """What an archive was asked for, by a person or by the clock, and how far it has come."""

    __tablename__ = "ledger_pull"
    __table_args__ = (Index("ix_ledger_pull_due", "state", "due_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    archive: Mapped[str] = mapped_column(String(64))
    # By the clock, and not by a person.
    scheduled: Mapped[bool]
    # What is asked for, the number of a patient perhaps; NULL once it has ended.
    question: Mapped[dict[str, Any] | None] = mapped_column(Document(none_as_null=True))
    # Where columns are encrypted; the former is empty then.
    question_sealed: Mapped[Any | None] = mapped_column(
        Encrypted("ledger_pull.question_sealed", ("id",))
    )
    # Studies that the archive has of it; NULL: it has not answered yet.
    found: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int]


class PullStudyRow(Base):
    """A study that an archive has of what it was asked for, and what became of it."""

    __tablename__ = "ledger_pull_study"

    pull_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("ledger_pull.id"), primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    # UIDs of the series that are wanted of it; NULL: all of it.
    series: Mapped[list[Any] | None] = mapped_column(Document(none_as_null=True))
    # Objects that the archive says it has of it; NULL: it does not say so.
    instances: Mapped[int | None]
    # Objects that it says it has sent.
    objects: Mapped[int]
    # waiting, fetched, skipped or failed; of the latter two the reason.
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WorkitemRow(Base):
    """A work item that a program has made: the handle of a case, which says how it goes."""

    __tablename__ = "ledger_workitem"
    __table_args__ = (
        UniqueConstraint("uid", "site", name="uq_ledger_workitem_uid"),
        Index("ix_ledger_workitem_due", "state", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    site: Mapped[str] = site()
    uid: Mapped[str] = mapped_column(String(64))
    # The program, as the ledger calls those that send.
    sender: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    # Of the document, to be searched by: the study of its input, where it is one; what is asked
    # for, as value^scheme; the worklist; whether the input is complete.
    study_uid: Mapped[str | None] = mapped_column(String(64), index=True)
    code: Mapped[str | None] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(64))
    readiness: Mapped[str] = mapped_column(String(16))
    # By which whoever performs it is known.
    transaction_uid: Mapped[str | None] = mapped_column(String(64))
    # The case that it follows; NULL: it is not we who perform it.
    case_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("ledger_case.id"), index=True)
    # Where its output could be retrieved from when it was completed, by destinations' names.
    places: Mapped[dict[str, Any] | None] = mapped_column(Document(none_as_null=True))
    # What its creator and its performer have said, in DICOM JSON.
    document: Mapped[Any] = mapped_column(
        Encrypted("ledger_workitem.document", ("id",), "bytes"), nullable=False
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CdsFeedbackRow(Base):
    """What became of a card of decision support. What somebody wrote about it is not kept."""

    __tablename__ = "cds_feedback"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    site: Mapped[str] = site()
    # The record that told of it; NULL: where nobody signs in.
    client_id: Mapped[UUID | None] = mapped_column(Uuid)
    service: Mapped[str] = mapped_column(String(64))
    card: Mapped[UUID] = mapped_column(Uuid)
    outcome: Mapped[str] = mapped_column(String(16))
    suggestions: Mapped[int]
    # A code that the card had offered.
    reason: Mapped[str | None] = mapped_column(String(64))


class LedgerEventRow(Base):
    """A change of a case, an object or a delivery, written in its transaction."""

    __tablename__ = "ledger_event"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    case_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    # The arrival, delivery or work item that changed; NULL: the case itself.
    about_id: Mapped[UUID | None] = mapped_column(Uuid)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(200))
