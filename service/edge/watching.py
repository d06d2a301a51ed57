"""Judges what is put into the watched folder, one file after another, by the verbs of the front.

An answer is kept under an idempotency key made of the file's bytes: after a crash, or where the
same bytes are put in again, the result that was made is given again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from typing import Any, Final
from uuid import uuid4

import anyio.to_thread

from models.image.errors import ScanError
from service.edge.folder import (
    SUFFIXES,
    ChangedError,
    Entry,
    State,
    TooLargeError,
    WatchedFolder,
)
from service.errors import ServiceError, service_error
from service.exams.service import Exams
from service.flow.priority import Priority
from service.http.upload import plain_name
from service.identity.actor import Actor
from service.language.formats import telling_time_in
from service.language.locale import speaking
from service.predictions.answers import answer
from service.predictions.report.sheets import Sheets
from service.predictions.schemas import Prediction
from service.predictions.service import Predictions
from telemetry.journal import fault, log

POLL_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 5.0
"""Pause where a file could not be judged now and is to be tried again."""

MOST_ATTEMPTS: Final = 5
"""Attempts at a file that fails in a way that nobody foresaw; then it is refused."""

THE_FOLDER: Final = Actor(name="watched folder")
"""Who sends what lies in it: the service itself, on behalf of whoever may write there."""


@dataclass(frozen=True, kw_only=True)
class Answering:
    """How files are answered."""

    most: int
    """Bytes of a file that are read."""
    language: str = "en"
    """Of the sheet."""
    zone: tzinfo
    keeps_names: bool = True
    """Whether a file's name stands in its answer and beside its result."""


@dataclass(eq=False)
class Watch:
    folder: WatchedFolder
    predictions: Predictions
    exams: Exams
    sheets: Sheets
    answering: Answering
    _attempts: dict[State, int] = field(default_factory=dict)
    _waiting: set[State] = field(default_factory=set)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Judge files until the end; the one that is being judged then is answered first."""
        task = asyncio.create_task(self._repeat(), name="watch folder")
        try:
            yield
        finally:
            self._stopping.set()
            await task

    async def step(self) -> bool:
        """Judge what has settled; False where something has to be tried again later."""
        entries = await anyio.to_thread.run_sync(self.folder.settled)
        self._waiting &= {entry.state for entry in entries}
        done = True
        for entry in entries:
            if self._stopping.is_set():
                return True
            try:
                await self._take(entry)
            except ChangedError:
                continue
            except ServiceError as error:
                # Too much to do, or no room: neither is the file's fault.
                done = False
                if entry.state not in self._waiting:
                    self._waiting.add(entry.state)
                    log(logging.WARNING, "file waits", code=error.code)
            except Exception as error:
                done = False
                log(logging.ERROR, "bug", task="watch folder", fault=fault(error))
                attempts = self._attempts[entry.state] = self._attempts.get(entry.state, 0) + 1
                if attempts >= MOST_ATTEMPTS:
                    del self._attempts[entry.state]
                    with suppress(ChangedError):
                        await self._refuse(entry, service_error(error))
        return done

    async def _repeat(self) -> None:
        while not self._stopping.is_set():
            pause = RETRY_SECONDS
            try:
                if await self.step():
                    pause = POLL_SECONDS
            except Exception as error:
                # The folder itself: gone, full, or not ours to write any more.
                log(logging.ERROR, "folder cannot be used", fault=fault(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _take(self, entry: Entry) -> None:
        if not entry.state.is_file:
            await self._refuse(
                entry,
                ServiceError("not_a_file", "It is a link or a device; plain files are read."),
            )
            return
        try:
            data = await anyio.to_thread.run_sync(self.folder.read, entry, self.answering.most)
            prediction = await self._predicted(entry, data)
        except TooLargeError:
            detail = f"It has more than the {self.answering.most} bytes that are allowed."
            await self._refuse(entry, ServiceError("payload_too_large", detail))
            return
        except ScanError as error:
            await self._refuse(entry, service_error(error))
            return
        with speaking(self.answering.language), telling_time_in(self.answering.zone):
            pdf = await self.sheets.pdf(THE_FOLDER, prediction)
        told = await answer(THE_FOLDER, prediction, self.exams)
        files = {
            "result.json": _document(self._named(entry) | told.document()),
            "report.pdf": pdf,
        }
        suffix = SUFFIXES[prediction.image.format]
        await self._put_away(entry, "judged", str(prediction.id), files, suffix)
        log(logging.INFO, "file judged", prediction=prediction.id)

    async def _predicted(self, entry: Entry, data: bytes) -> Prediction:
        digest = await anyio.to_thread.run_sync(lambda: hashlib.sha256(data).hexdigest())
        return await self.predictions.predict(
            THE_FOLDER, data, Priority.BULK, f"edge/{digest}", name=plain_name(entry.name)
        )

    async def _refuse(self, entry: Entry, error: ServiceError) -> None:
        said = _document(self._named(entry) | {"code": error.code, "detail": error.detail})
        await self._put_away(entry, "refused", str(uuid4()), {"reason.json": said})
        log(logging.INFO, "file refused", code=error.code)

    async def _put_away(self, entry: Entry, *answer: Any) -> None:
        await anyio.to_thread.run_sync(partial(self.folder.put_away, entry, *answer))

    def _named(self, entry: Entry) -> dict[str, Any]:
        return {"file": plain_name(entry.name)} if self.answering.keeps_names else {}


def _document(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
