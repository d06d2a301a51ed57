"""What ``python -m service gateway check`` says of a FHIR server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from service.integration.destinations import FhirDestination
from service.integration.fhir.check import check
from tests import ports
from tests.service.integration.fhir.servers import Answer, able, refusing, server

pytestmark = pytest.mark.anyio


async def said(destination: FhirDestination) -> str | None:
    return await asyncio.to_thread(check, destination)


async def page(*_: object) -> web.StreamResponse:
    return web.Response(text="<p>Welcome</p>", content_type="text/html")


async def elsewhere(*_: object) -> web.StreamResponse:
    raise web.HTTPFound("/r4/other")


@pytest.mark.parametrize("verbs", [("transaction", "batch"), ()])
async def test_a_server_of_r4_that_takes_transactions_is_whole(verbs: tuple[str, ...]) -> None:
    """One that does not say what it takes may take them."""
    async with server(refusing(500), metadata=able(verbs=verbs)) as opened:
        assert await said(opened.destination()) is None
        assert (len(opened.asked), opened.taken) == (1, [])


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (able("5.0.0"), "record speaks FHIR 5.0.0, and results are of R4."),
        (able(verbs=("batch",)), "record says that it takes no transactions."),
        (refusing(401), "record asks for a token, and none is set: it answers 401."),
        (refusing(404), "record answers 404 and no CapabilityStatement at {at}: correct base."),
        (page, "record answers 200 and no CapabilityStatement at {at}: correct base."),
        (elsewhere, "record answers 302 and no CapabilityStatement at {at}: correct base."),
    ],
    ids=["release", "verbs", "token", "path", "page", "redirect"],
)  # fmt: skip
async def test_what_is_wrong_with_a_server_is_said(metadata: Answer, says: str) -> None:
    async with server(refusing(500), metadata=metadata) as opened:
        assert await said(opened.destination()) == says.format(at=f"{opened.base}/metadata")


async def test_the_token_is_had_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    async with server(refusing(500), token={"access_token": "granted"}, metadata=able()) as opened:
        by_file = opened.destination(token_file=file)
        assert await said(by_file) == (
            f"record needs {file}, which cannot be read, or is no token or secret."
        )
        file.write_text("kept\n")
        assert await said(by_file) is None
        url = opened.base.replace("/r4", "/token")
        client = {"token_url": url, "client_id": "us", "client_secret_file": file}
        assert await said(opened.destination(**client)) is None
        shown = [one["Authorization"] for one in opened.asked]
        assert shown == ["Bearer kept", "Bearer granted"]


async def test_who_grants_no_token_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("kept")
    async with server(refusing(500), metadata=able()) as opened:
        url = opened.base.replace("/r4", "/token")
        client = {"token_url": url, "client_id": "us", "client_secret_file": file}
        assert await said(opened.destination(**client)) == (
            f"record cannot be asked: {url} answers status 400 instead of a token."
        )
        assert opened.asked == []


async def test_a_token_that_is_not_taken_is_told_from_one_that_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    async with server(refusing(500), metadata=refusing(403)) as opened:
        assert await said(opened.destination(token_file=file)) == (
            "record does not take our token: it answers 403."
        )


async def test_a_server_that_is_away_or_without_tls_is_told_so() -> None:
    port = ports.free_port()
    away = FhirDestination(name="record", kind="fhir", base=f"http://127.0.0.1:{port}/r4")
    assert await said(away) == (
        f"record does not listen at 127.0.0.1:{port}: another port, or it is not running."
    )
    async with server(refusing(500), metadata=able()) as opened:
        secured = opened.destination(base=opened.base.replace("http:", "https:"))
        found = await said(secured)
    assert found is not None
    assert "speaks none" in found
