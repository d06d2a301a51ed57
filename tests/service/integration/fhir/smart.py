"""A record with an authorization server that takes nothing that is not as SMART Backend Services
has it.

Signatures are held against the numbers of registered keys by :mod:`cryptography` alone: what
joserfc signs is not what joserfc checks.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from service.integration.destinations import FhirDestination
from tests.service.integration.fhir.servers import able, accepting

CLIENT: Final = "osteoserve"
TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE: Final = "system/DiagnosticReport.cu system/Observation.cu"


class RefusedError(Exception):
    pass


@dataclass
class Record:
    """What it says and takes; tests change any of it."""

    base: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    """JWK set that the client is registered with."""
    configuration: dict[str, Any] | None = field(default_factory=dict)
    """Beside what is said otherwise; None: there is none."""
    seconds: float = 300.0
    """How long tokens are said to be good."""
    ahead: float = 0.0
    """Seconds that its clock is ahead."""
    answer: web.Response | None = None
    """What the token endpoint answers instead."""
    granted: list[str] = field(default_factory=list)
    good: set[str] = field(default_factory=set)
    """Tokens that are taken."""
    assertions: list[dict[str, Any]] = field(default_factory=list)
    """Header and claims of each."""
    faults: list[str] = field(default_factory=list)
    """Why assertions were refused."""
    asked: int = 0
    """How often it was asked what it is."""
    shown: list[str] = field(default_factory=list)
    """Tokens that transactions came with."""

    @property
    def endpoint(self) -> str:
        return self.base.replace("/r4", "/auth/token/")

    def destination(self, **changes: Any) -> FhirDestination:
        values = {"name": "record", "kind": "fhir", "base": self.base, "client_id": CLIENT,
                  "scope": SCOPE}  # fmt: skip
        return FhirDestination(**{**values, **changes})

    def verified(self, form: dict[str, str], headers: Any) -> None:
        """Raise :class:`RefusedError` unless ``form`` is a request of our client."""
        _is(form.get("grant_type") == "client_credentials", "grant_type")
        _is(form.get("scope") == SCOPE, "scope")
        _is(form.get("client_assertion_type") == TYPE, "client_assertion_type")
        _is(set(form) == {"grant_type", "scope", "client_assertion_type", "client_assertion"}, "f")
        _is("Authorization" not in headers, "two ways at a time")
        at = time.time() + self.ahead
        found = asserted(form["client_assertion"], self.keys, self.endpoint, at)
        _is(found["jti"] not in {one["jti"] for one in self.assertions}, "jti")
        self.assertions.append(found)

    async def _configuration(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.configuration is None:
            return web.json_response({"resourceType": "OperationOutcome"}, status=404)
        found = {
            "token_endpoint": self.endpoint,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
            **self.configuration,
        }
        return web.json_response({name: it for name, it in found.items() if it is not None})

    async def _token(self, request: web.Request) -> web.Response:
        if self.answer is not None:
            return self.answer
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            self.verified(form, request.headers)
        except (RefusedError, InvalidSignature, KeyError, ValueError) as error:
            self.faults.append(str(error) or "signature")
            told = {"error": "invalid_client", "error_description": "<b>4711</b>"}
            return web.json_response(told, status=400)
        token = secrets.token_urlsafe(16)
        self.granted.append(token)
        self.good.add(token)
        given = {"access_token": token, "token_type": "bearer", "expires_in": self.seconds,
                 "scope": SCOPE}  # fmt: skip
        return web.json_response(given)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body, shown = await request.read(), self._shown(request)
        self.shown.append(shown)
        if shown not in self.good:
            return web.json_response({"resourceType": "OperationOutcome"}, status=401)
        return await accepting()(request, body)

    async def _metadata(self, request: web.Request) -> web.StreamResponse:
        if self._shown(request) not in self.good:
            return web.Response(status=401)
        return await able()(request, b"")

    @staticmethod
    def _shown(request: web.Request) -> str:
        return request.headers.get("Authorization", "").removeprefix("Bearer ")

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**24)
        app.add_routes(
            [
                web.get("/r4/.well-known/smart-configuration", self._configuration),
                web.get("/r4/metadata", self._metadata),
                web.post("/r4", self._post),
                web.post("/auth/token/", self._token),
            ]
        )
        return app


@asynccontextmanager
async def smart(**changes: Any) -> AsyncIterator[Record]:
    """Run one on a free port of loopback."""
    made = Record(**changes)
    runner = web.AppRunner(made.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.base = f"http://127.0.0.1:{runner.addresses[0][1]}/r4"
    try:
        yield made
    finally:
        await runner.cleanup()


def asserted(token: str, keys: list[dict[str, Any]], endpoint: str, at: float) -> dict[str, Any]:
    """Return header and claims of an assertion of our client's, signed by one of ``keys``.

    Raises :class:`RefusedError`, InvalidSignature, KeyError or ValueError.
    """
    head, body, signature = token.split(".")
    header, claims = json.loads(_raw(head)), json.loads(_raw(body))
    known = [one for one in keys if one["kid"] == header.get("kid")]
    _is(len(known) == 1, "kid")
    _is(header == {"alg": known[0]["alg"], "kid": known[0]["kid"], "typ": "JWT"}, "header")
    _is(known[0]["alg"] in ("RS384", "ES384"), "alg")
    _verify(known[0], f"{head}.{body}".encode(), _raw(signature))
    _is(claims["iss"] == claims["sub"] == CLIENT, "iss")
    _is(claims["aud"] == endpoint, "aud")
    _is(at < claims["exp"] <= at + 300, "exp")
    _is(isinstance(claims["jti"], str) and bool(claims["jti"]), "jti")
    return {**header, **claims}


def _is(whether: bool, what: str) -> None:
    if not whether:
        raise RefusedError(what)


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_raw(text))


def _verify(jwk: dict[str, Any], signed: bytes, signature: bytes) -> None:
    """Raise :class:`InvalidSignature` unless the key ``jwk`` has made ``signature``."""
    _is("d" not in jwk and "p" not in jwk, "a private key was registered")
    if jwk["kty"] == "RSA":
        key = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        key.verify(signature, signed, padding.PKCS1v15(), SHA384())
        return
    _is((jwk["kty"], jwk["crv"], len(signature)) == ("EC", "P-384", 96), "key")
    numbers = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), ec.SECP384R1())
    halves = int.from_bytes(signature[:48]), int.from_bytes(signature[48:])
    numbers.public_key().verify(encode_dss_signature(*halves), signed, ec.ECDSA(SHA384()))
