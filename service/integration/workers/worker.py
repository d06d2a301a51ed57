"""What the gateway does all the time: work on cases, deliver, count, and remove what is done with.

All of it is in the ledger, so that another gateway, or this one after a crash, goes on with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from service.integration.destinations import AnyDestination
from service.integration.hl7.service import Feeds
from service.integration.ledger.schemas import LeaseLostError, Sent
from service.integration.ledger.service import Ledger
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peers
from service.integration.workers.committing import Committing
from service.integration.workers.judge import Judge
from service.integration.workers.measuring import Measuring
from service.integration.workers.performing import Performing
from service.integration.workers.pulling import Pulling
from service.integration.workers.senders import Sender
from service.storage.errors import StorageError
from telemetry.journal import fault, log

POLL_SECONDS: Final = 0.5
CLOCK_SECONDS: Final = 5.0
COUNT_SECONDS: Final = 10.0
PURGE_SECONDS: Final = 600.0
CASES: Final = 2
"""Cases that are worked on at a time."""

Step = Callable[[], Awaitable[bool]]


class Worker:
    """``async with working()``: leaving lets go of everything between two steps."""

    def __init__(
        self,
        ledger: Ledger,
        peers: Peers,
        senders: Mapping[str, Sender],
        judge: Judge,
        committing: Committing,
        measuring: Measuring,
        pulling: Pulling,
        performing: Performing,
        feeds: Feeds,
        metrics: GatewayMetrics,
    ) -> None:
        """``senders`` are those of all destinations, by their names."""
        self._ledger = ledger
        self._peers = peers
        self._senders = senders
        self._judge = judge
        self._committing = committing
        self._measuring = measuring
        self._pulling = pulling
        self._performing = performing
        self._feeds = feeds
        self._metrics = metrics
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        steps: list[tuple[str, Step, float]] = [
            *(("case", self._judge.step, POLL_SECONDS) for _ in range(CASES)),
            *(("deliver", self._to(one), POLL_SECONDS) for one in self._peers.destination),
            *(("commitment", step, POLL_SECONDS) for step in self._committing.steps()),
            *(("pull", step, POLL_SECONDS) for step in self._pulling.steps()),
            *(("clock", step, CLOCK_SECONDS) for step in self._pulling.clocks()),
            ("report", self._measuring.step, POLL_SECONDS),
            *(("workitem", step, POLL_SECONDS) for step in self._performing.steps()),
            ("count", self.count, COUNT_SECONDS),
            ("purge", self._purge, PURGE_SECONDS),
        ]
        tasks = [asyncio.create_task(self._again(*step)) for step in steps]
        try:
            yield
        finally:
            # Not cancelled: an object that is being sent would be sent again.
            self._stopping.set()
            # But a study that an archive sends may take long, and goes on elsewhere.
            self._pulling.stop()
            await asyncio.gather(*tasks)

    async def _again(self, name: str, step: Step, pause: float) -> None:
        while not self._stopping.is_set():
            goes_on = False
            try:
                goes_on = await step()
            except StorageError:
                # What waits is in the ledger, which answers again some time.
                pass
            except Exception as error:
                log(logging.ERROR, "bug", task=name, fault=fault(error))
            if not goes_on:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)

    def _to(self, destination: AnyDestination) -> Step:
        return lambda: self.deliver(destination)

    async def deliver(self, destination: AnyDestination) -> bool:
        """Make the next delivery to ``destination``; False where there is none that is due."""
        sender = self._senders[destination.name]
        delivery = await self._ledger.next_delivery(destination.name, sender.in_order)
        if delivery is None:
            return False
        results = await self._ledger.results(delivery.case_id)
        try:
            sent = await sender.send(delivery, results)
        except Exception as error:
            # It counts as an attempt, or it would be tried for ever.
            log(logging.ERROR, "bug", task="deliver", fault=fault(error))
            sent = Sent(objects={}, reason="failed")
        with suppress(LeaseLostError):
            commits = self._committing.is_asked(destination.name)
            state = await self._ledger.sent(delivery, sent, destination.attempts, commits=commits)
            self._metrics.attempted(state)
            if state in ("waiting", "dead"):
                log(
                    logging.WARNING if state == "waiting" else logging.ERROR,
                    f"delivery {state}",
                    delivery=delivery.id,
                    destination=destination.name,
                    reason=sent.reason,
                )
        return True

    async def count(self) -> bool:
        """Show where everything stands."""
        balance = await self._ledger.balance()
        ledger = self._ledger
        self._metrics.ledger(balance, await ledger.states(), await ledger.oldest())
        if balance.unaccounted:
            log(logging.ERROR, "ledger does not balance", objects=balance.unaccounted)
        return False

    async def _purge(self) -> bool:
        await self._committing.tidy()
        await self._pulling.tidy()
        await self._performing.tidy()
        await self._feeds.purge()
        return await self._ledger.purge() > 0
