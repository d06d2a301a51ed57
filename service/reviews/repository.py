"""Reviews in SQL, in the order they were written. None is changed, nor removed one by one."""

from __future__ import annotations

from typing import Any, Final, Literal
from uuid import UUID, uuid4

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from service.identity.actor import Within
from service.reviews.schemas import KEPT, OPINIONS, Review, held_against
from service.storage.documents import understood
from service.storage.tables.predictions import PredictionRow
from service.storage.tables.reviews import ReviewRow
from service.storage.within import seen

COLUMNS: Final = tuple(getattr(ReviewRow, name) for name in KEPT)
"""What :func:`read` goes by, beside the document of the prediction."""


SIGNED: Final = exists().where(
    ReviewRow.prediction_id == PredictionRow.id, ReviewRow.action.in_(OPINIONS)
)
"""That somebody has signed or overridden a prediction, though they may have withdrawn it."""

_LATER: Final = aliased(ReviewRow)
STANDING: Final = (
    select(ReviewRow.action)
    .where(
        ReviewRow.prediction_id == PredictionRow.id,
        ReviewRow.action.in_(OPINIONS),
        ~exists().where(
            _LATER.prediction_id == ReviewRow.prediction_id,
            _LATER.number > ReviewRow.number,
            _LATER.action == "withdraw",
        ),
    )
    .order_by(ReviewRow.number.desc())
    .limit(1)
    .correlate(PredictionRow)
    .scalar_subquery()
)
"""The action of the review that counts, as :func:`~service.reviews.schemas.standing` finds it;
NULL: the prediction is preliminary."""


Signature = Literal["none", "withdrawn", "standing"]
"""What there is of a signature on a prediction."""


async def lock(connection: AsyncConnection, within: Within, prediction_id: UUID) -> bool:
    """Hold the prediction until the transaction ends; False when it is not there to be seen.

    So reviews are numbered one after the other, and none is orphaned.
    """
    known = select(PredictionRow.id).where(
        PredictionRow.id == prediction_id, seen(PredictionRow, within)
    )
    return await connection.scalar(known.with_for_update(key_share=True)) is not None


async def of(
    connection: AsyncConnection, within: Within, prediction_id: UUID
) -> tuple[Review, ...]:
    """Return every review of a prediction, the first one first."""
    query = (
        select(*COLUMNS, PredictionRow.document)
        .join(PredictionRow, PredictionRow.id == ReviewRow.prediction_id)
        .where(ReviewRow.prediction_id == prediction_id, seen(PredictionRow, within))
        .order_by(ReviewRow.number)
    )
    return tuple(read(connection, row, row.document) for row in await connection.execute(query))


def read(connection: AsyncConnection, row: Any, document: object) -> Review:
    """Return the review in ``row``, of :data:`COLUMNS`, on what is kept as ``document``.

    Raises :class:`~service.storage.errors.UnreadableError`.
    """
    found = {name: getattr(row, name) for name in KEPT}
    return held_against(understood(connection, "review", Review, found), document)


async def document(connection: AsyncConnection, prediction_id: UUID) -> object:
    """Return a prediction as it is kept."""
    query = select(PredictionRow.document).where(PredictionRow.id == prediction_id)
    return await connection.scalar(query)


async def add(connection: AsyncConnection, prediction_id: UUID, review: Review) -> None:
    await connection.execute(
        insert(ReviewRow).values(
            id=uuid4(),
            prediction_id=prediction_id,
            **{name: getattr(review, name) for name in KEPT},
        )
    )


async def signature(connection: AsyncConnection, prediction_id: UUID) -> Signature:
    """Return whether a prediction is signed, or was before somebody has withdrawn it."""
    found = select(STANDING.is_not(None).label("stands"), SIGNED.label("signed"))
    statement = found.select_from(PredictionRow).where(PredictionRow.id == prediction_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None or not row.signed:
        return "none"
    return "standing" if row.stands else "withdrawn"


async def remove(connection: AsyncConnection, prediction_id: UUID) -> None:
    """Remove all that was said of a prediction that is locked and is about to go."""
    await connection.execute(delete(ReviewRow).where(ReviewRow.prediction_id == prediction_id))
