"""STOW-RS: objects by HTTP into the same ledger, by the same rules, acknowledged when durable."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from pydicom.uid import UID

from models.image.errors import ScanError, UnsupportedSyntaxError
from service.decoding import BusyError, Decoder
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.http.related import Part
from service.identity.actor import Actor
from service.integration.ledger.schemas import MANUFACTURER, Arrival
from service.integration.ledger.service import Ledger
from service.integration.peers import by_key
from service.integration.web.metrics import DicomWebMetrics
from service.integration.web.reading import Headed, headed
from service.storage.errors import StorageError
from telemetry.journal import fault, log

FILE: Final = "application/dicom"
READ_SECONDS: Final = 15.0

NOT_STORED, MISMATCH, UNREADABLE, TOO_LARGE = 0xA700, 0xA900, 0xC000, 0xC001
NO_SOP_CLASS, NO_SYNTAX = 0x0122, 0xC122
"""Failure reasons (PS3.18 table I.2-2): it is no storage SOP class; a transfer syntax that is not
taken."""


@dataclass(frozen=True)
class Failure:
    reason: int
    sop_class_uid: str | None = None
    sop_uid: str | None = None


@dataclass(frozen=True)
class Failed:
    """Why an object's head could not be read, and what is counted."""

    reason: int
    result: str


@dataclass
class Stored:
    """What became of the objects of one request."""

    kept: list[tuple[str, str]] = field(default_factory=list)
    """SOP class and UID of each that the ledger has now."""
    failures: list[Failure] = field(default_factory=list)

    @property
    def status(self) -> int:
        """Return 200, 202 where only some were kept, 409 where none was, 503 where none could."""
        if self.kept:
            return 202 if self.failures else 200
        waits = [one for one in self.failures if one.reason == NOT_STORED]
        return 503 if waits and len(waits) == len(self.failures) else 409

    def document(self) -> dict[str, Any]:
        """Return the response as DICOM JSON (PS3.18 section 10.5.3.3, F)."""
        told: dict[str, Any] = {"00081190": {"vr": "UR"}}
        if self.kept:
            told["00081199"] = _sequence([_named(*one) for one in self.kept])
        named = [one for one in self.failures if one.sop_uid is not None]
        if named:
            told["00081198"] = _sequence(
                [
                    {
                        **_named(one.sop_class_uid or "", one.sop_uid or ""),
                        **_reason(one.reason),
                    }
                    for one in named
                ]
            )
        others = [one for one in self.failures if one.sop_uid is None]
        if others:
            told["0008119A"] = _sequence([_reason(one.reason) for one in others])
        return told


class Stow:
    """``store`` takes parts as they come, one in memory at a time."""

    def __init__(self, ledger: Ledger, decoder: Decoder, metrics: DicomWebMetrics) -> None:
        self._ledger = ledger
        self._decoder = decoder
        self._metrics = metrics

    async def store(
        self, actor: Actor, parts: AsyncIterator[Part], stored: Stored, study: str | None
    ) -> None:
        """Keep what ``parts`` hold, and write down in ``stored`` what became of each.

        ``study``: all of them must be of this one. What was kept stays kept where ``parts`` raise.
        """
        cases: set[UUID] = set()
        try:
            async for part in parts:
                result = await self._one(actor, part, stored, study, cases)
                self._metrics.received(result)
        finally:
            if cases:
                # Where this fails, they settle by themselves a little later.
                with suppress(StorageError):
                    await self._ledger.released(frozenset(cases))

    async def _headed(self, part: Part) -> Headed | Failed:
        if part.too_large:
            return Failed(TOO_LARGE, "too_large")
        try:
            found: Headed = await self._decoder.run(
                headed,
                bytes(part.data),
                deadline=Deadline.after(READ_SECONDS),
                priority=Priority.PERSON,
            )
        except UnsupportedSyntaxError:
            return Failed(NO_SYNTAX, "not_taken")
        except ScanError:
            return Failed(UNREADABLE, "unreadable")
        except BusyError:
            return Failed(NOT_STORED, "not_stored")
        return found

    async def _one(
        self, actor: Actor, part: Part, stored: Stored, study: str | None, cases: set[UUID]
    ) -> str:
        found = await self._headed(part)
        if isinstance(found, Failed):
            stored.failures.append(Failure(found.reason))
            return found.result
        sop_class, sop_uid, series, its_study, patient, manufacturer, is_image, digest = found
        if not UID(sop_class).keyword.endswith("Storage"):
            stored.failures.append(Failure(NO_SOP_CLASS, sop_class, sop_uid))
            return "not_taken"
        if study is not None and its_study != study:
            stored.failures.append(Failure(MISMATCH, sop_class, sop_uid))
            return "mismatch"
        one = Arrival(
            site=actor.site,
            peer=by_key(actor),
            sop_uid=sop_uid,
            sop_class_uid=sop_class,
            series_uid=series,
            study_uid=its_study,
            patient=patient,
            sha256=digest,
            is_image=is_image,
            is_own=manufacturer == MANUFACTURER,
            data=bytes(part.data),
        )
        try:
            what, case_id = await self._ledger.receive(one)
        except StorageError as error:
            log(logging.ERROR, "object not stored", fault=fault(error))
            stored.failures.append(Failure(NOT_STORED, sop_class, sop_uid))
            return "not_stored"
        stored.kept.append((sop_class, sop_uid))
        if case_id is not None:
            cases.add(case_id)
        return what


def _sequence(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"vr": "SQ", "Value": items}


def _named(sop_class: str, sop_uid: str) -> dict[str, Any]:
    return {
        "00081150": {"vr": "UI", "Value": [sop_class]},
        "00081155": {"vr": "UI", "Value": [sop_uid]},
    }


def _reason(code: int) -> dict[str, Any]:
    return {"00081197": {"vr": "US", "Value": [code]}}
