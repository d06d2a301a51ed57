"""Signing: what a clinician says of a prediction, and reading it again."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from service.clock import now
from service.identity.actor import Actor
from service.reviews import repository
from service.reviews.events import ReviewAdded
from service.reviews.schemas import Override, Review, ReviewError, Signature, fault, version
from service.storage.errors import ChangedError, GoneError
from service.storage.transaction import Transaction, Transactions
from service.types import Outcome


class Reviews:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def of(self, prediction_id: UUID) -> tuple[Review, ...]:
        """Return every review of a prediction, the first one first."""
        async with self._transactions.read() as connection:
            return await repository.of(connection, prediction_id)

    async def sign(
        self,
        actor: Actor,
        prediction_id: UUID,
        draft: Signature | Override,
        outcome: Outcome,
        seen: Collection[str] | None = None,
    ) -> Review:
        """Write down ``draft`` on a prediction of ``outcome`` and return it as it now stands.

        Where ``seen`` is given, only if :func:`~service.reviews.schemas.version` of the reviews
        there now is one of them; :class:`~service.storage.errors.ChangedError` holds them. One
        that says word for word what the last review says is that review, sent twice. Raises
        :class:`~service.reviews.schemas.ReviewError` for an override that names ``outcome``.
        """
        if isinstance(draft, Override) and draft.outcome == outcome:
            raise ReviewError([fault("outcome", "same_outcome")])
        written = Review(
            number=1,
            created_at=now(),
            action=draft.action,
            outcome=draft.outcome if isinstance(draft, Override) else outcome,
            reviewer=draft.reviewer,
            reason=draft.reason,
        )

        async def work(transaction: Transaction) -> Review:
            connection = transaction.connection
            if not await repository.lock(connection, prediction_id):
                raise GoneError("There is no result with this id.")
            earlier = await repository.of(connection, prediction_id)
            if seen is not None and version(earlier) not in seen:
                if earlier and _same(earlier[-1], written):
                    return earlier[-1]
                raise ChangedError(earlier)
            number = 1 + max((one.number for one in earlier), default=0)
            review = written.model_copy(update={"number": number})
            await repository.add(connection, prediction_id, review)
            await transaction.emit(
                ReviewAdded(actor=actor, prediction_id=prediction_id, review=review)
            )
            return review

        return await self._transactions.write(work)


def _same(review: Review, other: Review) -> bool:
    said = ("action", "outcome", "reviewer", "reason")
    return all(getattr(review, name) == getattr(other, name) for name in said)
