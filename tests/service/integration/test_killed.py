"""``kill -9`` of the gateway while senders push: their log, the ledger and the PACS agree."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from sqlalchemy import select

from service.events import Listeners
from service.integration.ledger.schemas import Balance
from service.integration.ledger.service import Ledger
from service.integration.settings import GatewaySettings
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables.ledger import ArrivalRow
from service.storage.transaction import Transactions
from service.types import RunnerName
from tests import ports
from tests.service.integration import counterparts
from tests.service.integration.conftest import KILLS
from tests.service.integration.gateways import peers_file
from tests.service.integration.kit import image
from tests.service.kit.runners import Running, running

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.anyio,
]

SENDERS = 2
PAUSE = 0.2
"""Seconds between two objects of a sender, so that what is sent is also judged in time."""
SC = "1.2.840.10008.5.1.4.1.1.7"
SR = "1.2.840.10008.5.1.4.1.1.88.34"


class Process:
    """A gateway as it is started on a server."""

    def __init__(
        self, folder: Path, settings: Settings, runners: Mapping[RunnerName, Running], peers: Path
    ) -> None:
        self.dicom, self.http = ports.free_port(), ports.free_port()
        self.log = folder / "gateway.log"
        url = settings.database_url
        self.environment = {
            **os.environ,
            "OSTEOSERVE_VAR": str(settings.var),
            **({} if url is None else {"OSTEOSERVE_DATABASE_URL": url.get_secret_value()}),
            "OSTEOSERVE_GATEWAY_PEERS": str(peers),
            "OSTEOSERVE_GATEWAY_DICOM_PORT": str(self.dicom),
            "OSTEOSERVE_GATEWAY_HTTP_PORT": str(self.http),
            "OSTEOSERVE_GATEWAY_SETTLE_SECONDS": "0.3",
            "OSTEOSERVE_GATEWAY_RECEIVE_SECONDS": "2",
            "OSTEOSERVE_GATEWAY_LEASE_SECONDS": "5",
            "OSTEOSERVE_PROBE_SECONDS": "0.2",
            **{f"OSTEOSERVE_{name.upper()}_URL": one.url for name, one in runners.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it is killed, not awaited
                [sys.executable, "-m", "service", "gateway"],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(120), httpx.AsyncClient(trust_env=False) as client:
            while True:
                assert self.process.poll() is None, self.log.read_text()[-2000:]
                try:
                    found = await client.get(f"http://127.0.0.1:{self.http}/health/startup")
                    if found.status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None


def push(port: int, stop: float, acknowledged: list[Dataset]) -> None:
    """Send one study after the other, of one or two images, until ``stop``."""
    ae = AE("DXA1")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 10
    ae.add_requested_context(SC, ExplicitVRLittleEndian)
    waiting: list[Dataset] = []
    while time.monotonic() < stop:
        opened = ae.associate("127.0.0.1", port, ae_title="OSTEOSERVE")
        if not opened.is_established:
            time.sleep(0.05)
            continue
        line = opened.dul.socket.socket
        while opened.is_established and time.monotonic() < stop:
            if not waiting:
                first = image()
                waiting = [first]
                if random.random() < 0.5:  # noqa: S311 - no secret
                    second = image(
                        StudyInstanceUID=first.StudyInstanceUID,
                        SeriesInstanceUID=first.SeriesInstanceUID,
                    )
                    waiting.append(second)
            if opened.send_c_store(waiting[0]).get("Status") != 0:
                # What was not acknowledged is sent again, as scanners do.
                break
            acknowledged.append(waiting.pop(0))
            time.sleep(PAUSE)
        if opened.is_established:
            opened.release()
        opened.join(10)
        # pynetdicom leaves it open where the other side has reset it.
        line.close()


@asynccontextmanager
async def ledger_of(settings: Settings) -> AsyncIterator[tuple[Ledger, Database]]:
    database = Database(settings)
    try:
        yield Ledger(GatewaySettings(), Transactions(database, Listeners())), database
    finally:
        await database.close()


@pytest.mark.parametrize(
    "rounds", [2, pytest.param(100, marks=getattr(pytest.mark, KILLS))], ids=["few", "many"]
)
async def test_case_1_what_was_acknowledged_survives_every_kill(
    settings: Settings, tmp_path: Path, rounds: int
) -> None:
    counterparts.tool("Orthanc")
    acknowledged: list[Dataset] = []
    dicom, http = ports.free_port(), ports.free_port()
    peers = peers_file(tmp_path / "gateway", dicom)
    async with running() as runners:
        with counterparts.orthanc(tmp_path / "pacs", dicom, http) as pacs:
            one = Process(tmp_path, settings, runners, peers)
            try:
                for _ in range(rounds):
                    await one.start()
                    stop = time.monotonic() + random.uniform(1.5, 4)  # noqa: S311
                    senders = [
                        asyncio.to_thread(push, one.dicom, stop + 1, acknowledged)
                        for _ in range(SENDERS)
                    ]
                    work = asyncio.gather(*senders)
                    await asyncio.sleep(stop - time.monotonic())
                    one.kill()
                    await work
                assert acknowledged
                await one.start()
                async with ledger_of(settings) as (ledger, database):
                    await agree(ledger, database, pacs, acknowledged)
            finally:
                one.kill()
    # Here, where what pynetdicom left behind is expected.


async def agree(
    ledger: Ledger, database: Database, pacs: counterparts.Orthanc, sent: list[Dataset]
) -> None:
    async with asyncio.timeout(400):
        while (balance := await ledger.balance()).in_progress:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    studies = {one.StudyInstanceUID for one in sent}
    async with database.connect() as connection:
        rows = await connection.execute(select(ArrivalRow.sop_uid, ArrivalRow.study_uid))
        kept = {row.sop_uid: row.study_uid for row in rows}
    # Nothing lost: whatever a sender was told is in the ledger, once.
    assert {one.SOPInstanceUID for one in sent} <= set(kept)
    assert balance == Balance(
        accepted=len(kept), delivered=balance.delivered, superseded=balance.superseded
    )
    found = await asyncio.to_thread(pacs.instances)
    reports = [one for one in found.values() if one["SOPClassUID"] == SR]
    assert studies <= {one["StudyInstanceUID"] for one in reports}
    # Nothing doubled: of each revision of a study one report.
    revisions = [(one["StudyInstanceUID"], one["InstanceNumber"]) for one in reports]
    assert len(revisions) == len(set(revisions))
