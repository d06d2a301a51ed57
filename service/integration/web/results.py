"""QIDO-RS and WADO-RS: results that the ledger still has, for those who may see them."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import anyio.to_thread
import pydicom
from pydicom.dataset import Dataset

from service.identity.actor import Actor
from service.identity.events import WasRead
from service.identity.reading import Reading
from service.integration.dicom import head
from service.integration.peers import by_key
from service.integration.web import repository
from service.integration.web.repository import Seen
from service.integration.web.schemas import MOST, Found, Level, Sought, nothing
from service.storage.transaction import Transactions

_PATIENT: Final = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
)  # fmt: skip
_TOLD: Final[Mapping[Level, tuple[str, ...]]] = {
    "study": (
        "SpecificCharacterSet", "StudyDate", "StudyTime", "AccessionNumber",
        "ReferringPhysicianName", *_PATIENT, "StudyInstanceUID", "StudyID",
    ),
    "series": (
        "SpecificCharacterSet", "Modality", "SeriesDescription", "StudyInstanceUID",
        "SeriesInstanceUID", "SeriesNumber",
    ),
    "instance": (
        "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID",
        "SeriesInstanceUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated",
        "NumberOfFrames",
    ),
}  # fmt: skip
"""Attributes of each level (PS3.18 tables 10.6.3-3 to 10.6.3-5), as far as results have them."""
_MODALITIES: Final = {"1.2.840.10008.5.1.4.1.1.7": "OT", "1.2.840.10008.5.1.4.1.1.104.1": "DOC"}
_BULK: Final = ("PixelData", "EncapsulatedDocument")


class DicomResults:
    """What is read is noted in the trail before it is answered, by the number of its case.

    Every method raises :class:`~service.storage.errors.StorageError` when it must.
    """

    def __init__(self, transactions: Transactions, reading: Reading) -> None:
        self._transactions = transactions
        self._reading = reading

    async def search(
        self, actor: Actor, sought: Sought, level: Level, route: str
    ) -> list[dict[str, Any]]:
        """Return what matches as DICOM JSON."""
        seen = _seen(actor)
        async with self._transactions.read() as connection:
            found = await repository.find(connection, seen, sought, level)
            classes = await repository.classes(connection, seen, [one.study for one in found])
        await self._note(actor, (one.case_id for one in found), route)
        return await anyio.to_thread.run_sync(
            lambda: [_told(one, level, classes.get(one.study, set())) for one in found]
        )

    async def named(self, actor: Actor, sought: Sought, route: str) -> tuple[str, ...]:
        """Return the UIDs of the objects that an address names. Raises where there is none."""
        whole = dataclasses.replace(sought, limit=MOST)
        async with self._transactions.read() as connection:
            found = await repository.named(connection, _seen(actor), whole)
        if not found:
            raise nothing()
        await self._note(actor, (case_id for case_id, _ in found), route)
        return tuple(uid for _, uid in found)

    async def files(self, actor: Actor, uids: Iterable[str]) -> AsyncIterator[bytes]:
        """Yield the files, one in memory at a time; one that was removed meanwhile is left out."""
        for uid in uids:
            async with self._transactions.read() as connection:
                data = await repository.data(connection, _seen(actor), uid)
            if data is not None:
                yield data

    async def metadata(self, actor: Actor, uids: Iterable[str]) -> list[dict[str, Any]]:
        """Return the attributes of objects as DICOM JSON, without pixels and documents."""
        return [
            await anyio.to_thread.run_sync(_metadata, data)
            async for data in self.files(actor, uids)
        ]

    async def _note(self, actor: Actor, cases: Iterable[UUID], route: str) -> None:
        for case_id in dict.fromkeys(cases):
            await self._reading.note(
                WasRead(actor=actor, what="result", id=str(case_id), route=route)
            )


def _seen(actor: Actor) -> Seen:
    """A program that only sends sees what it has sent itself."""
    within = actor.within
    return Seen(within.site, None if within.made_by is None else by_key(actor))


def _told(found: Found, level: Level, classes: Iterable[str]) -> dict[str, Any]:
    whole, told = _read(found.data), Dataset()
    for name in _TOLD[level]:
        if name in whole:
            told[name] = whole[name]
    told.InstanceAvailability = "ONLINE"
    if level == "study":
        told.ModalitiesInStudy = sorted({_MODALITIES.get(one, "SR") for one in classes})
        told.NumberOfStudyRelatedSeries = found.series_count
        told.NumberOfStudyRelatedInstances = found.instance_count
    elif level == "series":
        told.NumberOfSeriesRelatedInstances = found.instance_count
    return _json(told)


def _metadata(data: bytes) -> dict[str, Any]:
    whole = _read(data)
    for name in _BULK:
        if name in whole:
            del whole[name]
    return _json(whole)


def _read(data: bytes) -> Dataset:
    head.hush()
    return pydicom.dcmread(io.BytesIO(data))


def _json(found: Dataset) -> dict[str, Any]:
    told: dict[str, Any] = found.to_json_dict()
    # It says how bytes were written; JSON is UTF-8 (PS3.18 F.2.5).
    if "00080005" in told:
        told["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    return told
