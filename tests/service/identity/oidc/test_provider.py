"""The provider's metadata and keys, and its silence: cases A11, A26 and attack 13."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from aiohttp import web

from service.identity.oidc import client as http
from service.identity.oidc import discovery
from service.identity.oidc.client import is_address
from tests.ports import free_port
from tests.service.identity.oidc.conftest import Opened
from tests.service.kit.accounts import bearer, browser
from tests.service.kit.fronts import Front
from tests.service.kit.idp import Idp, rsa, signed, through

pytestmark = pytest.mark.anyio

API = "/api/v1/predictions"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass for whatever is remembered of the provider."""
    ahead = 0.0
    real = time.monotonic
    made = discovery.Provider.__init__

    def init(self: Any, issuer: Any, client: Any, metrics: Any) -> None:
        made(self, issuer, client, metrics, lambda: real() + ahead)

    def pass_(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    monkeypatch.setattr(discovery.Provider, "__init__", init)
    return pass_


async def test_it_is_asked_when_it_is_needed(opened: Opened, own: Idp) -> None:
    async with opened() as front, browser(front) as client:
        assert own.asked == []
        assert (await client.get("/health/ready")).status_code == 200
        assert own.asked == []
        for _ in range(3):
            client.cookies.clear()
            assert (await through(client)).status_code == 303
    assert own.count("/.well-known/openid-configuration") == own.count("/jwks") == 1


async def test_many_at_once_ask_it_once(opened: Opened, own: Idp) -> None:
    own.delay = 0.2
    async with opened() as front, browser(front) as client:
        answers = await asyncio.gather(*(client.get("/auth/oidc/signin") for _ in range(10)))
    assert {one.status_code for one in answers} == {303}
    assert own.count("/.well-known/openid-configuration") == 1


async def test_a11_a_provider_that_is_away_at_the_start(
    opened: Opened, own: Idp, later: Callable[[float], None]
) -> None:
    """Case A11: ready, said on the page, counted, and well again without a restart."""
    own.down = True
    async with opened() as front, browser(front) as client:
        assert (await client.get("/health/ready")).status_code == 200
        page = await client.get("/signin")
        assert page.status_code == 200
        assert "Klinikum does not answer" in page.text
        sent = await client.get("/auth/oidc/signin")
        assert sent.status_code == 503
        assert "retry-after" in sent.headers
        assert await front.sample("osteoserve_identity_provider_up", provider="oidc") == 0
        assert (
            await front.sample(
                "osteoserve_identity_provider_sign_ins_total", outcome="provider_unavailable"
            )
            == 1
        )
        own.down = False
        later(discovery.RETRIED + 0.1)
        assert "does not answer" not in (await client.get("/signin")).text
        assert (await through(client)).status_code == 303
        assert await front.sample("osteoserve_identity_provider_up", provider="oidc") == 1


async def test_a_provider_that_goes_away_signs_nobody_out(
    opened: Opened, own: Idp, later: Callable[[float], None]
) -> None:
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303
        own.down = True
        later(discovery.KEPT + 1)
        assert (await client.get("/history")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        async with browser(front) as other:
            assert "Klinikum does not answer" in (await other.get("/signin")).text
            assert (await other.get("/auth/oidc/signin")).status_code == 503
        assert (await client.post("/signout")).status_code == 200


async def test_a_silent_provider_is_not_asked_by_each(opened: Opened, own: Idp) -> None:
    own.down = True
    async with opened() as front, browser(front) as client:
        await asyncio.gather(*(client.get("/signin") for _ in range(20)))
        assert own.count("/.well-known/openid-configuration") <= 5


async def test_nobody_listens_there(opened: Opened, own: Idp) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with opened(oidc_issuer=gone) as front, browser(front) as client:
        assert (await client.get("/auth/oidc/signin")).status_code == 503
        assert (await client.get("/health/ready")).status_code == 200


METADATA: dict[str, dict[str, Any]] = {
    "of another issuer": {"issuer": "https://other.example"},
    "of the issuer with a slash": {"issuer": "SLASH"},
    "without an issuer": {"issuer": None},
    "without a token endpoint": {"token_endpoint": None},
    "without keys": {"jwks_uri": None},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "keys elsewhere without TLS": {"jwks_uri": "http://idp.example/jwks"},
    "keys with a name and a password": {"jwks_uri": "https://a:b@idp.example/jwks"},
    "an authorization endpoint of a script": {"authorization_endpoint": "javascript:alert(1)"},
    "an address that is a list": {"token_endpoint": ["https://idp.example/token"]},
}


@pytest.mark.parametrize("name", METADATA)
async def test_attack_13_metadata_that_is_not_the_issuers(
    opened: Opened, own: Idp, name: str
) -> None:
    """Attack 13: signing in is not to be had, and readiness does not move."""
    changed = METADATA[name]
    own.metadata = {"issuer": f"{own.issuer}/"} if changed.get("issuer") == "SLASH" else changed
    async with opened() as front, browser(front) as client:
        assert (await client.get("/auth/oidc/signin")).status_code == 503
        assert "does not answer" in (await client.get("/signin")).text
        assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize("path", [discovery.WELL_KNOWN, "/jwks"])
async def test_attack_13_redirects_are_not_followed(opened: Opened, own: Idp, path: str) -> None:
    away = {"Location": f"{own.issuer}/elsewhere"}
    own.answers[path] = lambda: web.Response(status=302, headers=away)
    async with opened() as front, browser(front) as client:
        assert (await client.get("/auth/oidc/signin")).status_code == 503
    assert own.count("/elsewhere") == 0


async def test_attack_13_an_answer_that_takes_too_long(
    opened: Opened, own: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.5)
    own.delay = 60.0
    async with opened() as front, browser(front) as client:
        since = time.monotonic()
        assert (await client.get("/auth/oidc/signin")).status_code == 503
        assert time.monotonic() - since < 15
        assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize("body", [b"x" * (http.LONGEST + 1), b"[]", b"{", b"[" * 100_000, b"\xff"])
async def test_an_answer_that_is_none(opened: Opened, own: Idp, body: bytes) -> None:
    own.answers[discovery.WELL_KNOWN] = lambda: web.Response(
        body=body, content_type="application/json"
    )
    async with opened() as front, browser(front) as client:
        assert (await client.get("/auth/oidc/signin")).status_code == 503


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (lambda _: web.json_response({"error": "invalid_grant"}, status=400), 400, "code_refused"),
        (lambda it: web.json_response({**it, "id_token": None}), 400, "token_malformed"),
        (lambda it: web.json_response({**it, "id_token": 7}), 400, "token_malformed"),
        (lambda _: web.json_response({}), 400, "token_malformed"),
        (lambda _: web.Response(status=500), 503, "provider_unavailable"),
        (lambda _: web.Response(text="<html>"), 503, "provider_unavailable"),
        (lambda _: web.Response(status=302, headers={"Location": "/x"}), 503,
         "provider_unavailable"),
    ],
)  # fmt: skip
async def test_what_else_a_token_endpoint_may_say(
    opened: Opened, own: Idp, answer: Any, status: int, reason: str
) -> None:
    own.token_answer = answer
    async with opened() as front, browser(front) as client:
        page = await through(client)
        assert page.status_code == status
        assert reason in page.text


