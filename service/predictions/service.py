"""Predicting, deleting, and reading again: what pages, requests and batches have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from service.exams import repository as exams
from service.flow.priority import Priority
from service.http import idempotency_key as idempotency
from service.identity.actor import Actor
from service.medicine.osteoporosis.pipeline import digest
from service.medicine.osteoporosis.schemas import Analysis
from service.observability import tracing
from service.patients import repository as patients
from service.predictions import repository, timeline
from service.predictions.events import PredictionDeleted, PredictionMade
from service.predictions.query import Position, Query
from service.predictions.schemas import Prediction
from service.predictions.timeline import Timeline
from service.storage.documents import Unreadable
from service.storage.errors import ConflictError
from service.storage.transaction import Transaction, Transactions

Analyse = Callable[[bytes, Priority], Awaitable[tuple[Analysis, bytes]]]
"""Returns the analysis of a file, and the image as the models saw it (PNG)."""


class Predictions:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions, analyse: Analyse) -> None:
        self._transactions = transactions
        self._analyse = analyse

    async def predict(
        self,
        actor: Actor,
        data: bytes,
        priority: Priority = Priority.PERSON,
        key: str | None = None,
    ) -> Prediction:
        """Return the stored prediction on the file ``data``.

        Under an idempotency ``key`` that was used for the same file, that is the one made then;
        one used for another file raises :class:`~service.http.idempotency_key.KeyReusedError`.

        Raises :class:`~models.image.errors.ScanError`,
        :class:`~service.medicine.osteoporosis.pipeline.AnalysisError` or
        :class:`~service.storage.errors.StorageError`; then nothing is kept.
        """
        if key is not None:
            earlier = await self._under(key)
            if earlier is not None:
                return idempotency.replayed(earlier, await digest(data))
        with tracing.span("judge"):
            analysis, png = await self._analyse(data, priority)
        try:
            return await self.keep(actor, Prediction.of(analysis), png, key)
        except ConflictError:
            # The same request, sent twice at once: the other was faster.
            earlier = None if key is None else await self._under(key)
            if earlier is None:
                raise
            return idempotency.replayed(earlier, await digest(data))

    async def keep(
        self, actor: Actor, prediction: Prediction, png: bytes, key: str | None = None
    ) -> Prediction:
        """Write ``prediction`` and return it."""

        async def work(transaction: Transaction) -> Prediction:
            await repository.add(transaction.connection, prediction, png, key)
            await transaction.emit(PredictionMade(actor=actor, prediction=prediction))
            return prediction

        return await self._transactions.write(work)

    async def delete(self, actor: Actor, prediction_id: UUID) -> bool:
        """Remove a prediction with image, maps, reviews and facts; False when it is not there.

        A patient whose last exam this was goes too: a reference that nothing needs is not kept.
        """

        async def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            if not await repository.lock(connection, prediction_id):
                return False
            patient = await exams.patient_of(connection, prediction_id)
            await patients.hold(connection, patient)
            await repository.remove(connection, prediction_id)
            await patients.release(connection, patient)
            await transaction.emit(PredictionDeleted(actor=actor, prediction_id=prediction_id))
            return True

        return await self._transactions.write(work, frees=True)

    async def get(self, prediction_id: UUID) -> Prediction | None:
        async with self._transactions.read() as connection:
            return await repository.get(connection, prediction_id)

    async def image(self, prediction_id: UUID) -> bytes | None:
        """Return the image as the models saw it (PNG)."""
        async with self._transactions.read() as connection:
            return await repository.image(connection, prediction_id)

    async def placed(self, prediction_id: UUID) -> Prediction | Unreadable | None:
        """Return a prediction as a list would: also one that cannot be read."""
        async with self._transactions.read() as connection:
            return await repository.placed(connection, prediction_id)

    async def page(
        self, query: Query
    ) -> tuple[tuple[Prediction | Unreadable, ...], Position | None]:
        """Return the predictions asked for, and where the next page begins, if there is one.

        Raises :class:`~service.predictions.query.CursorError`.
        """
        async with self._transactions.read() as connection:
            return await repository.page(connection, query)

    async def timeline(self, patient_key: UUID) -> Timeline | None:
        """Return a patient's exams in order, each with its prediction."""
        async with self._transactions.read() as connection:
            return await timeline.of(connection, patient_key)

    async def _under(self, key: str) -> Prediction | None:
        async with self._transactions.read() as connection:
            return await repository.under(connection, key)
