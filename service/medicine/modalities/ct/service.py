"""Taking a series of CT, and measuring the region that a reader accepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import anyio.to_thread

from models.attenuation.region import Ellipse, RegionError, measure
from models.reading import Limits
from service.batches.spool import Items
from service.decoding import Decoder
from service.exams import repository as exams
from service.exams.schemas import Exam
from service.identity.actor import Actor
from service.medicine.modalities import repository as entered
from service.medicine.modalities.ct import repository
from service.medicine.modalities.ct.repository import KeptSeries, KeptSlice
from service.medicine.modalities.ct.schemas import (
    Attenuation,
    Placed,
    Region,
    RegionFieldsError,
    SeriesAnswer,
    fault,
)
from service.medicine.modalities.ct.series import Series, read
from service.medicine.modalities.events import ModalityChanged
from service.medicine.modalities.service import change
from service.storage.transaction import Transaction, Transactions


@dataclass(frozen=True)
class CtLimits:
    """Bounds of one series: of its slices as images, and of the time to read all of them."""

    image: Limits
    seconds: float


class CtReading:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must."""

    def __init__(self, transactions: Transactions, decoder: Decoder, limits: CtLimits) -> None:
        self._transactions = transactions
        self._decoder = decoder
        self._limits = limits

    async def receive(self, actor: Actor, prediction_id: UUID, items: Items) -> SeriesAnswer | None:
        """Keep the series in ``items`` in the place of the one before; None without the prediction.

        What was measured in that one is forgotten with it. Raises what
        :func:`service.medicine.modalities.ct.series.read` raises.
        """
        series = await read(items, self._decoder, self._limits.image, self._limits.seconds)

        async def work(transaction: Transaction) -> SeriesAnswer | None:
            connection = transaction.connection
            if not await exams.lock(connection, actor.within, prediction_id):
                return None
            kept = await exams.get(connection, actor.within, prediction_id)
            if kept is None:
                return None
            answer = _answer(series, kept.patient_reference)
            await repository.let_go(connection)
            exam_id = await entered.exam_of(connection, prediction_id)
            await repository.replace(connection, exam_id, series, answer)
            found = kept.modalities.model_copy(update={"ct": None})
            await entered.keep(connection, exam_id, found)
            exam = kept.model_copy(update={"modalities": found})
            await transaction.emit(ModalityChanged(actor=actor, exam=exam, modality="ct"))
            return answer

        return await self._transactions.write(work)

    async def series(self, actor: Actor, prediction_id: UUID) -> KeptSeries | None:
        async with self._transactions.read() as connection:
            return await repository.get(connection, actor.within, prediction_id)

    async def slice(self, actor: Actor, prediction_id: UUID, number: int) -> KeptSlice | None:
        async with self._transactions.read() as connection:
            return await repository.get_slice(connection, actor.within, prediction_id, number)

    async def measured(
        self, actor: Actor, prediction_id: UUID, placed: Placed
    ) -> Attenuation | None:
        """Return the attenuation in ``placed`` without keeping it; None without such a series.

        Raises :class:`~service.medicine.modalities.ct.schemas.RegionFieldsError`.
        """
        kept = await self.series(actor, prediction_id)
        if kept is None:
            return None
        slice_ = await self.slice(actor, prediction_id, placed.slice)
        if slice_ is None:
            raise RegionFieldsError([fault("slice", "unknown")])
        return await anyio.to_thread.run_sync(_measured, kept.answer, slice_, placed)

    async def accept(self, actor: Actor, prediction_id: UUID, placed: Placed) -> Exam | None:
        """Keep the attenuation in ``placed``, and of the series that slice alone.

        None without such a series. Raises as :meth:`measured`.
        """
        measured = await self.measured(actor, prediction_id, placed)
        if measured is None:
            return None

        async def work(transaction: Transaction) -> Exam | None:
            exam = await change(transaction, actor, prediction_id, "ct", measured)
            if exam is not None:
                exam_id = await entered.exam_of(transaction.connection, prediction_id)
                await repository.keep_only(transaction.connection, exam_id, placed.slice)
            return exam

        return await self._transactions.write(work)

    async def remove(self, actor: Actor, prediction_id: UUID) -> Exam | None:
        """Forget the series and what was measured in it; None without the prediction."""

        async def work(transaction: Transaction) -> Exam | None:
            exam = await change(transaction, actor, prediction_id, "ct", None)
            if exam is not None:
                exam_id = await entered.exam_of(transaction.connection, prediction_id)
                await repository.remove(transaction.connection, exam_id)
            return exam

        return await self._transactions.write(work)


def ellipse(region: Region, spacing: tuple[float, float]) -> Ellipse:
    """Return ``region`` in pixels; ``spacing`` is from row to row and column to column, in mm."""
    return Ellipse(
        x=region.x,
        y=region.y,
        radius_x=region.radius_x_mm / spacing[1],
        radius_y=region.radius_y_mm / spacing[0],
    )


def _measured(series: SeriesAnswer, slice_: KeptSlice, placed: Placed) -> Attenuation:
    spacing = series.spacing_mm
    try:
        found = measure(slice_.stored, slice_.rescale, ellipse(placed, spacing), spacing)
    except RegionError:
        raise RegionFieldsError([fault("region", "outside")]) from None
    contrast = series.scan.contrast
    return Attenuation(
        region=Region.model_validate(placed.model_dump(exclude={"contrast"})),
        mean_hu=round(found.mean, 1),
        sd_hu=round(found.sd, 1),
        se_hu=round(found.se, 2),
        low_hu=round(found.low, 1),
        high_hu=round(found.high, 1),
        pixels=found.pixels,
        area_mm2=round(found.area, 1),
        scan=series.scan,
        # What the file names was given, whatever somebody remembers.
        contrast=contrast if contrast == "given" else placed.contrast or contrast,
    )


def _answer(series: Series, reference: str | None) -> SeriesAnswer:
    patient: Literal["same", "differs", "unknown"] = "unknown"
    if series.patient is not None and reference is not None:
        patient = "same" if series.patient == reference else "differs"
    return SeriesAnswer(
        rows=series.rows,
        columns=series.columns,
        spacing_mm=series.spacing,
        slices=tuple(range(1, len(series.slices) + 1)),
        received=len(series.slices),
        left_out=sum(series.left_out.values()),
        patient=patient,
        scan=series.scan,
    )
