"""Predicting, deleting, and reading again: what pages, requests and batches have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from service.exams import repository as exams
from service.exams import service as measuring
from service.exams.events import ExamChanged
from service.exams.measurements import Measured
from service.exams.schemas import NOTHING, ExamFacts, entered
from service.flow.priority import Priority
from service.http import idempotency_key as idempotency
from service.identity.actor import Actor, Within
from service.medicine.osteoporosis.pipeline import digest
from service.medicine.osteoporosis.schemas import Analysis
from service.medicine.osteoporosis.view import told
from service.medicine.sent import SentImage
from service.observability import tracing
from service.predictions import deletion, repository, timeline
from service.predictions.events import PredictionMade
from service.predictions.query import Position, Query
from service.predictions.repository import SentPlace
from service.predictions.schemas import (
    DeletionReason,
    Prediction,
)
from service.predictions.timeline import Timeline
from service.storage.documents import Unreadable
from service.storage.errors import (
    ConflictError,
)
from service.storage.group_commit import GroupCommit
from service.storage.transaction import Transaction, Transactions
from service.types import Outcome

Analyse = Callable[[bytes, Within, Priority], Awaitable[tuple[Analysis, bytes, SentImage | None]]]
"""Returns the analysis of a file, the image as the models saw it (PNG), and as it was sent where
that is to be kept."""


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a file says of its exam, and what its scanner measured, by the key of what tells it."""

    facts: ExamFacts = NOTHING
    measured: Mapping[str, Measured] = field(default_factory=dict)


Describe = Callable[[bytes, Priority], Awaitable[Described]]
"""Returns what a file says of its exam."""

NOTHING_SAID: Final = Described()

MOST: Final = 32
"""Predictions written in one transaction."""


@dataclass(frozen=True)
class Told:
    """A result with its outcome as pages, lists and the PDF tell it."""

    id: UUID
    outcome: Outcome


@dataclass(frozen=True, eq=False)
class _New:
    """A prediction to keep; ``typed`` and ``read``: what is known of its exam, by whom."""

    actor: Actor
    row: repository.New
    typed: ExamFacts
    read: Described

    @property
    def is_plain(self) -> bool:
        told = self.read.measured or not self.read.facts.empty
        return self.row.key is None and self.typed.empty and not told


