"""A launch on its way to a record's authorization server and back (SMART App Launch 2.2).

Code flow with PKCE as for signing in, in rows of its own: what one began the other cannot end. The
browser has a cookie that the row keeps the hash of. What comes back is checked as an identity
provider's word is, and the patient is read with the token that came along, which is then forgotten.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import anyio.to_thread

from service.clock import now
from service.identity import secrets
from service.identity.actor import Actor
from service.identity.oidc import tokens
from service.identity.oidc.claims import Who, who
from service.identity.oidc.client import Client, NoAnswerError
from service.identity.oidc.cookies import SECONDS
from service.identity.oidc.discovery import Known, Provider
from service.identity.oidc.errors import TOLD, RefusedError, UnavailableError
from service.identity.oidc.flow import LONGEST_CODE, MOST, Begun, basic, challenge
from service.identity.oidc.settings import ClaimNames
from service.integration import assertion
from service.integration.credentials import BY_ASSERTION
from service.integration.events import LaunchReason
from service.integration.smart import repository
from service.integration.smart.errors import LaunchError
from service.integration.smart.records import Record
from service.integration.smart.repository import Flow
from service.storage.transaction import Transaction, Transactions
from telemetry.journal import log

CALLBACK: Final = "/smart/callback"
ENDS: Final = timedelta(seconds=SECONDS)
LONGEST_LAUNCH: Final = 2000
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
"""Of a FHIR resource (R4, datatypes, id)."""


@dataclass(frozen=True, kw_only=True)
class Returned:
    """Whoever has come out of a record, and the patient whose chart was open there."""

    who: Who
    flow: Flow
    patient: Mapping[str, Any] = field(repr=False)
    """A FHIR resource."""


class Launches:
    """Those of one record.

    Raises :class:`~service.storage.errors.StorageError` when it must, and refuses by
    :class:`~service.integration.smart.errors.LaunchError`.
    """

    def __init__(
        self,
        record: Record,
        names: ClaimNames,
        public_url: str,
        provider: Provider,
        client: Client,
        transactions: Transactions,
    ) -> None:
        self.record: Final = record
        self._names = names
        self._redirect = f"{public_url.rstrip('/')}{CALLBACK}/{record.name}"
        self._provider = provider
        self._client = client
        self._transactions = transactions

    async def begin(self, actor: Actor, launch: str) -> Begun:
        """Begin what the record has sent a browser here for with ``launch``."""
        if not _is_plain(launch, LONGEST_LAUNCH):
            raise self._refused("launch_malformed")
        known = await self._known()
        if "S256" not in known.challenges:
            raise self._unavailable("it takes no PKCE by S256")
        state, browser, nonce, verifier = (secrets.token() for _ in range(4))
        at = now()

        async def work(transaction: Transaction) -> None:
            connection = transaction.connection
            await repository.end_old(connection, at)
            if await repository.count(connection, actor.address) >= MOST:
                raise self._refused("too_many_flows")
            await repository.add(
                connection,
                hash=secrets.hashed("launch", state),
                browser=secrets.hashed("flow", browser),
                record=self.record.name,
                nonce=nonce,
                verifier=verifier,
                address=actor.address,
                created_at=at,
                ends_at=at + ENDS,
            )

        await self._transactions.write(work)
        query = {
            "response_type": "code",
            "client_id": self.record.client_id,
            "redirect_uri": self._redirect,
            "scope": self.record.scopes,
            "launch": launch,
            "aud": self.record.iss,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in known.authorization else "?"
        address = f"{known.authorization}{joint}{urlencode(query)}"
        return Begun(address=address, state=state, browser=browser)

    async def finish(self, answer: Mapping[str, str], browser: str | None) -> Returned:
        """Return whoever comes back with ``answer``, the address's query.

        ``browser``: what its cookie holds. The launch is used up, whatever else is wrong.
        """
        flow = await self._taken(answer.get("state", ""), browser)
        known = await self._known()
        told = answer.get("iss")
        if told != self._provider.issuer and (told is not None or known.says_issuer):
            raise self._refused("answer_issuer")
        if "error" in answer:
            raise self._refused("provider_refused")
        code = answer.get("code", "")
        if not _is_plain(code, LONGEST_CODE):
            raise self._refused("answer_malformed")
        given = await self._exchanged(known, code, flow)
        try:
            found = await self._who(given.get("id_token"), flow)
        except UnavailableError as error:
            raise self._away(error) from None
        except RefusedError as error:
            raise self._refused(error.reason) from None
        return Returned(who=found, flow=flow, patient=await self._patient(given))

    async def _who(self, token: Any, flow: Flow) -> Who:
        """Return whose ``token`` is. Raises RefusedError."""
        if not isinstance(token, str):
            raise RefusedError("token_malformed")
        record, issuer = self.record, self._provider.issuer
        claims = await self._provider.read(
            token, record.algorithms, tokens.ID_TYPES, whose="provider"
        )
        tokens.id_token(claims, issuer, record.client_id, flow.nonce, now())
        # Whoever has opened a chart has not just proved who they are: nothing is signed by it.
        return replace(who(claims, issuer, self._names), proved_at=None)

    async def _taken(self, state: str, browser: str | None) -> Flow:
        if not secrets.is_token(state):
            raise self._refused("flow_unknown")
        hash = secrets.hashed("launch", state)

        async def work(transaction: Transaction) -> Flow:
            connection = transaction.connection
            flow = await repository.find(connection, hash)
            if flow is None or flow.ends_at <= now() or flow.record != self.record.name:
                raise self._refused("flow_unknown")
            mine = secrets.hashed("flow", browser or "")
            # Left as it is: whoever began it may still end it.
            if browser is None or not hmac.compare_digest(mine, flow.browser):
                raise self._refused("flow_cookie")
            if not await repository.end(connection, hash):
                raise self._refused("flow_unknown")
            return flow

        return await self._transactions.write(work)

    async def _exchanged(self, known: Known, code: str, flow: Flow) -> Mapping[str, Any]:
        """Return what is given for ``code``."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": flow.verifier,
        }
        try:
            more, headers = await anyio.to_thread.run_sync(self._shown, known)
            answer = await self._client.post(known.token, fields | more, headers)
        except NoAnswerError as error:
            raise self._away(self._provider.failed(error)) from None
        except (OSError, assertion.KeyFileError):
            raise self._unavailable("our secret or key cannot be read") from None
        if answer.status != 200:
            told = answer.document.get("error")
            why = told if isinstance(told, str) and told in TOLD else "other"
            log(logging.WARNING, "record", refused=why, status=answer.status)
            raise self._refused("code_refused")
        return answer.document

    def _shown(self, known: Known) -> tuple[dict[str, str], dict[str, str]]:
        """Return the fields and headers that say who we are."""
        record = self.record
        if record.client_key_file is not None:
            key = assertion.read(record.client_key_file, record.client_key_id)
            signed = key.assertion(record.client_id, known.token, now())
            return {"client_assertion_type": BY_ASSERTION, "client_assertion": signed}, {}
        if record.client_secret_file is None:
            return {"client_id": record.client_id}, {}
        secret = record.client_secret_file.read_text("utf-8").strip()
        if known.by_body:
            return {"client_id": record.client_id, "client_secret": secret}, {}
        return {}, {"Authorization": basic(record.client_id, secret)}

    async def _patient(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the patient whose chart was open, as the record has them."""
        id, token = given.get("patient"), given.get("access_token")
        if not isinstance(id, str) or _ID.fullmatch(id) is None:
            raise self._refused("no_patient")
        if not isinstance(token, str) or not _is_plain(token, len(token)) or " " in token:
            raise self._refused("patient_unreadable")
        headers = {"Accept": "application/fhir+json", "Authorization": f"Bearer {token}"}
        url = f"{self.record.iss.rstrip('/')}/Patient/{id}"
        try:
            found = await self._client.get(url, headers)
        except NoAnswerError as error:
            # Never where: the address has the patient's id.
            log(logging.WARNING, "record", patient="not read", why=str(error))
            raise self._refused("patient_unreadable") from None
        if found.get("resourceType") != "Patient" or found.get("id") != id:
            raise self._refused("patient_unreadable")
        return found

    async def _known(self) -> Known:
        try:
            return await self._provider.known()
        except UnavailableError as error:
            raise self._away(error) from None

    def _refused(self, reason: LaunchReason) -> LaunchError:
        return LaunchError(reason, self.record.name)

    def _away(self, error: UnavailableError) -> LaunchError:
        refused = self._refused(error.reason)
        refused.retry_after = error.retry_after
        return refused

    def _unavailable(self, why: str) -> LaunchError:
        log(logging.WARNING, "record", state="unusable", why=why)
        return self._refused("provider_unavailable")


def _is_plain(text: str, longest: int) -> bool:
    return 1 <= len(text) <= longest and text.isascii() and text.isprintable()
