"""Reports on what is committed to: by TLS to a peer, and from a PACS that may do nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from service.integration.dicom import commitment
from service.integration.dicom.commitment import INSTANCE, SOP_CLASS
from service.integration.dicom.outgoing import Called
from service.integration.ledger.schemas import Report
from tests.chart.authority import OPENSSL, Certified, certified
from tests.service.integration.kit import image
from tests.service.integration.test_listener import SC, Opened, listening

pytestmark = pytest.mark.anyio

REPORT = Report(
    transaction_uid="1.2.3", committed=((SC, "1.2.4"),), failed=(((SC, "1.2.5"), 0x0112),)
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    if OPENSSL is None:
        pytest.skip("no openssl to make certificates with")
    return certified(tmp_path_factory.mktemp("site"), "localhost")


@contextmanager
def hearing(site: Certified, status: int = 0x0000) -> Iterator[tuple[int, list[Dataset]]]:
    """A scanner that hears reports by TLS, from who has a certificate of the site's."""
    heard: list[Dataset] = []

    def event(one: evt.Event) -> tuple[int, None]:
        heard.append(one.event_information)
        return status, None

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(site.certificate, site.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(site.authority)
    ae = AE("DXA1")
    ae.add_supported_context(SOP_CLASS, scu_role=True, scp_role=True)
    server = ae.start_server(
        ("127.0.0.1", 0),
        block=False,
        ssl_context=context,
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, event)],
    )
    try:
        yield server.socket.getsockname()[1], heard
    finally:
        server.shutdown()


def to(port: int, site: Certified | None) -> Called:
    tls: dict[str, Any] = {}
    if site is not None:
        tls = {"authorities": site.authority, "certificate": site.certificate, "key": site.key}
    return Called(host="localhost", port=port, called="DXA1", calling="OSTEOSERVE", **tls)


def test_a_peer_hears_by_tls_what_is_committed_to(site: Certified) -> None:
    with hearing(site) as (port, heard):
        assert commitment.tell(to(port, site), REPORT) is None
    (told,) = heard
    assert told.TransactionUID == "1.2.3"
    assert told.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.4"
    assert told.FailedSOPSequence[0].FailureReason == 0x0112


def test_a_peer_that_does_not_take_it_is_told_again_another_time(site: Certified) -> None:
    with hearing(site, 0x0110) as (port, _):
        assert commitment.tell(to(port, site), REPORT) == "refused 0110"
    assert commitment.tell(to(port, site), REPORT) == "unreachable"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    # Of the destination in the file, which reports from its own address.
    async for one in listening(tmp_path, "commitment = true\n"):
        yield one


async def test_a_pacs_may_report_and_nothing_else(opened: Opened) -> None:
    association = await asyncio.to_thread(opened.associate, "PACS")
    assert association.is_established
    status = (await asyncio.to_thread(association.send_c_store, image())).Status
    assert status == 0x0124
    assert (await asyncio.to_thread(association.send_c_echo)).Status == 0x0000
    await asyncio.to_thread(association.release)
    ae = AE("PACS")
    ae.add_requested_context(SOP_CLASS)
    association = await asyncio.to_thread(
        ae.associate, "127.0.0.1", opened.listener.port, ae_title="OSTEOSERVE"
    )
    kind, told = commitment.answer(REPORT)
    asked = commitment.question("1.2.3", [(SC, "1.2.4")])
    status, _ = await asyncio.to_thread(
        association.send_n_action, asked, commitment.ACTION, SOP_CLASS, INSTANCE
    )
    assert status.Status == 0x0124
    # Nobody has asked it anything: there is nothing that it could report on.
    status, _ = await asyncio.to_thread(
        association.send_n_event_report, told, kind, SOP_CLASS, INSTANCE
    )
    assert status.Status == 0x0115
    await asyncio.to_thread(association.release)
    assert (await opened.ledger.balance()).accepted == 0
