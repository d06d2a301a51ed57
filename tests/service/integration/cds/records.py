"""A record that calls: its keys, its tokens, its patients and a FHIR server of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.service.kit.accounts import bearer, key, person
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.images import picture, png
from tests.service.kit.runners import running

ISSUER = "https://ehr.example"
SYSTEM = "urn:oid:1.2.3.4"
VIEW, ORDER = "osteoserve-results", "osteoserve-order"


@dataclass
class Record:
    """``signing`` is its private key; ``server``: its FHIR server's address."""

    front: Front
    signing: Any
    server: str

    def url(self, service: str, feedback: bool = False) -> str:
        end = "/feedback" if feedback else ""
        return f"{self.front.client.base_url}/cds-services/{service}{end}".replace("//cds", "/cds")

    def token(self, url: str, algorithm: str = "ES384", **changes: Any) -> str:
        at = int(time.time())
        claims = {"iss": ISSUER, "aud": url, "iat": at, "exp": at + 120, "jti": str(uuid4())}
        claims = {k: v for k, v in {**claims, **changes}.items() if v is not None}
        header = {"alg": algorithm, "typ": "JWT", "kid": "one"}
        return jwt.encode(header, claims, self.signing, algorithms=[algorithm])

    async def ask(
        self, service: str, body: dict[str, Any], token: str | None = None, **headers: str
    ) -> httpx.Response:
        signed = self.token(self.url(service)) if token is None else token
        asked = {**bearer(signed), **headers}
        return await self.front.client.post(f"/cds-services/{service}", json=body, headers=asked)


def patient(*numbers: str, system: str = SYSTEM) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": system, "value": one} for one in numbers],
    }


def view(prefetched: Any = None, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "context": {"userId": "Practitioner/1", "patientId": "p1"},
        "prefetch": {"patient": prefetched},
    }
    return {**body, **changes}


def order(prefetched: Any, *orders: dict[str, Any]) -> dict[str, Any]:
    context = {
        "userId": "Practitioner/1",
        "patientId": "p1",
        "selections": [f"{one['resourceType']}/{one['id']}" for one in orders],
        "draftOrders": {
            "resourceType": "Bundle",
            "entry": [{"resource": one} for one in orders],
        },
    }
    return view(prefetched, hook="order-select", context=context)


def scan() -> dict[str, Any]:
    coding = [{"system": "http://loinc.org", "code": "38269-7"}]
    return {"resourceType": "ServiceRequest", "id": "s1", "code": {"coding": coding}}


def drug(name: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "medicationCodeableConcept": {"text": name},
    }


@asynccontextmanager
async def record(folder: Path, **settings: Any) -> AsyncIterator[Record]:
    """A front that answers hooks, and a record that it knows."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    signing = ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384", "use": "sig"})
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"keys": [signing.as_dict(private=False)]}))
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization", ""))
        if request.match_info["id"] == "p1":
            return web.json_response(patient("4711"))
        return web.json_response({"resourceType": "OperationOutcome"}, status=404)

    app = web.Application()
    app.router.add_get("/r4/Patient/{id}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server = f"http://127.0.0.1:{port}/r4"
    clients = folder / "clients.toml"
    clients.write_text(
        f'[[client]]\nname = "ehr"\nissuer = "{ISSUER}"\nkeys = "{keys}"\n'
        f'origins = ["{ISSUER}"]\nfhir = "{server}"\nsystem = "{SYSTEM}"\n'
    )
    chosen = {"cds": True, "cds_clients": clients, "auth": "local", **settings}
    try:
        async with running() as runners, front(folder / "var", runners, **chosen) as opened:
            yield Record(opened, signing, server)
    finally:
        await runner.cleanup()


_COUNT = itertools.count(1)


def another() -> bytes:
    """Return a phantom that nobody has sent before: of the same image the exam is the same."""
    pixels = picture().copy()
    pixels[0, 0] = next(_COUNT)
    return png(pixels)


def stranger() -> ECKey:
    return ECKey.generate_key("P-384", {"kid": "one"})


def rsa() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one"})


async def result(
    opened: Front, number: str, *, site: str = "default", sign: bool = False, **facts: Any
) -> str:
    """Return the id of a stored result of the patient with ``number``."""
    headers = bearer(await key(opened, "clinician", site=site))
    made = await opened.client.post(
        API, content=another(), headers={**headers, "Content-Type": "image/png"}
    )
    id = str(made.json()["id"])
    told = {"patient_reference": number, **facts}
    answer = await opened.client.put(f"{API}/{id}/study", json=told, headers=headers)
    assert answer.status_code == 200, answer.text
    if sign:
        login = f"reader-{id[:8]}"
        async with person(opened, login, "clinician", site=site) as somebody:
            answer = await somebody.client.post(f"{API}/{id}/reviews", json={"action": "sign"})
            assert answer.status_code == 201, answer.text
    return id
