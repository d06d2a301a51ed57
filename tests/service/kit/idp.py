"""An identity provider of our own, in this process: honest until a test has it lie.

Signatures are joserfc's, as the front's are: what it makes of them is held against
``oidc-provider`` and Keycloak in ``test_counterparts.py``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import httpx
from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT = "osteoserve"
SECRET = "s3cr3t %&"  # noqa: S105 - of nobody; has to be quoted in a header
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"

Header = dict[str, Any]
Claims = dict[str, Any]
Key = RSAKey | ECKey | OctKey


def rsa(bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits)


def encoded(document: object) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: Header, claims: Claims | bytes, key: Key) -> str:
    """Return a token whose header may say anything; only ``alg`` says how it is signed."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    algorithm = jws.JWSRegistry.algorithms[header["alg"]]
    what = f"{encoded(header)}.{encoded(payload)}"
    return f"{what}.{encoded(algorithm.sign(what.encode(), key))}"


@dataclass
class Code:
    challenge: str | None
    nonce: str | None
    redirect: str
    claims: Claims
    auth_time: int | None


@dataclass
class Idp:
    """What it says of itself and of whoever comes; tests change any of it."""

    issuer: str
    client: str = CLIENT
    secret: str | None = SECRET
    key: Key = field(default_factory=rsa)
    kid: str | None = "one"
    algorithm: str = "RS256"
    others: list[dict[str, Any]] = field(default_factory=list)
    """Further keys of the set, as JWK."""
    sub: str = "sub-of-ann"
    sid: str | None = "sid-1"
    claims: Claims = field(default_factory=dict)
    """Beside those that every id_token has; None takes one away."""
    ahead: float = 0.0
    """Seconds that its clock is ahead."""
    signed_in_at: float | None = None
    """When whoever comes has signed in there; None: now. Not what ``prompt=login`` gets."""
    says_auth_time: bool = True
    says_iss: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)
    header: Header = field(default_factory=dict)
    sign: Callable[[Header, Claims], str] | None = None
    down: bool = False
    delay: float = 0.0
    error: str | None = None
    """What ``/authorize`` answers instead of a code."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and fields of every request."""
    codes: dict[str, Code] = field(default_factory=dict)
    token_answer: Callable[[dict[str, Any]], web.Response] | None = None
    answers: dict[str, Callable[[], web.Response]] = field(default_factory=dict)
    """What is answered at a path instead."""

    def count(self, path: str) -> int:
        return sum(1 for asked, _fields in self.asked if asked == path)

    def last(self, path: str) -> dict[str, str]:
        return next(fields for asked, fields in reversed(self.asked) if asked == path)

    def now(self) -> int:
        return int(time.time() + self.ahead)

    def jwk(self) -> dict[str, Any]:
        public = dict(self.key.as_dict(private=False))
        return {**public, "use": "sig", **({} if self.kid is None else {"kid": self.kid})}

    def token(self, claims: Claims, header: Header | None = None, key: Key | None = None) -> str:
        """Return ``claims`` as the provider would sign them; those that are None are left out."""
        head: Header = {"alg": self.algorithm, **({} if self.kid is None else {"kid": self.kid})}
        head = {name: it for name, it in {**head, **(header or {})}.items() if it is not None}
        kept = {name: value for name, value in claims.items() if value is not None}
        if self.sign is not None:
            return self.sign(head, kept)
        return signed(head, kept, key or self.key)

    def id_claims(self, code: Code) -> Claims:
        at = self.now()
        return {
            "iss": self.issuer, "sub": self.sub, "aud": self.client, "iat": at, "exp": at + 300,
            "nonce": code.nonce, "auth_time": code.auth_time, "sid": self.sid, "azp": self.client,
            "preferred_username": "ann", "name": "Ann Clinician", **code.claims,
        }  # fmt: skip

    def logout_claims(self, **changed: Any) -> Claims:
        at = self.now()
        return {
            "iss": self.issuer, "aud": self.client, "iat": at, "exp": at + 120,
            "jti": secrets.token_hex(8), "sub": self.sub, "events": {LOGOUT: {}}, **changed,
        }  # fmt: skip

    def program_claims(self, audience: str = "dxa-api", **changed: Any) -> Claims:
        at = self.now()
        return {
            "iss": self.issuer, "aud": audience, "iat": at, "exp": at + 300, "sub": "service-1",
            "client_id": "pacs-router", **changed,
        }  # fmt: skip

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._watched])
        app.router.add_get("/.well-known/openid-configuration", self._metadata)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/leave", self._leave)
        return app

    @web.middleware
    async def _watched(self, request: web.Request, handler: Any) -> web.StreamResponse:
        fields = dict(request.query)
        if request.method == "POST":
            fields |= {name: str(value) for name, value in (await request.post()).items()}
        fields["Authorization"] = request.headers.get("Authorization", "")
        self.asked.append((request.path, fields))
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.down:
            return web.Response(status=503, text="away")
        if request.path in self.answers:
            return self.answers[request.path]()
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _metadata(self, _: web.Request) -> web.StreamResponse:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/leave",
            "authorization_response_iss_parameter_supported": True,
            "code_challenge_methods_supported": ["plain", "S256"],
            **self.metadata,
        }
        return web.json_response({name: it for name, it in found.items() if it is not None})

    async def _jwks(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"keys": [*self.others, self.jwk()]})

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        assert asked["client_id"] == self.client
        assert asked["response_type"] == "code"
        back = {"state": asked["state"]}
        if self.says_iss:
            back["iss"] = self.issuer
        if self.error is not None:
            back |= {"error": self.error, "error_description": "<script>alert(1)</script>"}
        else:
            again = asked.get("prompt") == "login" and asked.get("max_age") == "0"
            since = self.now() if again or self.signed_in_at is None else int(self.signed_in_at)
            code = secrets.token_urlsafe(16)
            self.codes[code] = Code(
                challenge=asked.get("code_challenge"),
                nonce=asked.get("nonce"),
                redirect=asked["redirect_uri"],
                claims=dict(self.claims),
                auth_time=since if self.says_auth_time else None,
            )
            back["code"] = code
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(back)}")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        sent = await request.post()
        if not self._is_client(request, {name: str(it) for name, it in sent.items()}):
            return web.json_response({"error": "invalid_client"}, status=401)
        code = self.codes.pop(str(sent.get("code")), None)
        verifier = str(sent.get("code_verifier", ""))
        challenge = encoded(hashlib.sha256(verifier.encode()).digest())
        if (
            code is None
            or code.challenge != challenge
            or sent.get("redirect_uri") != code.redirect
            or sent.get("grant_type") != "authorization_code"
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = self.token(self.id_claims(code), self.header)
        answer = {"access_token": "a", "token_type": "Bearer", "id_token": token}
        return self.token_answer(answer) if self.token_answer else web.json_response(answer)

    def _is_client(self, request: web.Request, sent: dict[str, str]) -> bool:
        if self.secret is None:
            return sent.get("client_id") == self.client
        header = request.headers.get("Authorization", "")
        if header.startswith("Basic "):
            id, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            return (unquote_plus(id), unquote_plus(secret)) == (self.client, self.secret)
        return (sent.get("client_id"), sent.get("client_secret")) == (self.client, self.secret)

    async def _leave(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text="left", content_type="text/html")


@asynccontextmanager
async def idp(host: str = "127.0.0.1", **changed: Any) -> AsyncIterator[Idp]:
    """Run one on a free port of loopback, which is known as ``host``."""
    made = Idp(issuer="", **changed)
    runner = web.AppRunner(made.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    made.issuer = f"http://{host}:{port}"
    try:
        yield made
    finally:
        await runner.cleanup()


async def to_provider(
    client: httpx.AsyncClient, next: str = "/", path: str = "/auth/oidc/signin"
) -> str:
    """Begin to sign in; return the address at the provider that the browser is sent to."""
    sent = await client.get(path, params={"next": next})
    assert sent.status_code == 303, sent.text
    return sent.headers["location"]


async def at_provider(address: str) -> str:
    """Sign in there; return the path and query that the browser comes back with."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as other:
        answer = await other.get(address)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


async def through(
    client: httpx.AsyncClient, next: str = "/", path: str = "/auth/oidc/signin"
) -> httpx.Response:
    """Sign in by the provider, and return what the front says in the end."""
    return await client.get(await at_provider(await to_provider(client, next, path)))


def asked(address: str) -> dict[str, str]:
    """Return the query of an address, where each name is there once."""
    found = parse_qs(urlsplit(address).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}
