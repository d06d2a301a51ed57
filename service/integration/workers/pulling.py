"""Asks archives for studies: what people want, and by the clock what is new."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

import anyio.to_thread

from service.integration.archives import Archive
from service.integration.dicom import query
from service.integration.dicom.fetcher import Fetcher
from service.integration.dicom.outgoing import called
from service.integration.dicom.query import Patience, QueryError
from service.integration.ledger.schemas import LeaseLostError
from service.integration.metrics import GatewayMetrics
from service.integration.peers import Peer, Peers
from service.integration.pulls.schemas import Pull
from service.integration.pulls.service import Pulls
from service.storage.errors import StorageError
from telemetry.journal import fault, log

T = TypeVar("T")
Step = Callable[[], Awaitable[bool]]

FIND_SECONDS: Final = 120.0
"""How long an archive may take to say what it has."""
LOOK_SECONDS: Final = 1.0
"""How often it is looked whether a question is still wanted."""


class Pulling:
    """Each step returns whether there may be more to do. ``stop``: let go of what is under way."""

    def __init__(
        self, pulls: Pulls, peers: Peers, fetcher: Fetcher, metrics: GatewayMetrics
    ) -> None:
        self._pulls = pulls
        self._peers = peers
        self._fetcher = fetcher
        self._metrics = metrics
        self._is_stopping = False

    def steps(self) -> list[Step]:
        """Return what is to be done again and again."""
        return [partial(self.step, one) for one in self._peers.archive]

    def clocks(self) -> list[Step]:
        """Return what makes questions by the clock."""
        timed = (one for one in self._peers.archive if one.every_minutes is not None)
        return [partial(self.schedule, one) for one in timed]

    def stop(self) -> None:
        self._is_stopping = True

    async def schedule(self, archive: Archive) -> bool:
        """Have ``archive`` asked for what is new where it is time."""
        await self._pulls.schedule(self._peers.sends(archive).site, archive)
        return False

    async def step(self, archive: Archive) -> bool:
        """Work on the next question to ``archive`` as far as it goes."""
        peer = self._peers.sends(archive)
        pull = await self._pulls.next(peer.site, archive.name)
        if pull is None:
            return False
        with suppress(LeaseLostError):
            if pull.attempts > archive.attempts:
                # Each of them ended before it could say why.
                await self._end(archive, pull, "failed", passes=False)
                return True
            try:
                reason, passes = await self._work(archive, peer, pull)
            except QueryError as error:
                reason, passes = error.reason, error.passes
            except Exception as error:
                if isinstance(error, StorageError | LeaseLostError):
                    raise
                log(logging.ERROR, "bug", task="pull", pull=pull.id, fault=fault(error))
                reason, passes = "failed", True
            if reason == "cancelled":
                # A person's word has taken the lease: this is another gateway's to go on with.
                await self._pulls.release(pull)
            else:
                await self._end(archive, pull, reason, passes=passes)
        return not self._is_stopping

    async def _end(self, archive: Archive, pull: Pull, reason: str | None, *, passes: bool) -> None:
        state = await self._pulls.ended(pull, reason, passes=passes, budget=archive.attempts)
        if state != "done":
            log(
                logging.WARNING if state == "asked" else logging.ERROR,
                f"pull {state}",
                pull=pull.id,
                archive=archive.name,
                reason=reason,
            )

    async def _work(self, archive: Archive, peer: Peer, pull: Pull) -> tuple[str | None, bool]:
        """Return why not all was fetched, and whether that may pass."""
        if pull.found is None:
            patience = Patience(FIND_SECONDS, query.SILENT_SECONDS)
            found = await self._apart(
                pull, patience, partial(query.studies, called(archive), pull.question, patience)
            )
            await self._pulls.found(pull, found, peer.name)
            progress = await self._pulls.progress(pull.id)
            if progress is not None:
                self._metrics.pulled("skipped", progress.studies.get("skipped", 0))
        failures: list[tuple[str, bool]] = []
        for study in await self._pulls.left(pull):
            patience = Patience(archive.study_seconds)
            what = await self._apart(
                pull, patience, partial(self._fetcher.fetch, archive, peer, study, patience)
            )
            if what.reason == "cancelled":
                return "cancelled", True
            await self._pulls.fetched(pull, study.study_uid, what)
            self._metrics.pulled("failed" if what.reason else "fetched")
            if what.reason is not None:
                failures.append((what.reason, what.passes))
        if not failures:
            return None, False
        return failures[0][0], any(passes for _, passes in failures)

    async def _apart(self, pull: Pull, patience: Patience, work: Callable[[], T]) -> T:
        """Return what ``work`` returns in a thread; the lease is kept meanwhile.

        ``patience`` ends where a person has given the question up, or the gateway stops.
        """
        task = asyncio.ensure_future(anyio.to_thread.run_sync(work))
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=LOOK_SECONDS)
                if done:
                    return task.result()
                if self._is_stopping:
                    patience.cancel()
                # A database that is away is no reason to end: the lease is a while longer.
                with suppress(StorageError):
                    if not await self._pulls.holds(pull):
                        patience.cancel()
                    elif loop.time() - renewed > self._pulls.lease.total_seconds() / 3:
                        await self._pulls.renew(pull)
                        renewed = loop.time()
        except LeaseLostError:
            patience.cancel()
            with suppress(QueryError):
                await task
            raise

    async def tidy(self) -> None:
        """Forget what ended long ago."""
        await self._pulls.purge(max((one.back_days for one in self._peers.archive), default=0))
