"""Reads scanners' own reports: their numbers go into the exams of their study."""

from __future__ import annotations

import logging
from typing import Final

from models.image.errors import ScanError
from service.decoding import BusyError, Decoder
from service.exams.densitometer import reading
from service.exams.dicom import Scope
from service.exams.measured import understood
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.identity.actor import Actor
from service.integration.ledger.service import Ledger
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peers
from telemetry.journal import log

READ_SECONDS: Final = 10.0
EMPTY: Final = "report_empty"
"""A report of something else: nobody has to look at it."""


class Measuring:
    """``scope``: whether anything of a file's own facts is kept."""

    def __init__(
        self, ledger: Ledger, peers: Peers, decoder: Decoder, scope: Scope, metrics: GatewayMetrics
    ) -> None:
        self._ledger = ledger
        self._peers = peers
        self._decoder = decoder
        self._scope = scope
        self._metrics = metrics

    async def step(self) -> bool:
        """Read the next report; False where there is none, or it cannot be read yet."""
        one = await self._ledger.next_report()
        if one is None:
            return False
        if self._scope == "none":
            await self._ledger.not_measured(one, "not_an_image", ignored=True)
            return True
        try:
            told = await self._decoder.run(
                reading.of_report,
                one.data,
                deadline=Deadline.after(READ_SECONDS),
                priority=Priority.BULK,
            )
            reason = told.get("reason")
        except BusyError:
            return False
        except ScanError as error:
            told, reason = {}, error.code
        found = None if reason else understood(told)
        if found is None:
            reason = reason or "report_damaged"
            await self._ledger.not_measured(one, reason, ignored=reason == EMPTY)
            self._metrics.read("empty" if reason == EMPTY else "refused")
            return True
        actor = self._peers.actor(one.peer, one.site) or Actor(site=one.site, name=one.peer)
        await self._ledger.measured(actor, one, told["key"], found)
        self._metrics.read("partly" if found.left_out else "taken")
        if found.left_out:
            reasons = sorted({left.reason for left in found.left_out})
            log(logging.WARNING, "numbers left out", object=one.id, reasons=reasons)
        return True
