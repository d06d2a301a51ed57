"""Keeping points that a reader has set on a lateral image, and reading them again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from models.vertebrae.morphometry import LateralLevel
from service.clock import now
from service.identity.actor import Actor
from service.medicine.morphometry import repository
from service.medicine.morphometry.events import PointsKept
from service.medicine.morphometry.kept import KeptPoints, version, vertebrae
from service.medicine.morphometry.schemas import Points, Vertebra
from service.storage.errors import ChangedError
from service.storage.transaction import Transaction, Transactions


class Morphometry:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def of(self, actor: Actor, prediction_id: UUID) -> tuple[KeptPoints, ...]:
        """Return every version of a result's points that the actor may see, the first first."""
        async with self._transactions.read() as connection:
            return await repository.of(connection, actor.within, prediction_id)

    async def last(self, actor: Actor, prediction_id: UUID) -> KeptPoints | None:
        """Return the version that counts; None where none was kept, or they were removed."""
        kept = await self.of(actor, prediction_id)
        return kept[-1] if kept and kept[-1].vertebrae else None

    async def keep(
        self,
        actor: Actor,
        prediction_id: UUID,
        points: Points | None,
        proposed: Mapping[LateralLevel, Vertebra],
        seen: Collection[str] | None = None,
    ) -> tuple[KeptPoints, ...] | None:
        """Add a version with ``points`` and return all; None without the prediction.

        ``points`` of None says that none count any more. Those that are ``proposed`` ones are kept
        as such. Where ``seen`` is given, only if the
        :func:`~service.medicine.morphometry.kept.version` there now is one of them, else
        :class:`~service.storage.errors.ChangedError` holds all versions. What the last version says
        already is that version, sent twice.

        Raises :class:`~service.medicine.morphometry.kept.NotLateralError` or
        :class:`~service.medicine.morphometry.schemas.PointsError`.
        """

        async def work(transaction: Transaction) -> tuple[KeptPoints, ...] | None:
            connection = transaction.connection
            picture = await repository.picture(connection, actor.within, prediction_id)
            if picture is None:
                return None
            if points is not None:
                picture.take(points)
            earlier = await repository.of(connection, actor.within, prediction_id)
            if (earlier[-1].says(points)) if earlier else points is None:
                return earlier
            if seen is not None and version(earlier) not in seen:
                raise ChangedError(earlier)
            kept = KeptPoints(
                number=1 + (earlier[-1].number if earlier else 0),
                kept_at=now(),
                by=actor.name or None,
                person_id=actor.id,
                vertebrae=vertebrae(points, proposed),
                pixel_aspect=1.0 if points is None else points.pixel_aspect,
            )
            await repository.add(connection, prediction_id, kept)
            await transaction.emit(PointsKept(actor=actor, prediction_id=prediction_id, kept=kept))
            return (*earlier, kept)

        return await self._transactions.write(work)
