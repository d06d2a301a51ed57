"""Asks destinations whether they commit to what they were sent, and tells peers what is stored."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import anyio.to_thread
from pydicom.uid import generate_uid

from service.integration.destinations import DicomDestination
from service.integration.dicom import commitment
from service.integration.dicom.outgoing import Called, called
from service.integration.ledger.commitments import Commitments
from service.integration.ledger.schemas import LeaseLostError
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peer, Peers
from service.integration.settings import GatewaySettings
from telemetry.journal import fault, log

Step = Callable[[], Awaitable[bool]]


class Committing:
    """Each step returns whether there may be more to do."""

    def __init__(
        self,
        settings: GatewaySettings,
        commitments: Commitments,
        peers: Peers,
        metrics: GatewayMetrics,
    ) -> None:
        self._settings = settings
        self._commitments = commitments
        self._peers = peers
        self._metrics = metrics
        self._asked = {one.name: one for one in peers.pacs if one.commitment}
        self._reached = {
            (one.site, one.name): one for one in peers.peer if one.report_host is not None
        }
        self._others = [
            (one.site, one.name) for one in peers.peer if one.report_host is None
        ]  # fmt: skip

    def is_asked(self, destination: str) -> bool:
        """Whether a delivery to ``destination`` is done only when it commits to the objects."""
        return destination in self._asked

    def steps(self) -> list[Step]:
        """Return what is to be done again and again."""
        asking: list[Step] = [partial(self.ask, one) for one in self._asked.values()]
        return [*asking, *([self.tell] if self._reached else [])]

    async def ask(self, destination: DicomDestination) -> bool:
        """Ask about the next delivery to ``destination`` that is due."""
        about = await self._commitments.next_question(destination.name)
        if about is None:
            return False
        patience, budget = destination.commitment_seconds, destination.attempts
        with suppress(LeaseLostError):
            if about.attempts > budget:
                state = await self._commitments.asked(about, "not_committed", patience, budget)
            else:
                uid = str(generate_uid(prefix=None))
                # Before it is asked: the report may come at once, and to another gateway.
                await self._commitments.asking(about, uid)
                try:
                    asked = await anyio.to_thread.run_sync(
                        commitment.ask, called(destination), uid, about.objects
                    )
                except Exception as error:
                    log(logging.ERROR, "bug", task="commitment", fault=fault(error))
                    asked = commitment.Asked(reason="failed")
                heard = None
                if asked.report is not None:
                    heard = await self._commitments.heard(destination.name, asked.report, budget)
                state = heard or await self._commitments.asked(
                    about, asked.reason, patience, budget
                )
            self._metrics.attempted(state)
            if state in ("waiting", "dead"):
                log(
                    logging.WARNING if state == "waiting" else logging.ERROR,
                    f"delivery {state}",
                    delivery=about.id,
                    destination=destination.name,
                    reason="not_committed",
                )
        return True

    async def tell(self) -> bool:
        """Tell the next peer that is to hear what is stored of what it asked about."""
        about = await self._commitments.next_commitment(self._reached)
        if about is None:
            return False
        peer = self._reached[about.site, about.peer]
        report = await self._commitments.answer(about.site, about)
        try:
            reason = await anyio.to_thread.run_sync(commitment.tell, self._to(peer), report)
        except Exception as error:
            log(logging.ERROR, "bug", task="commitment", fault=fault(error))
            reason = "failed"
        if reason is not None:
            log(logging.WARNING, "peer not told", peer=peer.name, reason=reason)
        with suppress(LeaseLostError):
            await self._commitments.reported(about, reason)
        return True

    async def tidy(self) -> None:
        """Give up what nobody can be told any more, and forget what was answered long ago."""
        if self._others:
            await self._commitments.give_up(self._others)
        await self._commitments.purge()

    def _to(self, peer: Peer) -> Called:
        settings, secured = self._settings, peer.report_tls
        return Called(
            host=peer.report_host or "",
            port=peer.report_port or 0,
            called=peer.calling,
            calling=peer.called,
            authorities=settings.gateway_authorities if secured else None,
            certificate=settings.gateway_certificate if secured else None,
            key=settings.gateway_key if secured else None,
        )
