"""``kill -9`` of gateway, front, database, PACS and interface engine while four push: all that is
kept agrees."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import httpx
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from sqlalchemy import select

from service.events import Listeners
from service.integration.hl7.client import control_id
from service.integration.ledger.schemas import Balance
from service.integration.ledger.service import Ledger
from service.integration.settings import GatewaySettings
from service.settings import Settings
from service.storage.database import Database
from service.storage.encryption import readable
from service.storage.tables.ledger import ArrivalRow, CaseResultRow, CaseRow, DeliveryRow
from service.storage.transaction import Transactions
from service.types import RunnerName
from tests import ports
from tests.service.integration import counterparts
from tests.service.integration.conftest import KILLS
from tests.service.integration.gateways import peers_file
from tests.service.integration.hl7.sinks import Sink
from tests.service.integration.kit import image
from tests.service.integration.test_messages import engine_at
from tests.service.kit import databases, images
from tests.service.kit.fronts import API
from tests.service.kit.postgres import Server, started
from tests.service.kit.runners import Running, running

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.anyio,
]

SCANNERS: Final = 3
"""They send by DICOM; a fourth sends to the front."""
PAUSE: Final = 1.0
"""Seconds between two objects of a sender, so that what is sent is also judged in time."""
LONGEST: Final = 300
"""Seconds until all that was accepted is delivered once nobody is killed any more."""
SC = "1.2.840.10008.5.1.4.1.1.7"
SR = "1.2.840.10008.5.1.4.1.1.88.34"


class Victim(Protocol):
    def start(self) -> None:
        """Return when it serves."""

    def kill(self) -> None: ...


@dataclass
class Process:
    """A gateway or a front, as it is started on a server."""

    command: Sequence[str]
    port: int
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "service", *self.command]
            environment = {**os.environ, **self.environment}
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        end = time.monotonic() + 120
        with httpx.Client(trust_env=False, timeout=10) as client:
            while time.monotonic() < end and self.runs():
                try:
                    if client.get(f"{self.url}/health/startup").status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.1)
        raise AssertionError(self.log.read_text()[-2000:])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)


@dataclass(frozen=True)
class Archive:
    """A PACS that can be killed."""

    orthanc: counterparts.Orthanc

    def start(self) -> None:
        self.orthanc.start()

    def kill(self) -> None:
        self.orthanc.stop(kill=True)


@dataclass
class Log:
    """What those who send were told."""

    taken: list[Dataset] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    strange: set[int] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)


def scan(port: int, log: Log) -> None:
    """Send one study after the other, of one or two images, until the log ends."""
    ae = AE("DXA1")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 10
    ae.add_requested_context(SC, ExplicitVRLittleEndian)
    waiting: list[Dataset] = []
    while not log.ended.is_set():
        opened = ae.associate("127.0.0.1", port, ae_title="OSTEOSERVE")
        if not opened.is_established:
            log.ended.wait(0.1)
            continue
        line = opened.dul.socket.socket
        while opened.is_established and not log.ended.is_set():
            if not waiting:
                first = image()
                waiting = [first]
                if random.random() < 0.5:  # noqa: S311 - no secret
                    second = image(
                        StudyInstanceUID=first.StudyInstanceUID,
                        SeriesInstanceUID=first.SeriesInstanceUID,
                    )
                    waiting.append(second)
            try:
                status = opened.send_c_store(waiting[0]).get("Status")
            except RuntimeError:
                # The line has broken since it was looked at.
                break
            if status != 0:
                # What was not acknowledged is sent again, as scanners do.
                break
            log.taken.append(waiting.pop(0))
            log.ended.wait(PAUSE)
        if opened.is_established:
            opened.release()
        opened.join(10)
        # pynetdicom leaves it open where the other side has reset it.
        line.close()


def upload(url: str, log: Log) -> None:
    """Send the front one image after the other, each of its own, until the log ends."""
    number = 0
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        while not log.ended.is_set():
            number += 1
            try:
                answer = client.post(API, content=images.png() + str(number).encode())
            except httpx.TransportError:
                log.ended.wait(0.1)
                continue
            if answer.status_code == 201:
                log.results.append(answer.json()["id"])
            else:
                log.strange.add(answer.status_code)
            log.ended.wait(PAUSE)


@contextmanager
def database_of(kind: str, var: Path) -> Iterator[tuple[Settings, Server | None]]:
    """Yield a migrated database, and its server where it has one."""
    if kind == "sqlite":
        made = Settings(var=var)
        databases.lay(made)
        yield made, None
        return
    with started() as server, databases.created(server.url, migrated=True) as url:
        yield Settings(var=var, database_url=url), server


def processes(
    folder: Path, settings: Settings, runners: Mapping[RunnerName, Running], peers: Path
) -> tuple[Process, Process, int]:
    """Return a gateway, a front, and where the gateway takes objects."""
    dicom, http, web = (ports.free_port() for _ in range(3))
    url = settings.database_url
    common = {
        "OSTEOSERVE_VAR": str(settings.var),
        "OSTEOSERVE_AUTH": "none",
        **({} if url is None else {"OSTEOSERVE_DATABASE_URL": url.get_secret_value()}),
        "OSTEOSERVE_AUDIT_KEY": "k" * 32,
        "OSTEOSERVE_PROBE_SECONDS": "0.2",
        **{f"OSTEOSERVE_{name.upper()}_URL": one.url for name, one in runners.items()},
    }
    gateway = {
        **common,
        "OSTEOSERVE_GATEWAY_PEERS": str(peers),
        "OSTEOSERVE_GATEWAY_DICOM_PORT": str(dicom),
        "OSTEOSERVE_GATEWAY_HTTP_PORT": str(http),
        "OSTEOSERVE_GATEWAY_SETTLE_SECONDS": "0.3",
        "OSTEOSERVE_GATEWAY_RECEIVE_SECONDS": "2",
        "OSTEOSERVE_GATEWAY_LEASE_SECONDS": "5",
    }
    return (
        Process(["gateway"], http, gateway, folder / "gateway.log"),
        Process(["serve", "--port", str(web)], web, common, folder / "front.log"),
        dicom,
    )


@asynccontextmanager
async def sending(dicom: int, url: str, log: Log) -> AsyncIterator[None]:
    """Have scanners and somebody at the front send meanwhile."""
    threads = [asyncio.to_thread(scan, dicom, log) for _ in range(SCANNERS)]
    work = asyncio.gather(*threads, asyncio.to_thread(upload, url, log))
    try:
        yield
    finally:
        log.ended.set()
        await work


async def killing(victims: Mapping[str, Victim], rounds: int) -> Counter[str]:
    """Return how often each of ``victims`` was killed: each once, then one by chance, until there
    were so many ``rounds``; each is started again before the next is killed."""
    found: Counter[str] = Counter()
    names = list(victims)
    names += random.choices(names, k=max(0, rounds - len(names)))  # noqa: S311
    for name in names:
        await asyncio.sleep(random.uniform(0.3, 2))  # noqa: S311 - no secret
        await asyncio.to_thread(victims[name].kill)
        await asyncio.sleep(random.uniform(0, 1))  # noqa: S311 - no secret
        await asyncio.to_thread(victims[name].start)
        found[name] += 1
        ours = {key: one for key, one in victims.items() if isinstance(one, Process | Sink)}
        # Nobody ends since another has.
        assert [key for key, one in ours.items() if not one.runs()] == []
    return found


@pytest.mark.parametrize(
    "rounds", [0, pytest.param(200, marks=getattr(pytest.mark, KILLS))], ids=["once", "often"]
)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_case_1_what_was_acknowledged_survives_every_kill(
    kind: str, tmp_path: Path, rounds: int
) -> None:
    counterparts.tool("Orthanc")
    log = Log()
    pacs_dicom, pacs_http = ports.free_port(), ports.free_port()
    engine = Sink(tmp_path / "engine")
    peers = peers_file(tmp_path / "gateway", pacs_dicom, more=engine_at(engine.port))
    with (
        database_of(kind, tmp_path) as (settings, server),
        counterparts.orthanc(tmp_path / "pacs", pacs_dicom, pacs_http) as pacs,
    ):
        async with running() as runners:
            gateway, front, dicom = processes(tmp_path, settings, runners, peers)
            victims: dict[str, Victim] = {
                "engine": engine, "gateway": gateway, "front": front, "PACS": Archive(pacs)
            }  # fmt: skip
            if server is not None:
                victims["database"] = server
            try:
                begun = (asyncio.to_thread(one.start) for one in (engine, gateway, front))
                await asyncio.gather(*begun)
                async with sending(dicom, front.url, log):
                    killed = await killing(victims, rounds)
                async with ledger_of(settings) as (ledger, database):
                    await agree(ledger, database, pacs, log)
                    await heard(database, engine)
                await kept(front.url, log)
            finally:
                gateway.kill()
                front.kill()
                engine.end()
    print(f"{dict(killed)}: {len(log.taken)} objects, {len(log.results)} uploads")


@asynccontextmanager
async def ledger_of(settings: Settings) -> AsyncIterator[tuple[Ledger, Database]]:
    database = Database(settings)
    try:
        yield Ledger(GatewaySettings(), Transactions(database, Listeners())), database
    finally:
        await database.close()


async def agree(ledger: Ledger, database: Database, pacs: counterparts.Orthanc, log: Log) -> None:
    async with asyncio.timeout(LONGEST):
        while (balance := await ledger.balance()).in_progress:  # noqa: ASYNC110 - other processes have no event
            await asyncio.sleep(0.5)
    assert log.taken
    studies = {one.StudyInstanceUID for one in log.taken}
    async with database.connect() as connection:
        rows = await connection.execute(select(ArrivalRow.sop_uid, ArrivalRow.study_uid))
        kept = {row.sop_uid: row.study_uid for row in rows}
    # Nothing lost: whatever a sender was told is in the ledger, once.
    assert {one.SOPInstanceUID for one in log.taken} <= set(kept)
    assert balance == Balance(
        accepted=len(kept), delivered=balance.delivered, superseded=balance.superseded
    )
    found = await asyncio.to_thread(pacs.instances)
    reports = [one for one in found.values() if one["SOPClassUID"] == SR]
    assert studies <= {one["StudyInstanceUID"] for one in reports}
    # Nothing doubled: of each revision of a study one report.
    revisions = [(one["StudyInstanceUID"], one["InstanceNumber"]) for one in reports]
    assert len(revisions) == len(set(revisions))
    # Nothing by halves: what was made and what is there are the same objects.
    async with database.connect() as connection:
        rows = await connection.execute(select(CaseResultRow.sop_uid))
        made = [row.sop_uid for row in rows]
    assert len(set(made)) == len(made) > len(reports)
    assert set(made) == set(found)


async def heard(database: Database, engine: Sink) -> None:
    """Assert that the engine was sent a message of each case, and that what came twice is one."""
    statement = (
        select(CaseRow.study_uid, DeliveryRow.state, DeliveryRow.objects, DeliveryRow.message)
        .select_from(CaseRow)
        .outerjoin(
            DeliveryRow,
            (DeliveryRow.case_id == CaseRow.id) & (DeliveryRow.destination == "engine"),
        )
    )
    async with database.connect() as connection:
        rows = list(await connection.execute(statement))
    # Nothing lost: each case has one, which the engine has acknowledged.
    assert {row.state for row in rows} == {"accepted"}
    assert {row.objects["answer"] for row in rows} == {"AA"}
    made = [bytes(readable(row.message)) for row in rows]
    assert all(row.study_uid.encode() in one for row, one in zip(rows, made, strict=True))
    assert len({control_id(one) for one in made}) == len(made)
    # Nothing by halves, and nothing made anew: what came is what the ledger has, MSH-10 with it.
    taken = engine.taken()
    assert set(taken) == set(made)
    # By which the engine tells what it was sent again since nobody had heard that it kept it.
    assert len(taken) > len(made)


async def kept(url: str, log: Log) -> None:
    """Assert that each result that the front acknowledged is there, once."""
    assert len(set(log.results)) == len(log.results) > 0
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        for id in log.results:
            assert (await client.get(f"{API}/{id}")).json()["id"] == id
    # A front that is asked while its database or its decoders are away says so.
    assert log.strange <= {422, 503}
