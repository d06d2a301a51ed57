"""What becomes of each result at a PACS by STOW-RS: stored, refused for good, tried again."""

from __future__ import annotations

import asyncio
import base64
import ssl
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from service.integration.destinations import DicomWebDestination
from service.integration.dicomweb import client
from service.integration.dicomweb.client import Client
from service.integration.ledger.schemas import Sent
from tests import ports
from tests.chart.authority import OPENSSL, Certified, certified
from tests.service.integration.dicomweb.servers import (
    Answer,
    Taken,
    failing,
    item,
    reason,
    saying,
    server,
    storing,
    told,
)
from tests.service.integration.test_sender import made

pytestmark = pytest.mark.anyio


async def test_all_arrive_as_they_were_made_and_once() -> None:
    results = made()
    async with server(storing) as opened:
        one = Client(opened.destination())
        found = await one.send(results, {})
        assert found == Sent(objects={each.sop_uid: "0000" for each in results}, reason=None)
        assert [taken.files for taken in opened.taken] == [[each.data] for each in results]
        assert await one.send(results, found.objects) == Sent(objects={}, reason=None)
        assert len(opened.taken) == len(results)
    headers = opened.taken[0].headers
    assert headers["Content-Type"].startswith('multipart/related; type="application/dicom"; bound')
    assert headers["Accept"] == "application/dicom+json"
    # Whole, with its length: case 27 was a server that lost what came in chunks.
    assert int(headers["Content-Length"]) > len(results[0].data)
    assert "Transfer-Encoding" not in headers
    assert "Authorization" not in headers


@pytest.mark.parametrize("end", ["", "/", "/studies", "/studies/"])
async def test_case_29_the_same_server_by_each_of_its_addresses(end: str) -> None:
    async with server(storing) as opened:
        to = opened.destination(base=opened.base + end)
        assert (await Client(to).send(made(1), {})).reason is None
        assert opened.taken[0].path == "/dicom-web/studies"


@pytest.mark.parametrize("status", [200, 202, 400, 409])
@pytest.mark.parametrize(
    ("code", "passes"),
    [(0xA700, True), (0xA7FF, True), (0x0110, True), (0x0213, True), (0xA900, False),
     (0xC000, False), (0x0122, False), (0x0124, False), (0xC122, False)],
)  # fmt: skip
async def test_case_19_state_is_per_object(status: int, code: int, passes: bool) -> None:
    results = made()
    async with server(storing, failing(code, status), storing) as opened:
        one = Client(opened.destination())
        first = await one.send(results, {})
        assert first.objects == {
            results[0].sop_uid: "0000",
            results[1].sop_uid: f"{code:04X}",
            results[2].sop_uid: "0000",
        }
        assert (first.reason, first.passes) == (f"refused {code:04X}", passes)
        second = await one.send(results, first.objects)
        assert second == Sent(objects={results[1].sop_uid: "0000"}, reason=None)
        assert [taken.uid for taken in opened.taken[3:]] == [results[1].sop_uid]


@pytest.mark.parametrize("code", [0xB000, 0xB006, 0xB007])
async def test_a_warning_says_that_it_was_stored(code: int) -> None:
    async def warning(taken: Taken) -> web.StreamResponse:
        return told(202, stored=[item(taken.uid, warning=code)])

    (result,) = results = made(1)
    async with server(warning) as opened:
        found = await Client(opened.destination()).send(results, {})
    assert found == Sent(objects={result.sop_uid: f"{code:04X}"}, reason=None)


async def unnamed(_: Taken) -> web.StreamResponse:
    return told(409, others=[reason(failure=0xC000)])


async def without_a_reason(taken: Taken) -> web.StreamResponse:
    return told(202, failed=[item(taken.uid)])


async def a_warning_of_a_failure(taken: Taken) -> web.StreamResponse:
    return told(202, failed=[item(taken.uid, failure=0xB000)])


async def both(taken: Taken) -> web.StreamResponse:
    return told(200, failed=[item(taken.uid, failure=0xA700)], stored=[item(taken.uid)])


async def a_conflict_that_stored(taken: Taken) -> web.StreamResponse:
    return told(409, stored=[item(taken.uid)])