class Predictions:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(
        self,
        transactions: Transactions,
        analyse: Analyse,
        describe: Describe | None = None,
        *,
        keeps_names: bool = True,
    ) -> None:
        """Without ``describe`` nothing is taken of what files say of their exams.

        ``keeps_names``: whether files' names are kept for their senders.
        """
        self._transactions = transactions
        self._analyse = analyse
        self._describe = describe
        self._keeps_names = keeps_names
        self._writer: GroupCommit[_New, None] = GroupCommit(transactions, self._write, MOST)

    async def aclose(self) -> None:
        await self._writer.close()

    async def predict(
        self,
        actor: Actor,
        data: bytes,
        priority: Priority = Priority.PERSON,
        key: str | None = None,
        *,
        name: str | None = None,
        facts: ExamFacts = NOTHING,
    ) -> Prediction:
        """Return the stored prediction on the file ``data``, which its sender calls ``name``.

        ``facts`` are of its exam. Where something else is kept of the same image:
        :class:`~service.exams.schemas.StudyDiffersError`.

        Under an idempotency ``key`` that was used for the same file, that is the one made then;
        one used for another file raises :class:`~service.http.idempotency_key.KeyReusedError`.

        Raises :class:`~models.image.errors.ScanError`,
        :class:`~service.medicine.osteoporosis.pipeline.AnalysisError` or
        :class:`~service.storage.errors.StorageError`; then nothing is kept.
        """
        if key is not None:
            earlier = await self._under(actor, key)
            if earlier is not None:
                return idempotency.replayed(earlier, await digest(data))
        with tracing.span("judge"):
            analysis, png, sent = await self._analyse(data, actor.within, priority)
        read = NOTHING_SAID if self._describe is None else await self._describe(data, priority)
        prediction = Prediction.of(analysis)
        try:
            return await self.keep(
                actor, prediction, png, key, sent, name=name, facts=facts, read=read
            )
        except ConflictError:
            # The same request, sent twice at once: the other was faster.
            earlier = None if key is None else await self._under(actor, key)
            if earlier is None:
                raise
            return idempotency.replayed(earlier, await digest(data))

    async def keep(
        self,
        actor: Actor,
        prediction: Prediction,
        png: bytes,
        key: str | None = None,
        sent: SentImage | None = None,
        *,
        name: str | None = None,
        facts: ExamFacts = NOTHING,
        read: Described = NOTHING_SAID,
    ) -> Prediction:
        """Write ``prediction`` with its image and return it.

        ``read`` is what its file says of the exam.
        """
        kept = name if self._keeps_names else None
        row = repository.New(actor.site, prediction, png, key, actor.id, sent, kept)
        new = _New(actor, row, facts, read)
        if new.is_plain:
            await self._writer(new)
        else:
            await self._transactions.write(lambda transaction: self._write(transaction, [new]))
        return prediction

    async def _write(self, transaction: Transaction, new: Sequence[_New]) -> Sequence[None]:
        await repository.add(transaction.connection, [one.row for one in new])
        for one in new:
            made = PredictionMade(actor=one.actor, prediction=one.row.prediction)
            await transaction.emit(made)
            await _enter(transaction, one)
        return [None] * len(new)

    async def delete(
        self, actor: Actor, prediction_id: UUID, reason: DeletionReason | None = None
    ) -> bool:
        """Remove a prediction with its maps; False when it is not there.

        The image goes with its last prediction, the exam with its last image, and the patient with
        the last exam: a reference that nothing needs is not kept.

        A signed one stays: :class:`~service.predictions.schemas.SignedError`, and so does one that
        a legal hold is on: :class:`~service.holds.schemas.HeldError`. Where people sign in
        a ``reason`` is needed: else :class:`~service.predictions.schemas.NoReasonError`.
        """

        async def work(transaction: Transaction) -> bool:
            return await deletion.delete(transaction, actor, prediction_id, reason)

        return await self._transactions.write(work, frees=True)

    async def get(self, actor: Actor, prediction_id: UUID) -> Prediction | None:
        """Return a prediction; None where there is none that the actor may see."""
        async with self._transactions.read() as connection:
            return await repository.get(connection, actor.within, prediction_id)

    async def result(self, actor: Actor, prediction_id: UUID) -> Told | None:
        """Return as much of a prediction as a review needs: what is signed is what pages tell."""
        found = await self.get(actor, prediction_id)
        return None if found is None else Told(found.id, told(found))

    async def image(self, actor: Actor, prediction_id: UUID) -> bytes | None:
        """Return the image as the models saw it (PNG)."""
        async with self._transactions.read() as connection:
            return await repository.image(connection, actor.within, prediction_id)

    async def is_pictured(self, actor: Actor, prediction_id: UUID) -> bool:
        """Whether the image as the models saw it is still kept."""
        async with self._transactions.read() as connection:
            return await repository.is_pictured(connection, actor.within, prediction_id)

    async def sent(self, actor: Actor, prediction_id: UUID) -> SentImage | None:
        """Return the image as it was sent; None where it is not kept."""
        async with self._transactions.read() as connection:
            return await repository.sent(connection, actor.within, prediction_id)

    async def sent_places(
        self, actor: Actor, prediction_ids: Sequence[UUID]
    ) -> dict[UUID, SentPlace]:
        """Return where the images lie that are kept as they were sent, by their predictions."""
        async with self._transactions.read() as connection:
            return await repository.sent_places(connection, actor.within, prediction_ids)

    async def canonical_image(self, actor: Actor, prediction_id: UUID) -> UUID | None:
        """Return the id of the image as the models saw it."""
        async with self._transactions.read() as connection:
            return await repository.canonical_image(connection, actor.within, prediction_id)

    async def placed(self, actor: Actor, prediction_id: UUID) -> Prediction | Unreadable | None:
        """Return a prediction as a list would: also one that cannot be read."""
        async with self._transactions.read() as connection:
            return await repository.placed(connection, actor.within, prediction_id)

    async def page(
        self, actor: Actor, query: Query
    ) -> tuple[tuple[Prediction | Unreadable, ...], Position | None]:
        """Return the predictions asked for that the actor may see, and where the next page begins.

        Raises :class:`~service.predictions.query.CursorError`.
        """
        async with self._transactions.read() as connection:
            return await repository.page(connection, actor.within, query)

    async def timeline(self, actor: Actor, patient_key: UUID) -> Timeline | None:
        """Return a patient's exams in order, each with its prediction."""
        async with self._transactions.read() as connection:
            return await timeline.of(connection, actor.within, patient_key)

    async def sent_before(self, actor: Actor, prediction_id: UUID) -> repository.Sent | None:
        """Return when the actor sent the image of a prediction last before it, if ever."""
        async with self._transactions.read() as connection:
            return await repository.sent_before(connection, actor, prediction_id)

    async def file_name(self, actor: Actor, prediction_id: UUID) -> str | None:
        """Return what the actor called the file of a prediction; None where another sent it."""
        async with self._transactions.read() as connection:
            return await repository.file_name(connection, actor, prediction_id)

    async def _under(self, actor: Actor, key: str) -> Prediction | None:
        async with self._transactions.read() as connection:
            return await repository.under(connection, actor.site, key)


async def _enter(transaction: Transaction, new: _New) -> None:
    """Keep what is known of the exam of ``new``, beside what is kept of its image already."""
    within, id = new.actor.within, new.row.prediction.id
    await _entered(transaction, new)
    if new.read.measured:
        await measuring.enter(transaction, new.actor, within, id, new.read.measured)


async def _entered(transaction: Transaction, new: _New) -> None:
    if new.typed.empty and new.read.facts.empty:
        return
    connection, within, id = transaction.connection, new.actor.within, new.row.prediction.id
    await exams.lock(connection, within, id)
    kept = await exams.get(connection, within, id)
    if kept is None:
        return
    facts = entered(kept, new.typed, new.read.facts)
    if facts.version != kept.version:
        exam = await exams.replace(connection, id, facts, by=new.actor.name)
        await transaction.emit(ExamChanged(actor=new.actor, exam=exam))