async def test_a26_a_new_key_is_taken_at_its_first_token(
    opened: Opened, own: Idp, later: Callable[[float], None]
) -> None:
    """Case A26: and one withdrawn is refused within ten minutes; no restart."""
    async with opened() as front:
        async with browser(front) as client:
            assert (await through(client)).status_code == 303
        old = own.key
        own.key, own.kid = rsa(), "two"
        async with browser(front) as client:
            assert (await through(client)).status_code == 303
        assert own.count("/jwks") == 2
        # Somebody who has the old one signs with it.
        own.sign = lambda _, claims: _by(old, claims)
        async with browser(front) as client:
            assert (await through(client)).status_code == 400
        later(discovery.KEPT + 1)
        async with browser(front) as client:
            assert (await through(client)).status_code == 400
        own.sign = None
        async with browser(front) as client:
            assert (await through(client)).status_code == 303


def _by(key: Any, claims: Any) -> str:
    return signed({"alg": "RS256", "kid": "one"}, claims, key)


async def test_a26_withdrawn_and_no_new_token(
    opened: Opened, own: Idp, later: Callable[[float], None]
) -> None:
    """The set is read again after ten minutes even where no unknown key turns up."""
    stolen = own.key
    own.others = [{**rsa().as_dict(private=False), "kid": "two"}]
    async with opened() as front:
        async with browser(front) as client:
            assert (await through(client)).status_code == 303
        own.key, own.kid = rsa(), "three"
        own.sign = lambda _, claims: _by(stolen, claims)
        later(discovery.KEPT - 10)
        async with browser(front) as client:
            assert (await through(client)).status_code == 303
        later(11)
        async with browser(front) as client:
            assert (await through(client)).status_code == 400


