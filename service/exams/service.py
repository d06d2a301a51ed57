"""Entering what is known of an exam beside its image, and reading it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from service.exams import repository
from service.exams.events import ExamChanged, ExamMeasured
from service.exams.measured import filled
from service.exams.measurements import MOST_REPORTS, Measured
from service.exams.schemas import Exam, ExamFacts, Sex
from service.identity.actor import Actor, Within
from service.patients.events import PatientUpdated
from service.storage.errors import ChangedError
from service.storage.transaction import Transaction, Transactions


class Exams:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, actor: Actor, prediction_id: UUID) -> Exam | None:
        """Return the facts, empty ones where none were entered; None without the prediction."""
        async with self._transactions.read() as connection:
            return await repository.get(connection, actor.within, prediction_id)

    async def change(
        self,
        actor: Actor,
        prediction_id: UUID,
        facts: ExamFacts,
        seen: Collection[str] | None = None,
    ) -> Exam | None:
        """Replace the facts and return them as kept; None without the prediction.

        Where ``seen`` is given, only if the :attr:`~service.exams.schemas.ExamFacts.version`
        there now is one of them or says the same already, else
        :class:`~service.storage.errors.ChangedError` holds it.
        """

        async def work(transaction: Transaction) -> Exam | None:
            connection = transaction.connection
            if not await repository.lock(connection, actor.within, prediction_id):
                return None
            if seen is not None:
                kept = await repository.get(connection, actor.within, prediction_id)
                if kept is not None and kept.version not in {*seen, facts.version}:
                    raise ChangedError(kept)
            exam = await repository.replace(connection, prediction_id, facts, by=actor.name)
            await transaction.emit(ExamChanged(actor=actor, exam=exam))
            return exam

        return await self._transactions.write(work)

    async def measure(
        self, actor: Actor, prediction_id: UUID, reports: Mapping[str, Measured]
    ) -> Exam | None:
        """Enter what scanners told, by the keys of what told it; None without the prediction.

        What a person has entered stays as it is. The same once more changes nothing.
        """

        async def work(transaction: Transaction) -> Exam | None:
            return await enter(transaction, actor, actor.within, prediction_id, reports)

        return await self._transactions.write(work)


async def enter(
    transaction: Transaction,
    actor: Actor,
    within: Within,
    prediction_id: UUID,
    reports: Mapping[str, Measured],
) -> Exam | None:
    """Return the exam with ``reports`` in it, entered within ``transaction``: for other verbs."""
    connection = transaction.connection
    if not await repository.lock(connection, within, prediction_id):
        return None
    kept = await repository.get(connection, within, prediction_id)
    before = await repository.reports(connection, prediction_id)
    if kept is None or all(before.get(key) == one for key, one in reports.items()):
        return kept
    # What is told anew is the last word.
    known = {key: one for key, one in before.items() if key not in reports} | dict(reports)
    known = dict(list(known.items())[-MOST_REPORTS:])
    facts, taken = filled(kept, kept.from_scanner, known.values())
    exam = await repository.replace(connection, prediction_id, facts, known, taken)
    await transaction.emit(ExamMeasured(actor=actor, exam=exam))
    return exam


async def update_patient(
    transaction: Transaction,
    actor: Actor,
    patient: tuple[str, str],
    sex: Sex | None,
    born: date | None,
) -> int:
    """Enter sex, and age at the scan, into a patient's exams that have none; return into how many.

    ``patient`` is an identifier and its issuer. What is entered already stays as it is.
    """
    connection = transaction.connection
    key, changed = await repository.told_of_patient(connection, actor.site, patient, sex, born)
    if key is not None and changed:
        await transaction.emit(PatientUpdated(actor=actor, patient=key, exams=changed))
    return changed
