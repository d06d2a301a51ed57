"""A little record on loopback: an authorization server with EHR launch, and a FHIR server with
patients. Honest until a test has it lie, as :mod:`tests.service.kit.idp` is.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from aiohttp import web

from tests.service.integration.fhir.smart import TYPE, asserted
from tests.service.kit.accounts import browser
from tests.service.kit.fronts import Front
from tests.service.kit.idp import Idp

SYSTEM: Final = "urn:oid:1.2.3.4"
OTHER: Final = "urn:oid:9.9.9"
SCOPES: Final = "launch openid fhirUser patient/Patient.r"


@dataclass
class Ehr(Idp):
    """``issuer`` is its authorization server, ``iss`` its FHIR server."""

    charts: dict[str, str] = field(default_factory=dict)
    """Which patient's chart each launch was made in."""
    patients: dict[str, dict[str, Any]] = field(default_factory=dict)
    """FHIR resources by their ids."""
    context: dict[str, Any] = field(default_factory=dict)
    """What the token comes with besides; None takes something away."""
    scopes: str = SCOPES
    accesses: dict[str, str] = field(default_factory=dict)
    """The patient that each access token is for."""
    configuration: dict[str, Any] = field(default_factory=dict)
    chosen: str | None = None
    """Whose chart is open for the code that was given last."""
    instead: Callable[[], web.Response] | None = None
    """What a patient is answered with."""
    read: list[str] = field(default_factory=list)
    """Ids of patients that were asked for."""

    registered: dict[str, Any] | None = None
    """The client's public key, where it is known by one."""

    @property
    def iss(self) -> str:
        return f"{self.issuer}/r4"

    def chart(self, id: str, *numbers: str, system: str = SYSTEM) -> str:
        """Have a patient with ``numbers``, whose chart is open; return the launch."""
        listed = [{"system": system, "value": one} for one in numbers]
        self.patients[id] = {
            "resourceType": "Patient",
            "id": id,
            "identifier": [*listed, {"system": OTHER, "value": "0815"}, {"value": 7}, "x"],
            "name": [{"family": "Secret"}],
        }
        launch = secrets.token_urlsafe(12)
        self.charts[launch] = id
        return launch

    def app(self) -> web.Application:
        app = super().app()
        app.router.add_get("/r4/.well-known/smart-configuration", self._configuration)
        app.router.add_get("/r4/Patient/{id}", self._patient)
        self.token_answer = self._context
        return app

    async def _configuration(self, _: web.Request) -> web.StreamResponse:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "capabilities": ["launch-ehr", "sso-openid-connect", "context-ehr-patient"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.configuration,
        }
        return web.json_response({name: it for name, it in found.items() if it is not None})

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        # The sign-in of people by the same server asks for no chart.
        if "launch" in asked:
            assert asked["aud"] == self.iss
            assert asked["scope"] == self.scopes
            assert asked["code_challenge_method"] == "S256"
            if asked["launch"] not in self.charts:
                back = {"state": asked["state"], "iss": self.issuer, "error": "invalid_request"}
                raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(back)}")
            self.chosen = self.charts.pop(asked["launch"])
        return await super()._authorize(request)

    def _context(self, answer: dict[str, Any]) -> web.Response:
        chosen, self.chosen = self.chosen, None
        if chosen is not None:
            answer["access_token"] = secrets.token_urlsafe(16)
            self.accesses[answer["access_token"]] = chosen
            answer |= {"patient": chosen, "scope": self.scopes, "expires_in": 300, **self.context}
        return web.json_response({name: it for name, it in answer.items() if it is not None})

    def _is_client(self, request: web.Request, sent: dict[str, str]) -> bool:
        if self.registered is None:
            return super()._is_client(request, sent)
        is_kind = sent.get("client_assertion_type") == TYPE
        token, endpoint = sent.get("client_assertion", ""), f"{self.issuer}/token"
        return is_kind and bool(asserted(token, [self.registered], endpoint, time.time()))

    async def _patient(self, request: web.Request) -> web.StreamResponse:
        id = request.match_info["id"]
        self.read.append(id)
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.accesses.get(shown) != id:
            return web.json_response({"resourceType": "OperationOutcome"}, status=403)
        if self.instead is not None:
            return self.instead()
        return web.json_response(self.patients[id], content_type="application/fhir+json")


@asynccontextmanager
async def ehr(**changed: Any) -> AsyncIterator[Ehr]:
    """Run one on a free port of loopback."""
    made = Ehr(issuer="", **changed)
    runner = web.AppRunner(made.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


async def to_ehr(client: httpx.AsyncClient, record: Ehr, launch: str) -> str:
    """Come from the record; return the address there that the browser is sent to."""
    sent = await client.get("/smart/launch", params={"iss": record.iss, "launch": launch})
    assert sent.status_code == 303, sent.text
    return sent.headers["location"]


async def at_ehr(address: str) -> str:
    """Be let through there; return the path and query that the browser comes back with."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as other:
        answer = await other.get(address)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


async def launched(client: httpx.AsyncClient, record: Ehr, launch: str) -> httpx.Response:
    """Go all the way, and return what the front says in the end."""
    return await client.get(await at_ehr(await to_ehr(client, record, launch)))


async def refused(front: Front, record: Ehr, launch: str, reason: str) -> httpx.Response:
    """Go all the way as somebody new, who is turned away for ``reason`` and signed in nowhere."""
    async with browser(front) as client:
        answer = await launched(client, record, launch)
        assert answer.status_code >= 400
        assert f"<code>{reason}</code>" in answer.text
        assert not client.cookies.get("osteoserve")
    return answer


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
