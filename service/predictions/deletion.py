"""Removing a result, or what it shows of a person: by hand, by retention and by erasure alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from service.exams import repository as exams
from service.holds import repository as holds
from service.holds.schemas import HeldError
from service.identity.actor import Actor
from service.images import repository as images
from service.medicine.morphometry import repository as points
from service.predictions import repository
from service.predictions.events import ImageRemoved, PredictionDeleted
from service.predictions.heat_maps import repository as heat_maps
from service.predictions.schemas import DeletionReason, NoReasonError, SignedError
from service.reviews import repository as reviews
from service.reviews.repository import Signature
from service.storage.transaction import Transaction

_RANK: Final[Mapping[Signature, int]] = {"none": 0, "withdrawn": 1, "standing": 2}


async def delete(
    transaction: Transaction,
    actor: Actor,
    prediction_id: UUID,
    reason: DeletionReason | None,
    *,
    most: Signature = "none",
    held: bool = False,
) -> bool:
    """Remove a prediction with maps, points and what was said of it; False when it is not there.

    The image goes with its last prediction, the exam with its last image, and the patient with
    the last exam: a reference that nothing needs is not kept. ``most``: the most of a signature
    that may go with it, so that by hand neither one that stands nor one that was withdrawn does;
    comments always go. ``held``: whether a hold is none to it.

    Raises :class:`~service.predictions.schemas.SignedError`,
    :class:`~service.holds.schemas.HeldError`, or where people sign in and no ``reason`` is given
    :class:`~service.predictions.schemas.NoReasonError`.
    """
    connection = transaction.connection
    if not await repository.lock(connection, actor.within, prediction_id):
        return False
    image = await images.hold(connection, prediction_id)
    if not held and await holds.is_result_held(connection, prediction_id):
        raise HeldError
    if _RANK[await reviews.signature(connection, prediction_id)] > _RANK[most]:
        raise SignedError
    if reason is None and not actor.is_anybody:
        raise NoReasonError
    await reviews.remove(connection, prediction_id)
    await repository.remove(connection, prediction_id)
    await exams.release(connection, await images.release(connection, image))
    await transaction.emit(
        PredictionDeleted(actor=actor, prediction_id=prediction_id, reason=reason)
    )
    return True


async def remove_image(
    transaction: Transaction, actor: Actor, prediction_id: UUID, reason: DeletionReason
) -> bool:
    """Remove what shows the body, pixels and heat maps; False where there is nothing, or a hold.

    The result stays, with the exam that its image belongs to.
    """
    connection = transaction.connection
    if not await repository.lock(connection, actor.within, prediction_id):
        return False
    image = await images.hold(connection, prediction_id)
    if await holds.is_result_held(connection, prediction_id):
        return False
    await heat_maps.remove(connection, prediction_id)
    if not await repository.forget_picture(connection, prediction_id):
        return False
    await images.release_pictures(connection, image)
    await transaction.emit(ImageRemoved(actor=actor, prediction_id=prediction_id, reason=reason))
    return True


async def unlink(transaction: Transaction, actor: Actor, prediction_id: UUID) -> None:
    """Have a signed result say nothing of whose it is: no image, maps, points, exam, or patient.

    What was signed stays as it was signed.
    """
    connection = transaction.connection
    image = await images.hold(connection, prediction_id)
    await heat_maps.remove(connection, prediction_id)
    await points.remove(connection, prediction_id)
    await repository.forget_image(connection, prediction_id)
    await exams.release(connection, await images.release(connection, image))
    await transaction.emit(ImageRemoved(actor=actor, prediction_id=prediction_id, reason="erasure"))