async def test_an_unknown_key_is_looked_for_once_a_minute(
    opened: Opened, own: Idp, later: Callable[[float], None]
) -> None:
    """Strangers have one look a minute among them, and take nobody's who signs in."""
    async with opened() as front, browser(front) as client:
        assert (await through(client)).status_code == 303
        assert own.count("/jwks") == 1
        forged = own.token(own.logout_claims(), {"kid": "made up"}, rsa())
        answers = await asyncio.gather(
            *(client.post("/auth/oidc/logout", data={"logout_token": forged}) for _ in range(12))
        )
        assert {one.status_code for one in answers} == {400}
        assert own.count("/jwks") == 2
        own.key, own.kid = rsa(), "two"
        async with browser(front) as other:
            assert (await through(other)).status_code == 303
        assert own.count("/jwks") == 3
        later(discovery.RENEWED + 1)
        await client.post("/auth/oidc/logout", data={"logout_token": forged})
        assert own.count("/jwks") == 4


async def test_programs_are_believed_for_an_hour_of_silence(
    opened: Opened, own: Idp, later: Callable[[float], None]
) -> None:
    async with opened() as front, browser(front) as client:
        token = own.token(own.program_claims(exp=own.now() + 9999))
        assert (await client.get(API, headers=bearer(token))).status_code == 200
        own.down = True
        later(discovery.KEPT + 1)
        assert (await client.get(API, headers=bearer(token))).status_code == 200
        later(discovery.KEPT_FOR_PROGRAMS)
        silent = await client.get(API, headers=bearer(token))
        assert (silent.status_code, silent.json()["code"]) == (503, "provider_unavailable")
        assert "retry-after" in silent.headers
        # What needs nobody's name is there all the same.
        assert (await client.get("/about", headers=bearer(token))).status_code == 200


@pytest.mark.parametrize(
    ("url", "issuer", "good"),
    [
        ("https://idp.example/token", "https://idp.example", True),
        ("https://keys.example/jwks", "https://idp.example", True),
        ("https://10.1.2.3/token", "https://idp.example", True),
        ("http://idp.example/token", "https://idp.example", False),
        ("http://127.0.0.1/token", "https://idp.example", False),
        ("https://127.0.0.1/token", "https://idp.example", False),
        ("https://localhost/token", "https://idp.example", False),
        ("https://a.localhost/token", "https://idp.example", False),
        ("https://[::1]/token", "https://idp.example", False),
        ("https://169.254.169.254/latest", "https://idp.example", False),
        ("https://0.0.0.0/token", "https://idp.example", False),
        ("http://127.0.0.1:8080/token", "http://127.0.0.1:8080", True),
        ("http://10.0.0.1/token", "http://127.0.0.1:8080", False),
        ("https://idp.example/token#x", "https://idp.example", False),
        ("https://idp.example:x/token", "https://idp.example", False),
        ("https:///token", "https://idp.example", False),
        ("https://idp.example/\r\nX: y", "https://idp.example", False),
        ("https://idp.example\\@evil.example/", "https://idp.example", False),
        ("ftp://idp.example/", "https://idp.example", False),
        ("//idp.example/", "https://idp.example", False),
        (7, "https://idp.example", False),
    ],
)
def test_addresses_that_a_provider_may_name(url: object, issuer: str, good: bool) -> None:
    assert is_address(url, issuer) is good


async def test_a12_a_certificate_of_nobody_is_not_believed(
    opened: Opened, own: Idp, tmp_path: Any
) -> None:
    """Case A12: the provider's certificate is wrong. With the authority's file it is right."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    await anyio.run_process(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out",
            str(cert), "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1",
        ]
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    runner = web.AppRunner(own.app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        own.issuer = f"https://127.0.0.1:{runner.addresses[0][1]}"
        for trusted, status in ((None, 503), (cert, 303)):
            async with opened(oidc_ca_file=trusted) as front, browser(front) as client:
                assert (await client.get("/auth/oidc/signin")).status_code == status
    finally:
        await runner.cleanup()


async def test_the_metric_is_not_there_before_the_first_question(opened: Opened) -> None:
    async with opened() as front:
        assert _up(front) is None


def _up(front: Front) -> float | None:
    found: float | None = front.app.state.metrics.registry.get_sample_value(
        "osteoserve_identity_provider_up", {"provider": "oidc"}
    )
    return found