@pytest.mark.parametrize(
    ("answer", "status", "passes"),
    [
        (unnamed, "C000", False),
        (without_a_reason, "0110", True),
        (a_warning_of_a_failure, "0110", True),
        (both, "A700", True),
        (a_conflict_that_stored, "409", False),
        (saying(409, b"<html>"), "409", False),
        (saying(413), "413", False),
        (saying(500), "500", True),
    ],
    ids=["unnamed", "no reason", "warning", "both", "conflict", "page", "too large", "fault"],
)
async def test_what_was_not_stored_never_counts(answer: Answer, status: str, passes: bool) -> None:
    results = made(2)
    async with server(answer, storing) as opened:
        found = await Client(opened.destination()).send(results, {})
    # And the other object is stored all the same.
    assert found.objects == {results[0].sop_uid: status, results[1].sop_uid: "0000"}
    assert (found.reason, found.passes) == (f"refused {status}", passes)


async def another(_: Taken) -> web.StreamResponse:
    return told(200, stored=[item("1.2.3")])


JUNK: dict[str, bytes] = {
    "nothing": b"",
    "page": b"<html>",
    "number": b"1",
    "list": b"[1]",
    "deep": b"[" * 100_000,
    "long": b"\xff" * 3_000_000,
    "null": b'{"00081199": null}',
    "empty": b'{"00081199": {"vr": "SQ"}}',
    "items": b'{"00081199": {"Value": [1, {"00081155": {"Value": [2]}}]}}',
}


@pytest.mark.parametrize(
    "answer", [another, *(saying(200, one) for one in JUNK.values())], ids=["another", *JUNK]
)
async def test_an_object_that_no_answer_names_is_sent_again(answer: Answer) -> None:
    async with server(answer, storing) as opened:
        one, results = Client(opened.destination()), made(1)
        assert await one.send(results, {}) == Sent(objects={}, reason="not_confirmed")
        assert (await one.send(results, {})).reason is None


@pytest.mark.parametrize(
    ("status", "passes"),
    [(401, True), (408, True), (425, True), (429, True), (502, True), (503, True), (504, True),
     (403, False), (404, False), (405, False), (406, False), (410, False)],
)  # fmt: skip
async def test_a_server_that_does_nothing_now_is_sent_no_further_object(
    status: int, passes: bool
) -> None:
    results = made()
    async with server(storing, saying(status)) as opened:
        found = await Client(opened.destination()).send(results, {})
    assert found == Sent(
        objects={results[0].sop_uid: "0000"}, reason=f"refused {status}", passes=passes
    )
    assert len(opened.taken) == 2


async def test_a_server_that_sends_elsewhere_is_not_followed(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken")
    async with server(storing) as other:
        away = saying(307, Location=f"{other.base}/studies")
        async with server(away, holds=302) as opened:
            to = opened.destination(token_file=token)
            found = await Client(to).send(made(1), {})
    assert (found.reason, found.passes) == ("refused 307", False)
    assert other.taken == []


async def test_a_server_that_is_away_is_unreachable_and_a_silent_one_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = f"http://127.0.0.1:{ports.free_port()}/dicom-web"
    away = DicomWebDestination(name="pacs", kind="dicomweb", base=gone)
    assert await Client(away).send(made(1), {}) == Sent(objects={}, reason="unreachable")

    async def silent(_: Taken) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    monkeypatch.setattr(client, "REQUEST_SECONDS", 2.0)
    results = made(3)
    async with server(storing, silent) as opened:
        found = await Client(opened.destination()).send(results, {})
        assert found == Sent(objects={results[0].sop_uid: "0000"}, reason="no_answer")
        monkeypatch.setattr(client, "REQUEST_SECONDS", 60.0)
        monkeypatch.setattr(client, "WHOLE_SECONDS", 2.0)
        found = await Client(opened.destination()).send(results, found.objects)
        assert found == Sent(objects={}, reason="no_answer")


async def test_what_takes_long_goes_on_with_the_next_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "BEGIN_SECONDS", 0.5)

    async def slow(taken: Taken) -> web.StreamResponse:
        await asyncio.sleep(1)
        return await storing(taken)

    results = made(2)
    async with server(slow) as opened:
        one = Client(opened.destination())
        first = await one.send(results, {})
        assert first == Sent(objects={results[0].sop_uid: "0000"}, reason="cut off")
        second = await one.send(results, first.objects)
        assert second == Sent(objects={results[1].sop_uid: "0000"}, reason=None)


