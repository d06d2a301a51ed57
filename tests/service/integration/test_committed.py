"""Storage commitment from end to end: with Orthanc, and with a PACS that does not keep its word."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt

from service.integration.dicom import commitment
from service.integration.dicom.commitment import SOP_CLASS
from service.integration.dicom.outgoing import Called
from service.integration.ledger.schemas import Report
from service.integration.metrics import STATES
from tests import ports
from tests.service.integration.counterparts import Orthanc, orthanc
from tests.service.integration.gateways import Gateway, gateway, peers_file
from tests.service.integration.kit import file, image
from tests.service.integration.test_round_trip import push
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

SC = "1.2.840.10008.5.1.4.1.1.7"
SR = "1.2.840.10008.5.1.4.1.1.88.34"
BOTH = """commitment = true

[[peer]]
name = "archive"
calling = "PACS"
called = "OSTEOSERVE"
addresses = ["127.0.0.1"]
report_host = "127.0.0.1"
report_port = {port}
"""


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Orthanc]:
    with orthanc(tmp_path / "pacs", ports.free_port(), ports.free_port()) as opened:
        yield opened


@pytest.fixture
async def opened(pacs: Orthanc, tmp_path: Path) -> AsyncIterator[Gateway]:
    peers = peers_file(tmp_path / "gateway", pacs.dicom, more=BOTH.format(port=pacs.dicom))
    async with running() as runners, gateway(tmp_path / "var", runners, peers) as one:
        pacs.knows("gateway", "OSTEOSERVE", one.port)
        yield one


async def deliveries(opened: Gateway, state: str) -> float:
    return (await opened.ledger.states()).get(("delivery", state), 0)


async def test_case_25_only_the_pacs_s_own_report_makes_a_delivery_committed(
    opened: Gateway, pacs: Orthanc, tmp_path: Path
) -> None:
    await push(opened, tmp_path, image())
    await opened.finished()
    assert await deliveries(opened, "committed") == 1
    balance = await opened.ledger.balance()
    assert (balance.delivered, balance.unaccounted) == (1, 0)
    assert len(await asyncio.to_thread(pacs.instances)) == 2


async def test_orthanc_asks_for_what_it_has_sent_and_hears_what_is_held(
    opened: Gateway, pacs: Orthanc
) -> None:
    one, never_sent = image(), image()
    ids = []
    for data in (one, never_sent):
        found = (await asyncio.to_thread(pacs.post, "/instances", file(data))).json()
        ids.append(found["ID"])
    stored = {"Resources": ids[:1], "LocalAet": "PACS", "Synchronous": True}
    await asyncio.to_thread(pacs.post, "/modalities/gateway/store", stored)
    asked = await asyncio.to_thread(
        pacs.post, "/modalities/gateway/storage-commitment", {"Resources": ids}
    )
    report = asked.json()["Path"]

    async def said() -> bool:
        return bool((await asyncio.to_thread(pacs.get, report)).json()["Status"] != "Pending")

    await opened.until(said)
    found = (await asyncio.to_thread(pacs.get, report)).json()
    assert found["Status"] == "Failure"
    assert [one["SOPInstanceUID"] for one in found["Success"]] == [one.SOPInstanceUID]
    (failed,) = found["Failures"]
    assert failed["SOPInstanceUID"] == never_sent.SOPInstanceUID
    assert failed["FailureReason"] == 0x0112
    await opened.finished()


@dataclass
class Forgetful:
    """A PACS that takes everything, and says it has not, as often as it is told to."""

    port: int
    denials: int
    called: Called
    silent: bool = False
    stored: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def store(self, event: evt.Event) -> int:
        self.stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    def action(self, event: evt.Event) -> tuple[int, None]:
        uid, objects = commitment.read_question(
            event.request.ActionInformation, event.context.transfer_syntax
        )
        self.asked.append(uid)
        if not self.silent:
            threading.Thread(target=self.tell, args=(uid, objects)).start()
        return 0x0000, None

    def tell(self, uid: str, objects: tuple[tuple[str, str], ...]) -> None:
        lost = objects[:1] if len(self.asked) <= self.denials else ()
        kept = tuple(one for one in objects if one not in lost)
        failed = tuple((one, 0x0112) for one in lost)
        # On an association of its own, and not before the other is done with.
        time.sleep(0.1)
        reason = commitment.tell(
            self.called, Report(transaction_uid=uid, committed=kept, failed=failed)
        )
        assert reason is None, reason


@contextmanager
def forgetful(gateway_port: int, denials: int, silent: bool = False) -> Iterator[Forgetful]:
    port = ports.free_port()
    called = Called(host="127.0.0.1", port=gateway_port, called="OSTEOSERVE", calling="PACS")
    one = Forgetful(port, denials, called, silent)
    ae = AE("PACS")
    for sop_class in (SC, SR):
        ae.add_supported_context(sop_class, [ExplicitVRLittleEndian])
    ae.add_supported_context(SOP_CLASS)
    server = ae.start_server(
        ("127.0.0.1", port),
        block=False,
        evt_handlers=[(evt.EVT_C_STORE, one.store), (evt.EVT_N_ACTION, one.action)],
    )
    try:
        yield one
    finally:
        server.shutdown()


async def test_an_object_that_the_pacs_has_lost_is_sent_again_and_no_other(tmp_path: Path) -> None:
    port = ports.free_port()
    with forgetful(port, denials=1) as pacs:
        peers = peers_file(tmp_path / "gateway", pacs.port, more="commitment = true\n")
        async with (
            running() as runners,
            gateway(tmp_path / "var", runners, peers, gateway_dicom_port=port) as opened,
        ):
            await push(opened, tmp_path, image())
            await opened.finished()
            assert await deliveries(opened, "committed") == 1
            assert opened.sample(STATES, kind="delivery", state="dead") == 0
    # Report and capture, and then the one of them that was lost.
    assert len(pacs.stored) == 3
    assert pacs.stored[2] in pacs.stored[:2]
    assert len(set(pacs.asked)) == 2


async def test_a_pacs_that_never_reports_is_asked_again_and_then_a_person_decides(
    tmp_path: Path,
) -> None:
    port = ports.free_port()
    with forgetful(port, denials=0, silent=True) as pacs:
        more = "commitment = true\ncommitment_seconds = 0.2\n"
        peers = peers_file(tmp_path / "gateway", pacs.port, attempts=3, more=more)
        async with (
            running() as runners,
            gateway(tmp_path / "var", runners, peers, gateway_dicom_port=port) as opened,
        ):
            await push(opened, tmp_path, image())

            async def is_dead() -> bool:
                return await deliveries(opened, "dead") == 1

            await opened.until(is_dead)
            (line,) = await opened.ledger.waiting()
            assert (line.state, line.reason) == ("dead", "not_committed")
            assert len(set(pacs.asked)) == len(pacs.asked) == 2
            assert (await opened.ledger.balance()).dead == 1
    assert len(pacs.stored) == 2
