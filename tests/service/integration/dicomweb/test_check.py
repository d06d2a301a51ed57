"""What ``python -m service gateway check`` says of a PACS by DICOMweb."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from service.integration.destinations import DicomWebDestination
from service.integration.dicomweb.check import check
from tests import ports
from tests.chart.authority import OPENSSL, certified
from tests.service.integration.dicomweb.servers import Answer, saying, server, storing

pytestmark = pytest.mark.anyio


async def said(destination: DicomWebDestination) -> str | None:
    return await asyncio.to_thread(check, destination)


@pytest.mark.parametrize("answer", [storing, saying(200, b"{}"), saying(204), saying(409)])
async def test_a_server_that_takes_objects_is_whole_and_sent_none(answer: Answer) -> None:
    async with server(answer, holds=lambda: []) as opened:
        assert await said(opened.destination(confirm=True)) is None
        ((taken,), (sought,)) = opened.taken, opened.sought
    assert taken.files == []
    assert sought[0].startswith("/dicom-web/studies/2.25.")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (saying(401), "pacs asks for a token, and none is set: it answers 401."),
        (
            saying(404),
            "pacs answers 404 at {at}, and so takes no objects there: correct base.",
        ),
        (
            saying(302, Location="/other"),
            "pacs answers 302 at {at}, and is not followed elsewhere: correct base.",
        ),
        (
            saying(415),
            "pacs answers 415: it takes no multipart/related of application/dicom, or does not "
            "answer as application/dicom+json.",
        ),
        (saying(503), "pacs answers 503 when it is asked to store nothing, at {at}."),
        (
            saying(200, b"<p>Welcome</p>"),
            "pacs answers 200 and no DICOM JSON at {at}: correct base.",
        ),
    ],
    ids=["token", "path", "redirect", "type", "fault", "page"],
)  # fmt: skip
async def test_what_is_wrong_with_a_server_is_said(answer: Answer, says: str) -> None:
    async with server(answer) as opened:
        assert await said(opened.destination()) == says.format(at=f"{opened.base}/studies")


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (403, "pacs does not let us search, which confirm asks for: it answers 403."),
        (501, "pacs is not able to search, which confirm asks for: it answers 501."),
    ],
)
async def test_confirm_needs_a_search(status: int, says: str) -> None:
    async with server(storing, holds=status) as opened:
        assert await said(opened.destination(confirm=True)) == says
        assert await said(opened.destination()) is None


async def test_what_is_shown_is_named_when_it_is_not_taken(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    async with server(saying(403)) as opened:
        named = opened.destination(user="us", password_file=secret)
        assert await said(named) == (
            f"pacs needs {secret}, which cannot be read, or is no token or secret."
        )
        assert opened.taken == []
        secret.write_text("s3cret")
        assert await said(named) == "pacs does not take our user and password: it answers 403."
        token = opened.destination(token_file=secret)
        assert await said(token) == "pacs does not take our token: it answers 403."


async def test_a_server_that_is_away_is_told_so() -> None:
    port = ports.free_port()
    away = DicomWebDestination(name="pacs", kind="dicomweb", base=f"http://127.0.0.1:{port}/w")
    assert await said(away) == (
        f"pacs does not listen at 127.0.0.1:{port}: another port, or it is not running."
    )


async def test_certificates_of_both_sides_are_looked_at(tmp_path: Path) -> None:
    if OPENSSL is None:
        pytest.skip("no openssl to make certificates with")
    folders = tmp_path / "site", tmp_path / "other"
    for one in folders:
        one.mkdir()
    site, other = (certified(one, "localhost") for one in folders)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(site.authority))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(site.certificate, site.key)
    own = {"certificate": site.certificate, "key": site.key}
    async with server(storing, tls=context) as opened:
        faults: dict[str, dict[str, Any]] = {
            "is signed by nobody in": {**own, "authorities": other.authority},
            "asks for a certificate and none is set": {"authorities": site.authority},
            "needs /nowhere/key.pem, which cannot be read": {
                **own, "authorities": site.authority, "key": "/nowhere/key.pem",
            },
        }  # fmt: skip
        for says, changes in faults.items():
            found = await said(opened.destination(**changes))
            assert found is not None
            assert says in found
        # Last, so that the server has seen the others go.
        assert await said(opened.destination(authorities=site.authority, **own)) is None
