"""Works on cases: a study that has settled is judged, composed once, and sent on its way."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final
from uuid import UUID

from models.image.errors import ScanError
from service.decoding import BusyError
from service.errors import ServiceError
from service.flow.priority import Priority
from service.identity.actor import Actor
from service.integration.compose.source import Made
from service.integration.dicom.head import HeadError
from service.integration.ledger.schemas import Case, Held, LeaseLostError, Outgoing
from service.integration.ledger.service import Ledger
from service.integration.peers import Peers
from service.integration.workers.composer import Composer, Found, GoneError
from service.integration.workers.ordering import OrderUnknownError
from service.integration.workers.senders import Sender
from service.predictions.schemas import Prediction
from service.storage.errors import StorageError
from telemetry.journal import fault, log

MOST_ATTEMPTS: Final = 8
"""Attempts at a case that fails in a way that nobody foresaw; then a person looks at it."""

Predict = Callable[[Actor, bytes, Priority, str], Awaitable[Prediction]]


class NowhereError(Exception):
    """No destination that the study's rules name is in the file any more."""


class Judge:
    """One way to a result: the verbs of predictions."""

    def __init__(
        self, ledger: Ledger, peers: Peers, predict: Predict, composer: Composer,
        senders: Mapping[str, Sender],
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._peers = peers
        self._predict = predict
        self._composer = composer
        self._senders = senders

    async def step(self) -> bool:
        """Work on the next case as far as it goes; False where there is none."""
        case = await self._ledger.next_case()
        if case is None:
            return False
        try:
            await self._work(case)
        except LeaseLostError:
            pass
        except GoneError:
            await self._ledger.quarantine(case, "nothing_held")
        except NowhereError:
            await self._ledger.quarantine(case, "no_destination")
        except (ServiceError, BusyError, OrderUnknownError) as error:
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
        senders = await self._chosen(case)
        if case.state != "composed":
            results = await self._composer.results(case, self._actor(case), found)
            await self._ledger.composed(case, results)
        await self._ledger.deliver(case, await self._outgoing(case, found, senders))

    async def _chosen(self, case: Case) -> list[Sender]:
        """Return who sends the case's result, by the rules that its images fit."""
        named = await self._ledger.destinations(case)
        found = [one for name, one in self._senders.items() if named is None or name in named]
        if not found:
            raise NowhereError
        return found

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
        done = await self._ledger.judged(case, made, self._actor(case))
        return tuple(made) if done else None

    async def _prediction(self, case: Case, one: Held) -> UUID:
        # The same for every attempt at the same object, so that it is judged once.
        key = f"gateway/{one.id}"
        found = await self._predict(self._actor(case), one.data, Priority.PERSON, key)
        return found.id

    async def _outgoing(
        self, case: Case, found: Found, senders: Iterable[Sender]
    ) -> list[Outgoing]:
        made: Made | None = None

        async def making() -> Made:
            nonlocal made
            if made is None:
                made = await self._composer.made(case, self._actor(case), found)
            return made

        return [await one.outgoing(making) for one in senders]

    def _actor(self, case: Case) -> Actor:
        actor = self._peers.actor(case.peer, case.site)
        if actor is None:
            raise HeadError("the peer that sent this is not in the file any more")
        return actor
