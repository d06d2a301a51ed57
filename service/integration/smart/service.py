"""Opening a patient's results out of a record: who comes, what there is, and what the trail has."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from service.identity.actor import Actor
from service.identity.attempts import Attempts
from service.identity.oidc.arrivals import Arrivals
from service.identity.oidc.cookies import FlowCookies
from service.identity.oidc.errors import RefusedError
from service.identity.oidc.flow import Begun
from service.identity.oidc.flow import Returned as SignedIn
from service.identity.oidc.repository import Flow as SignInFlow
from service.identity.rules import may
from service.identity.schemas import TooOftenError
from service.identity.sessions import Sessions
from service.integration.events import Found, Launched, LaunchReason, LaunchRefused
from service.integration.patient_match import AmbiguousError, Matching, patient_numbers
from service.integration.smart.errors import LaunchError
from service.integration.smart.flow import Launches, Returned
from service.integration.smart.metrics import SmartMetrics
from service.predictions.service import Predictions
from service.storage.transaction import Transactions
from telemetry.journal import log

PATIENT: Final = "/patients/{key}"
RESULT: Final = "/results/{id}"
NOTHING: Final = "/smart/nothing"

_ANYBODYS: Final[frozenset[LaunchReason]] = frozenset(
    {"record_unknown", "flow_unknown", "flow_cookie"}
)
"""What anybody can bring about without a record: of many such, not each is written down."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """``token``: what the browser's cookie is to hold; ``address``: where it goes."""

    token: str
    found: Found
    address: str


@dataclass(frozen=True)
class Known:
    """A record, and how whoever comes out of it gets an account and roles."""

    launches: Launches
    arrivals: Arrivals


class Smart:
    """Every method raises :class:`~service.storage.errors.StorageError` when it must, and refuses
    by :class:`~service.integration.smart.errors.LaunchError`, which is in the trail.
    """

    def __init__(
        self,
        known: Sequence[Known],
        cookies: FlowCookies,
        sessions: Sessions,
        matching: Matching,
        predictions: Predictions,
        attempts: Attempts,
        transactions: Transactions,
        metrics: SmartMetrics,
    ) -> None:
        self._by_iss = {one.launches.record.iss: one for one in known}
        self._by_name = {one.launches.record.name: one for one in known}
        self.cookies: Final = cookies
        self._sessions = sessions
        self._matching = matching
        self._predictions = predictions
        self._attempts = attempts
        self._transactions = transactions
        self._metrics = metrics

    @property
    def is_on(self) -> bool:
        """Whether there is any record."""
        return bool(self._by_iss)

    async def begin(self, actor: Actor, iss: str, launch: str) -> Begun:
        """Begin what the record at ``iss`` has sent a browser here for."""
        try:
            # Letter by letter: nothing that a stranger names is ever asked.
            known = self._by_iss.get(iss)
            if known is None:
                raise LaunchError("record_unknown")
            return await known.launches.begin(actor, launch)
        except LaunchError as error:
            await self._note(actor, error, is_anybodys=True)
            raise

    async def finish(
        self, actor: Actor, name: str, answer: Mapping[str, str], browser: str | None
    ) -> Opened:
        """Return the sign-in of whoever comes back from the record ``name``, and where they go."""
        try:
            known = self._by_name.get(name)
            if known is None:
                raise LaunchError("record_unknown")
            returned = await known.launches.finish(answer, browser)
            opened = await self._opened(actor, known, returned)
        except LaunchError as error:
            await self._note(actor, error, is_anybodys=error.reason in _ANYBODYS)
            raise
        self._metrics.launched(opened.found)
        return opened

    async def _opened(self, actor: Actor, known: Known, returned: Returned) -> Opened:
        record = known.launches.record
        token, arrived = await self._arrived(actor, known, returned)
        numbers = patient_numbers(returned.patient, record.system)
        found, id, address = await self._found(arrived, numbers, record.authority)
        event = Launched(actor=arrived, record=record.name, found=found, id=id)
        await self._transactions.emit(event)
        return Opened(token=token, found=found, address=address)

    async def _arrived(self, actor: Actor, known: Known, returned: Returned) -> tuple[str, Actor]:
        """Begin a session of whoever it is, at the record's site; return its token."""
        record = known.launches.record
        flow = SignInFlow(
            browser="",
            nonce="",
            verifier="",
            next="/",
            session=None,
            created_at=returned.flow.created_at,
            ends_at=returned.flow.ends_at,
        )
        signed_in = SignedIn(who=returned.who, flow=flow, id_token=None)
        try:
            begun = await known.arrivals.begin(actor, signed_in)
        except RefusedError as error:
            raise LaunchError(error.reason, record.name, error.person_id) from None
        arrived: Actor | None = begun.actor
        if begun.actor.site != record.site:
            moved = await self._sessions.move(begun.actor, record.site)
            arrived = await self._sessions.find(begun.token, actor.address) if moved else None
        # Whether there is anything of a patient is nothing for whoever may not read it.
        if arrived is None or not may(arrived, "GET", PATIENT):
            await self._sessions.sign_out(begun.actor)
            raise LaunchError("no_role", record.name, begun.actor.id)
        return begun.token, arrived

    async def _found(
        self, actor: Actor, numbers: Sequence[str], authority: str | None
    ) -> tuple[Found, UUID | None, str]:
        """Return what there is of the patient with one of ``numbers``, and where it is shown: by
        ids of ours, since no number of a patient stands in an address."""
        try:
            match = await self._matching.of(actor, numbers, authority)
        except AmbiguousError:
            return "ambiguous", None, f"{NOTHING}?ambiguous"
        if match.patient is not None:
            return "patient", match.patient, PATIENT.replace("{key}", str(match.patient))
        for id in match.results:
            if await self._predictions.get(actor, id) is not None:
                return "result", id, RESULT.replace("{id}", str(id))
        return "none", None, NOTHING

    async def _note(self, actor: Actor, error: LaunchError, *, is_anybodys: bool) -> None:
        self._metrics.launched(error.reason)
        log(logging.WARNING, "launch refused", reason=error.reason, record=error.record)
        if is_anybodys:
            try:
                await self._attempts.begin("smart", f"smart {actor.address}")
            except TooOftenError:
                return
        # Whoever comes is not the one whose session the browser had.
        nobody = Actor(id=error.person_id, address=actor.address)
        await self._transactions.emit(
            LaunchRefused(
                actor=nobody, record=error.record, reason=error.reason, person_id=error.person_id
            )
        )
