"""What a clinician says of a prediction: signing, commenting, withdrawing, and reading it again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from service.clock import now
from service.errors import ServiceError
from service.identity.actor import Actor
from service.language.locale import N_
from service.reviews import repository
from service.reviews.events import ReviewAdded
from service.reviews.schemas import (
    AnyDraft,
    Comment,
    Method,
    Override,
    Review,
    ReviewError,
    Signature,
    Withdrawal,
    digest,
    fault,
    held_against,
    standing,
    version,
)
from service.storage.errors import ChangedError, GoneError
from service.storage.transaction import Transaction, Transactions
from service.types import Outcome


class Reviews:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions, fresh: timedelta = timedelta(minutes=5)) -> None:
        """``fresh``: how long after they have proved who they are somebody signs."""
        self._transactions = transactions
        self._fresh = fresh

    def is_stale(self, actor: Actor) -> bool:
        """Whether the actor has to prove once more who they are before they sign."""
        return actor.session is not None and now() - actor.session.since > self._fresh

    async def of(self, actor: Actor, prediction_id: UUID) -> tuple[Review, ...]:
        """Return every review of a prediction that the actor may see, the first one first."""
        async with self._transactions.read() as connection:
            return await repository.of(connection, actor.within, prediction_id)

    async def sign(
        self,
        actor: Actor,
        prediction_id: UUID,
        draft: Signature | Override,
        outcome: Outcome,
        seen: Collection[str] | None = None,
    ) -> Review:
        """Sign a prediction of ``outcome`` or override it; return the review as it now stands.

        Where ``seen`` is given, only if :func:`~service.reviews.schemas.version` of the reviews
        there now is one of them; :class:`~service.storage.errors.ChangedError` holds them. One
        that says word for word what the last review says is that review, sent twice. Raises
        :class:`~service.reviews.schemas.ReviewError` for an override that names ``outcome``, and
        for a name beside an account's or none where nobody signs in.

        A program cannot sign, and a person only within minutes of proving who they are: else
        :class:`~service.errors.ServiceError`.
        """
        if isinstance(draft, Override) and draft.outcome == outcome:
            raise ReviewError([fault("outcome", "same_outcome")])
        written = _written(actor, draft, draft.outcome if isinstance(draft, Override) else outcome)
        self._fresh_enough(actor)
        return await self._add(actor, prediction_id, written, seen)

    async def comment(
        self,
        actor: Actor,
        prediction_id: UUID,
        draft: Comment,
        outcome: Outcome,
        seen: Collection[str] | None = None,
    ) -> Review:
        """Write a comment down: whether the result is signed stays as it is.

        Raises as :meth:`sign`, but asks nobody to prove once more who they are.
        """
        return await self._add(actor, prediction_id, _written(actor, draft, outcome), seen)

    async def withdraw(
        self,
        actor: Actor,
        prediction_id: UUID,
        draft: Withdrawal,
        outcome: Outcome,
        seen: Collection[str] | None = None,
    ) -> Review:
        """Withdraw what stands, whoever signed it: the result is preliminary again.

        Raises as :meth:`sign`, and :class:`~service.reviews.schemas.ReviewError` where nothing
        stands.
        """
        written = _written(actor, draft, outcome)
        self._fresh_enough(actor)
        return await self._add(actor, prediction_id, written, seen)

    async def add(
        self,
        actor: Actor,
        prediction_id: UUID,
        draft: AnyDraft,
        outcome: Outcome,
        seen: Collection[str] | None = None,
    ) -> Review:
        """Do what ``draft`` is a draft of."""
        match draft:
            case Comment():
                return await self.comment(actor, prediction_id, draft, outcome, seen)
            case Withdrawal():
                return await self.withdraw(actor, prediction_id, draft, outcome, seen)
            case _:
                return await self.sign(actor, prediction_id, draft, outcome, seen)

    def _fresh_enough(self, actor: Actor) -> None:
        if self.is_stale(actor):
            raise ServiceError(
                "sign_in_again", N_("They have not proved who they are within the last minutes.")
            )

    async def _add(
        self,
        actor: Actor,
        prediction_id: UUID,
        written: Review,
        seen: Collection[str] | None,
    ) -> Review:
        async def work(transaction: Transaction) -> Review:
            connection = transaction.connection
            if not await repository.lock(connection, actor.within, prediction_id):
                raise GoneError("There is no result with this id.")
            earlier = await repository.of(connection, actor.within, prediction_id)
            if seen is not None and version(earlier) not in seen:
                if earlier and _same(earlier[-1], written):
                    return earlier[-1]
                raise ChangedError(earlier)
            stands = standing(earlier)
            if written.action == "withdraw" and stands is None:
                raise ReviewError([fault("action", "not_signed")])
            number = 1 + max((one.number for one in earlier), default=0)
            document = await repository.document(connection, prediction_id)
            kept = digest(document) if actor.is_person else None
            more = {"number": number, "document_sha256": kept}
            if written.action == "comment" and stands is not None:
                more["outcome"] = stands.outcome
            review = held_against(written.model_copy(update=more), document)
            await repository.add(connection, prediction_id, review)
            await transaction.emit(
                ReviewAdded(actor=actor, prediction_id=prediction_id, review=review)
            )
            return review

        return await self._transactions.write(work)


def _written(actor: Actor, draft: AnyDraft, outcome: Outcome) -> Review:
    return Review(
        number=1,
        created_at=now(),
        action=draft.action,
        outcome=outcome,
        reviewer=_reviewer(actor, draft.reviewer),
        reason=draft.reason,
        person_id=actor.id,
        method=_method(actor),
    )


def _reviewer(actor: Actor, typed: str | None) -> str:
    """Return the name that stands beside the result."""
    if actor.id is None:
        if typed is None:
            raise ReviewError([fault("reviewer", "missing")])
        return typed
    if not actor.is_person:
        raise ServiceError("forbidden", N_("Only a person who has signed in can sign."))
    if typed is not None:
        raise ReviewError([fault("reviewer", "unknown")])
    return actor.name


def _method(actor: Actor) -> Method | None:
    if actor.session is None:
        return None
    if actor.session.by_provider:
        return "provider"
    if actor.session.by_passkey:
        return "passkey"
    return "two_factors" if actor.session.second else "password"


def _same(review: Review, other: Review) -> bool:
    said = ("action", "outcome", "reviewer", "reason", "person_id")
    return all(getattr(review, name) == getattr(other, name) for name in said)