@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
async def test_case_27_what_is_confirmed_is_what_a_search_finds(named: bool) -> None:
    held: list[str] = []
    (result,) = results = made(1)
    async with server(storing if named else saying(200), holds=lambda: held) as opened:
        one = Client(opened.destination(confirm=True))
        assert await one.send(results, {}) == Sent(objects={}, reason="not_confirmed")
        held.append(result.sop_uid)
        found = await one.send(results, {})
    assert found == Sent(objects={result.sop_uid: "0000"}, reason=None)
    path, headers = opened.sought[0]
    assert path.startswith("/dicom-web/studies/")
    assert path.endswith(f"/instances?SOPInstanceUID={result.sop_uid}")
    assert headers["Accept"] == "application/dicom+json"


@pytest.mark.parametrize(
    ("status", "reason", "passes"),
    [(204, "not_confirmed", True), (404, "not_confirmed", True), (403, "refused 403", False),
     (302, "refused 302", False), (503, "refused 503", True)],
)  # fmt: skip
async def test_a_search_that_is_refused_is_told(status: int, reason: str, passes: bool) -> None:
    async with server(storing, holds=status) as opened:
        found = await Client(opened.destination(confirm=True)).send(made(1), {})
    assert found == Sent(objects={}, reason=reason, passes=passes)


async def test_what_was_refused_is_not_sought() -> None:
    async with server(failing(0xA900), holds=lambda: []) as opened:
        found = await Client(opened.destination(confirm=True)).send(made(1), {})
    assert (found.reason, opened.sought) == ("refused A900", [])


async def test_secrets_are_read_anew_for_every_attempt(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    async with server(saying(401), storing) as opened:
        ways: list[dict[str, Any]] = [
            {"token_file": secret},
            {"user": "us", "password_file": secret},
        ]
        for way in ways:
            secret.unlink(missing_ok=True)
            one = Client(opened.destination(**way))
            assert (await one.send(made(1), {})).reason == "secret_unreadable"
            for said in ("first", "second"):
                secret.write_text(f"{said}\n")
                await one.send(made(1), {})
        shown = [taken.headers["Authorization"] for taken in opened.taken]
    assert shown[:2] == ["Bearer first", "Bearer second"]
    assert [base64.b64decode(one.split()[1]) for one in shown[2:]] == [b"us:first", b"us:second"]


async def test_client_credentials_give_a_token_until_it_is_not_taken(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    granted = {"access_token": "t0ken", "expires_in": 300}
    async with server(storing, storing, saying(401), storing, token=granted) as opened:
        url = opened.base.replace("/dicom-web", "/token")
        one = Client(
            opened.destination(token_url=url, client_id="us", client_secret_file=secret)
        )  # fmt: skip
        for _ in range(3):
            await one.send(made(1 if opened.taken else 2), {})
    assert {taken.headers["Authorization"] for taken in opened.taken} == {"Bearer t0ken"}
    # One for the first two attempts; after 401 another. No scope where none is set.
    assert [body for _, body in opened.tokens] == [b"grant_type=client_credentials"] * 2


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    if OPENSSL is None:
        pytest.skip("no openssl to make certificates with")
    return certified(tmp_path_factory.mktemp("site"), "localhost")


async def test_both_sides_show_a_certificate(site: Certified, tmp_path: Path) -> None:
    other = certified(tmp_path, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(site.authority))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(site.certificate, site.key)
    own = {"certificate": site.certificate, "key": site.key}
    async with server(storing, tls=context) as opened:
        whole = opened.destination(authorities=site.authority, **own)
        assert (await Client(whole).send(made(1), {})).reason is None
        strange = opened.destination(authorities=other.authority, **own)
        assert (await Client(strange).send(made(1), {})).reason == "tls"
        bare = opened.destination(authorities=site.authority)
        assert (await Client(bare).send(made(1), {})).reason in ("tls", "no_answer")
        gone = opened.destination(authorities=tmp_path / "gone.pem")
        assert (await Client(gone).send(made(1), {})).reason == "certificate_unreadable"
    assert len(opened.taken) == 1
