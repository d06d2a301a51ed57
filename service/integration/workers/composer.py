"""Composes what was judged: objects for a PACS, and what messages are made of."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

import anyio.to_thread
from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from models.reading import Limits
from service.clock import now
from service.decoding import Decoder
from service.exams.schemas import Exam
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.identity.actor import Actor
from service.integration.compose import capture, document, pixels, report
from service.integration.compose.source import Judged, Made, judged
from service.integration.compose.uids import Origin
from service.integration.dicom import head
from service.integration.ledger.schemas import Case, Result
from service.integration.ledger.service import Ledger
from service.integration.orders import Order
from service.integration.peers import Peers
from service.medicine.morphometry.kept import KeptPoints
from service.medicine.progression.place import Place
from service.predictions.schemas import Prediction
from service.storage.errors import UnreadableError

DECODE_SECONDS: Final = 30.0

Ordered = Callable[[Case, Dataset, Actor], Awaitable[Order | None]]
"""Returns the order of a case, by the head of its first image, for whoever sent it."""
Get = Callable[[Actor, UUID], Awaitable[Prediction | None]]
Image = Callable[[Actor, UUID], Awaitable[bytes | None]]
Known = Callable[[Actor, UUID], Awaitable[Exam | None]]
Pointed = Callable[[Actor, UUID], Awaitable[Sequence[KeptPoints]]]
"""Returns every version of the points that a reader has kept of a lateral image."""
Placed = Callable[[Actor, Exam], Awaitable[Place | None]]
"""Returns where an exam stands in its patient's course."""
Found = Sequence[tuple[str, UUID]]
"""SHA-256 of each object that was judged, and the prediction on it."""


class GoneError(Exception):
    """The bytes that were received are removed, or a result was deleted before it was sent."""


class Composer:
    """What it raises is a reason to try later, or that somebody has to look."""

    def __init__(
        self, ledger: Ledger, peers: Peers, ordered: Ordered, get: Get, image: Image,
        known: Known, pointed: Pointed, placed: Placed, decoder: Decoder, limits: Limits,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._peers = peers
        self._ordered = ordered
        self._get = get
        self._image = image
        self._known = known
        self._pointed = pointed
        self._placed = placed
        self._decoder = decoder
        self._limits = limits

    async def results(self, case: Case, actor: Actor, found: Found) -> list[Result]:
        """Return the objects that a PACS is sent, the report first."""
        files = await self._files(case)
        parts = await self._parts(files, actor, found)
        origin = _origin(case, found, parts)
        predecessor = await self._ledger.predecessor(case)
        told = [await self._in_course(one, actor) for one in parts]
        made = [
            await anyio.to_thread.run_sync(
                lambda: _result(report.compose(told, origin, predecessor, case.site))
            )
        ]
        for number, (one, (sha256, _)) in enumerate(zip(parts, found, strict=True)):
            if one.prediction.outcome != "refused":
                made.append(await self._capture(one, origin, number, files[sha256]))
            if self._peers.wants_sheets:
                made.append(await self._document(one, origin, number, actor))
            await self._ledger.renew(case)
        return made

    async def made(self, case: Case, actor: Actor, found: Found) -> Made:
        """Return what messages about a composed case are made of."""
        held = await self._ledger.held(case)
        parts = [
            await self._in_course(one, actor)
            for one in await self._parts({one.sha256: one.data for one in held}, actor, found)
        ]
        whose = {one.sha256: one.patient for one in held}
        for part, (sha256, _) in zip(parts, found, strict=True):
            _merged(part.source, whose[sha256])
        sheets = tuple(
            document.pdf_of(one.data)
            for one in await self._ledger.results(case.id)
            if one.sop_class_uid == EncapsulatedPDFStorage
        )
        return Made(
            case_id=case.id,
            site=case.site,
            parts=tuple(parts),
            origin=_origin(case, found, parts),
            at=now(),
            order=await self._ordered(case, parts[0].source, actor),
            sheets=sheets if len(sheets) == len(parts) else (),
        )

    async def _files(self, case: Case) -> dict[str, bytes]:
        return {one.sha256: one.data for one in await self._ledger.held(case)}

    async def _parts(self, files: dict[str, bytes], actor: Actor, found: Found) -> list[Judged]:
        parts: list[Judged] = []
        for sha256, prediction_id in found:
            prediction = await self._get(actor, prediction_id)
            if prediction is None or sha256 not in files:
                raise GoneError
            exam = await self._exam(actor, prediction_id)
            points = await self._points(actor, prediction_id)
            parts.append(judged(files[sha256], prediction, exam, points=points))
        return parts

    async def _in_course(self, one: Judged, actor: Actor) -> Judged:
        """Return ``one`` with its place in its patient's course, which captures do not tell."""
        if one.exam is None:
            return one
        return dataclasses.replace(one, place=await self._placed(actor, one.exam))

    async def _exam(self, actor: Actor, prediction_id: UUID) -> Exam | None:
        try:
            return await self._known(actor, prediction_id)
        except UnreadableError:
            # A newer version entered it: results go out without it, as the page is shown.
            return None

    async def _points(self, actor: Actor, prediction_id: UUID) -> tuple[KeptPoints, ...]:
        try:
            return tuple(await self._pointed(actor, prediction_id))
        except UnreadableError:
            return ()

    async def _capture(self, one: Judged, origin: Origin, number: int, data: bytes) -> Result:
        grey, scale = await self._decoder.run(
            pixels.shown,
            data,
            self._limits,
            deadline=Deadline.after(DECODE_SECONDS),
            priority=Priority.PERSON,
        )
        return await anyio.to_thread.run_sync(
            lambda: _result(capture.compose(one, origin, number, grey, scale))
        )

    async def _document(self, one: Judged, origin: Origin, number: int, actor: Actor) -> Result:
        scan = await self._image(actor, one.prediction.id)
        if scan is None:
            raise GoneError
        return await anyio.to_thread.run_sync(
            lambda: _result(document.compose(one, origin, number, document.sheet(one, scan)))
        )


def _merged(source: Dataset, patient: str) -> None:
    """Name in ``source`` whom a hospital has merged its patient into.

    In messages alone: objects stay in the study that the PACS has, which merges by itself.
    """
    identifier, _, issuer = patient.partition("\\")
    said = head.text(source, "PatientID"), head.text(source, "IssuerOfPatientID")
    if (identifier, issuer) != said:
        source.PatientID = identifier
        source.IssuerOfPatientID = issuer


def _origin(case: Case, found: Found, parts: Sequence[Judged]) -> Origin:
    return Origin(
        study_uid=case.study_uid,
        hashes=tuple(sha256 for sha256, _ in found),
        versions=tuple(one.prediction.version or "" for one in parts),
        revision=case.revision,
    )


def _result(made: Dataset) -> Result:
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return Result(
        sop_uid=str(made.SOPInstanceUID),
        sop_class_uid=str(made.SOPClassUID),
        series_uid=str(made.SeriesInstanceUID),
        data=buffer.getvalue(),
    )
