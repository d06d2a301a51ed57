"""Entering what other modalities measured of an exam."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from service.clock import now
from service.exams import repository as exams
from service.exams.schemas import Exam
from service.identity.actor import Actor
from service.medicine.modalities import repository
from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.entered import Entered, Entry, Kept
from service.medicine.modalities.events import ModalityChanged
from service.medicine.modalities.ultrasound.schemas import Ultrasound
from service.storage.errors import ChangedError
from service.storage.transaction import Transaction, Transactions


class Modalities:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def enter_ultrasound(
        self,
        actor: Actor,
        prediction_id: UUID,
        measured: Ultrasound | None,
        seen: Collection[str] | None = None,
    ) -> Exam | None:
        """Put ``measured`` in the place of what is kept, and return the exam with it.

        None removes it. The exam is None without the prediction. Where ``seen`` is given, only if
        the :attr:`~service.medicine.modalities.entered.Entered.version` there now is one of them or
        says the same already, else :class:`~service.storage.errors.ChangedError` holds it.
        """

        async def work(transaction: Transaction) -> Exam | None:
            return await change(transaction, actor, prediction_id, "ultrasound", measured, seen)

        return await self._transactions.write(work)


async def change(
    transaction: Transaction,
    actor: Actor,
    prediction_id: UUID,
    modality: Kept,
    measured: Attenuation | Ultrasound | None,
    seen: Collection[str] | None = None,
) -> Exam | None:
    """Return the exam with ``measured`` in the place of what ``modality`` had, and whose it is.

    It is entered within ``transaction``. What is kept already stays whose it was.
    """
    connection = transaction.connection
    if not await exams.lock(connection, actor.within, prediction_id):
        return None
    kept = await exams.get(connection, actor.within, prediction_id)
    if kept is None:
        return None
    entry = None if measured is None else Entry(by=actor.name or None, at=now())
    new = {modality: measured, f"{modality}_entry": entry}
    entered: Entered = kept.modalities.model_copy(update=new)
    if seen is not None and kept.modalities.version not in {*seen, entered.version}:
        raise ChangedError(kept)
    if entered.version == kept.modalities.version:
        return kept
    exam = kept.model_copy(update={"modalities": entered})
    await repository.keep(connection, await repository.exam_of(connection, prediction_id), entered)
    await transaction.emit(ModalityChanged(actor=actor, exam=exam, modality=modality))
    return exam
