"""What becomes of a transaction at a FHIR server: done, refused for good, tried again."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from aiohttp import web

from service.integration.compose import bundle
from service.integration.fhir import client
from service.integration.fhir.client import Client
from service.integration.ledger.schemas import Sent
from tests import ports
from tests.service.integration.compose.kit import made, part
from tests.service.integration.fhir.servers import Server, accepting, refusing, server

pytestmark = pytest.mark.anyio

STUDY = made(part(PatientID="4711-XY", AccessionNumber="A1234"))


def transaction(opened: Server) -> bytes:
    return bundle.compose(opened.destination(), STUDY)


async def test_a_transaction_that_is_done_arrives_as_it_was_made() -> None:
    async with server(accepting()) as opened:
        sent = await Client(opened.destination()).send(transaction(opened))
        assert sent == Sent(objects={"transaction": "200"}, reason=None)
        ((headers, body),) = opened.taken
        assert json.loads(body)["type"] == "transaction"
        assert headers["Content-Type"] == "application/fhir+json"
        assert "Authorization" not in headers


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 412, 413, 415, 422])
async def test_case_42_a_server_that_refuses_is_asked_no_more(status: int) -> None:
    said = "Observation 4711-xy is not taken here (A1234)"
    async with server(refusing(status, said, "not-supported")) as opened:
        sent = await Client(opened.destination()).send(transaction(opened))
    assert (sent.reason, sent.passes) == (f"refused {status}", False)
    assert sent.detail == "not-supported: Observation … is not taken here (…)"


@pytest.mark.parametrize("status", [401, 408, 409, 425, 429, 500, 502, 503, 504])
async def test_what_cannot_be_done_now_is_tried_again(status: int) -> None:
    async with server(refusing(status), accepting("200 OK")) as opened:
        one = Client(opened.destination())
        first = await one.send(transaction(opened))
        assert (first.reason, first.passes) == (f"refused {status}", True)
        assert (await one.send(transaction(opened))).reason is None


@pytest.mark.parametrize("answer", [accepting(less=1), accepting("422 Unprocessable")])
async def test_what_is_not_confirmed_for_every_resource_does_not_count(answer: object) -> None:
    async with server(answer) as opened:  # type: ignore[arg-type]
        sent = await Client(opened.destination()).send(transaction(opened))
    assert sent == Sent(objects={}, reason="not_confirmed")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b"[" * 100_000, b'{"resourceType": "OperationOutcome"}',
             b'{"resourceType": "OperationOutcome", "issue": [1, {"details": 2}]}',
             b'{"resourceType": "Bundle", "entry": 3}', b"\xff" * 3_000_000]
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 422])
async def test_an_answer_may_be_anything(body: bytes, status: int) -> None:
    async def answer(*_: object) -> web.StreamResponse:
        return web.Response(status=status, body=body)

    async with server(answer) as opened:
        sent = await Client(opened.destination()).send(transaction(opened))
    assert sent.reason == ("not_confirmed" if status == 200 else "refused 422")
    assert len(sent.detail or "") <= 400


async def test_a_server_that_sends_elsewhere_is_not_followed() -> None:
    async def answer(*_: object) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/r4"})

    async with server(answer) as opened:
        sent = await Client(opened.destination()).send(transaction(opened))
    assert (sent.reason, sent.passes) == ("refused 307", False)


async def test_a_server_that_is_away_is_unreachable_and_a_silent_one_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = Server(f"http://127.0.0.1:{ports.free_port()}/r4")
    sent = await Client(away.destination()).send(transaction(away))
    assert sent == Sent(objects={}, reason="unreachable")
    monkeypatch.setattr(client, "WHOLE_SECONDS", 0.3)

    async def cut(request: web.Request, _: bytes) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with server(cut) as opened:
        sent = await Client(opened.destination()).send(transaction(opened))
    assert sent == Sent(objects={}, reason="no_answer")


async def test_a_token_is_read_anew_for_every_attempt(tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with server(refusing(401), accepting()) as opened:
        one = Client(opened.destination(token_file=token))
        assert (await one.send(transaction(opened))).reason == "secret_unreadable"
        for said in ("first", "second"):
            token.write_text(f"{said}\n")
            await one.send(transaction(opened))
        assert [headers["Authorization"] for headers, _ in opened.taken] == [
            "Bearer first", "Bearer second",
        ]  # fmt: skip


async def test_client_credentials_give_a_token_that_is_used_until_it_is_old(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    granted = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}
    async with server(accepting(), refusing(401), accepting(), token=granted) as opened:
        one = Client(
            opened.destination(
                token_url=opened.base.replace("/r4", "/token"), client_id="us",
                client_secret_file=secret,
            )
        )  # fmt: skip
        for _ in range(3):
            await one.send(transaction(opened))
        assert {headers["Authorization"] for headers, _ in opened.taken} == {"Bearer t0ken"}
        # One for the first two; after 401 another.
        assert len(opened.tokens) == 2
        headers, form = opened.tokens[0]
        assert base64.b64decode(headers["Authorization"].split()[1]) == b"us:s3cret"
        assert b"grant_type=client_credentials" in form


async def test_without_a_token_nothing_is_sent(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    async with server(accepting()) as opened:
        one = Client(
            opened.destination(
                token_url=opened.base.replace("/r4", "/token"), client_id="us",
                client_secret_file=secret,
            )
        )  # fmt: skip
        assert (await one.send(transaction(opened))).reason == "no_token 400"
        assert opened.taken == []
