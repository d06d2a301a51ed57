"""Works on cases: a study that has settled is judged, composed once, and sent on its way."""

from __future__ import annotations

import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

import anyio.to_thread
from pydicom.dataset import Dataset

from models.image.errors import ScanError
from models.reading import Limits
from service.decoding import BusyError, Decoder
from service.errors import ServiceError
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.identity.actor import Actor
from service.integration.compose import capture, pixels, report
from service.integration.compose.source import Judged, judged
from service.integration.compose.uids import Origin
from service.integration.dicom.head import HeadError
from service.integration.ledger.schemas import Case, Held, LeaseLostError, Result
from service.integration.ledger.service import Ledger
from service.integration.peers import Peers
from service.predictions.schemas import Prediction
from service.storage.errors import StorageError
from telemetry.journal import fault, log

DECODE_SECONDS: Final = 30.0
MOST_ATTEMPTS: Final = 8
"""Attempts at a case that fails in a way that nobody foresaw; then a person looks at it."""

Predict = Callable[[Actor, bytes, Priority, str], Awaitable[Prediction]]
Get = Callable[[Actor, UUID], Awaitable[Prediction | None]]


class Judge:
    """One way to a result: the verbs of predictions."""

    def __init__(
        self, ledger: Ledger, peers: Peers, predict: Predict, get: Get, decoder: Decoder,
        limits: Limits,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._peers = peers
        self._predict = predict
        self._get = get
        self._decoder = decoder
        self._limits = limits

    async def step(self) -> bool:
        """Work on the next case as far as it goes; False where there is none."""
        case = await self._ledger.next_case()
        if case is None:
            return False
        try:
            await self._work(case)
        except LeaseLostError:
            pass
        except (ServiceError, BusyError) as error:
            log(logging.INFO, "case waits", case=case.id, fault=fault(error))
            await self._later(case)
        except Exception as error:
            log(logging.ERROR, "bug", task="case", case=case.id, fault=fault(error))
            if case.attempts < MOST_ATTEMPTS:
                await self._later(case)
            else:
                await self._ledger.quarantine(case, "failed")
        return True

    async def _later(self, case: Case) -> None:
        try:
            await self._ledger.postpone(case)
        except (LeaseLostError, StorageError):
            # Its lease ends by itself.
            return

    async def _work(self, case: Case) -> None:
        found = case.judged
        if case.state not in ("judged", "composed"):
            judged_now = await self._judge(case)
            if judged_now is None:
                return
            found = judged_now
        if case.state != "composed":
            await self._ledger.composed(case, await self._compose(case, found))
        await self._ledger.deliver(case, [one.name for one in self._peers.destination])

    async def _judge(self, case: Case) -> tuple[tuple[str, UUID], ...] | None:
        """Return what was judged; None where nothing can be, or more has come."""
        await self._ledger.ready(case)
        made: list[tuple[str, UUID]] = []
        reason = "nothing_held"
        for one in await self._ledger.held(case):
            try:
                made.append((one.sha256, await self._prediction(case, one)))
            except ScanError as error:
                reason = error.code
                await self._ledger.put_aside(case, one, reason)
            await self._ledger.renew(case)
        if not made:
            await self._ledger.quarantine(case, reason)
            return None
        return tuple(made) if await self._ledger.judged(case, made) else None

    async def _prediction(self, case: Case, one: Held) -> UUID:
        # The same for every attempt at the same object, so that it is judged once.
        key = f"gateway/{one.id}"
        found = await self._predict(self._actor(case), one.data, Priority.PERSON, key)
        return found.id

    async def _compose(self, case: Case, found: Sequence[tuple[str, UUID]]) -> list[Result]:
        files = {one.sha256: one.data for one in await self._ledger.held(case)}
        parts: list[Judged] = []
        for sha256, prediction_id in found:
            prediction = await self._get(self._actor(case), prediction_id)
            if prediction is None or sha256 not in files:
                raise LookupError("a result was deleted before it was sent")
            parts.append(judged(files[sha256], prediction))
        origin = Origin(
            study_uid=case.study_uid,
            hashes=tuple(sha256 for sha256, _ in found),
            versions=tuple(one.prediction.version or "" for one in parts),
            revision=case.revision,
        )
        predecessor = await self._ledger.predecessor(case)
        made = [
            await anyio.to_thread.run_sync(
                lambda: _result(report.compose(parts, origin, predecessor))
            )
        ]
        for number, (one, (sha256, _)) in enumerate(zip(parts, found, strict=True)):
            if one.prediction.outcome != "refused":
                made.append(await self._capture(one, origin, number, files[sha256]))
                await self._ledger.renew(case)
        return made

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

    def _actor(self, case: Case) -> Actor:
        actor = self._peers.actor(case.peer, case.site)
        if actor is None:
            raise HeadError("the peer that sent this is not in the file any more")
        return actor


def _result(made: Dataset) -> Result:
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return Result(
        sop_uid=str(made.SOPInstanceUID),
        sop_class_uid=str(made.SOPClassUID),
        series_uid=str(made.SeriesInstanceUID),
        data=buffer.getvalue(),
    )
