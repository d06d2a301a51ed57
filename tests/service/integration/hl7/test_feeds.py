"""Patients and orders by HL7: merged, updated, linked; done before it is acknowledged, and once."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from sqlalchemy import func, select

from service.clock import now
from service.events import Event, Listeners
from service.exams.schemas import from_json
from service.holds import repository as holds
from service.holds.schemas import Hold
from service.integration.events import OrderReceived
from service.integration.hl7 import frame
from service.integration.hl7.listener import FeedListener, server_context
from service.integration.hl7.service import Feeds
from service.integration.ledger.service import Ledger
from service.integration.metrics import MESSAGES, REJECTED, GatewayMetrics
from service.integration.peers import Peers
from service.integration.settings import GatewaySettings
from service.observability.metrics import new_registry
from service.patients.events import PatientsMerged, PatientUpdated
from service.storage.database import Database
from service.storage.errors import StorageUnavailableError
from service.storage.tables.feeds import FeedMessageRow
from service.storage.tables.patients import MergeRow, PatientRow
from service.storage.transaction import Transactions
from tests.service.integration.gateways import gateway, peers_file
from tests.service.integration.hl7.engines import answering, engine
from tests.service.integration.hl7.messages import line, merge, message, order, update
from tests.service.integration.hl7.test_client import certificate
from tests.service.integration.kit import arrival, image
from tests.service.integration.test_ledger import due
from tests.service.integration.test_messages import engine_at, peers, push
from tests.service.kit.records import ANYONE, keep, made, verbs
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

FEED = """
[[feed]]
name = "engine"
addresses = ["{address}/32"]
typed = "TYPED"
{more}
"""


@dataclass
class Opened:
    listener: FeedListener
    feeds: Feeds
    ledger: Ledger
    database: Database
    events: list[Event]
    registry: Any

    def counted(self, name: str, **labels: str) -> float:
        return float(self.registry.get_sample_value(name, labels) or 0.0)

    async def send(self, *messages: bytes) -> list[tuple[str, str | None]]:
        """Return code and error of each answer."""
        async with line(self.listener.port) as opened:
            found = [await opened.send(one) for one in messages]
        return [(one.code, one.error) for one in found]


async def listening(
    database: Database, folder: Path, address: str = "127.0.0.1", more: str = "", **settings: Any
) -> AsyncIterator[Opened]:
    chosen = GatewaySettings(gateway_hl7_port=0, gateway_idle_seconds=2.0, **settings)
    peers = Peers.read(peers_file(folder, 104, more=FEED.format(address=address, more=more)))
    listeners, events, registry = Listeners(), list[Event](), new_registry()
    listeners.afterwards(Event, events.append)
    transactions = Transactions(database, listeners)
    feeds = Feeds(chosen, transactions)
    listener = FeedListener(chosen, peers, feeds, GatewayMetrics(registry))
    await listener.start(server_context(chosen))
    try:
        ledger = Ledger(chosen, transactions)
        yield Opened(listener, feeds, ledger, database, events, registry)
    finally:
        await listener.stop()


@pytest.fixture
async def opened(database: Database, tmp_path: Path) -> AsyncIterator[Opened]:
    async for one in listening(database, tmp_path):
        yield one


async def known(opened: Opened, reference: str, issuer: str | None = "HOSP", **facts: Any) -> Any:
    """Return the id of a result whose exam is of a patient."""
    one = made(0)
    await keep(opened.database, one)
    whose = {"patient_reference": reference, **({"patient_issuer": issuer} if issuer else {})}
    await verbs(opened.database).exams.change(ANYONE, one.id, from_json({**whose, **facts}))
    return one.id


async def whose(opened: Opened, id: Any) -> tuple[str | None, str | None]:
    exam = await verbs(opened.database).exams.get(ANYONE, id)
    assert exam is not None
    return exam.patient_reference, exam.patient_issuer


async def test_a_merge_moves_exams_and_whoever_comes_later(opened: Opened) -> None:
    former, into = await known(opened, "47"), await known(opened, "11")
    body = merge("11^^^HOSP^MR", "47^^^HOSP^MR")
    # The same once more is acknowledged and changes nothing.
    assert await opened.send(body, body) == [("AA", None)] * 2
    assert [await whose(opened, id) for id in (former, into)] == [("11", "HOSP")] * 2
    late = await known(opened, "47")
    assert await whose(opened, late) == ("11", "HOSP")
    merged = [event for event in opened.events if isinstance(event, PatientsMerged)]
    assert len(merged) == 1
    assert merged[0].actor.name == "engine"
    async with opened.database.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(PatientRow)) == 1
        assert await connection.scalar(select(func.count()).select_from(FeedMessageRow)) == 1
    assert [opened.counted(MESSAGES, result=one) for one in ("taken", "again")] == [1, 1]


async def test_merges_follow_each_other_in_order(opened: Opened) -> None:
    id = await known(opened, "1")
    chain = [merge("2^^^HOSP", "1^^^HOSP"), merge("3^^^HOSP", "2^^^HOSP")]
    assert await opened.send(*chain) == [("AA", None)] * 2
    assert await whose(opened, id) == ("3", "HOSP")
    assert await whose(opened, await known(opened, "1")) == ("3", "HOSP")
    # Back again: nobody is merged into himself.
    await opened.send(merge("1^^^HOSP", "3^^^HOSP"))
    assert await whose(opened, id) == ("1", "HOSP")
    assert await whose(opened, await known(opened, "2")) == ("1", "HOSP")
    async with opened.database.connect() as connection:
        rows = (await connection.execute(select(*MergeRow.__table__.columns))).all()
    assert all((row.identifier, row.into_identifier) != ("1", "1") for row in rows)


async def test_numbers_are_their_authoritys_and_typed_ones_the_chosen_authoritys(
    opened: Opened,
) -> None:
    other, typed = await known(opened, "47", "ELSEWHERE"), await known(opened, "47", None)
    await opened.send(merge("11^^^HOSP", "47^^^HOSP"))
    assert await whose(opened, other) == ("47", "ELSEWHERE")
    assert await whose(opened, typed) == ("47", None)
    await opened.send(merge("11^^^TYPED", "47^^^TYPED"))
    assert await whose(opened, typed) == ("11", None)


async def test_what_was_received_of_a_merged_patient_is_of_the_other(opened: Opened) -> None:
    first = image()
    ledger, study = opened.ledger, first.StudyInstanceUID
    await ledger.receive(arrival(first, patient="47\\HOSP"))
    await opened.send(merge("11^^^HOSP", "47^^^HOSP"))
    ends = {"47\\HOSP": "accepted", "11\\HOSP": "accepted", "9\\": "quarantined"}
    for patient, end in ends.items():
        one = arrival(image(StudyInstanceUID=study), patient=patient)
        assert (await ledger.receive(one))[0] == end
    await due(opened.database)
    case = await ledger.next_case()
    assert case is not None
    assert {one.patient for one in await ledger.held(case)} == {"11\\HOSP"}


async def test_a_patient_on_hold_is_not_merged_away(opened: Opened) -> None:
    id = await known(opened, "47")
    exam = await verbs(opened.database).exams.get(ANYONE, id)
    assert exam is not None
    assert exam.patient_key is not None
    hold = Hold(
        id=made(0).id, object_kind="patient", object_id=exam.patient_key, reason="court",
        placed_at=now(), placed_by=None,
    )  # fmt: skip
    async with opened.database.begin() as connection:
        await holds.add(connection, "default", hold)
    assert await opened.send(merge("11^^^HOSP", "47^^^HOSP")) == [("AE", "207")]
    assert await whose(opened, id) == ("47", "HOSP")


async def test_an_update_enters_what_nobody_has(opened: Opened) -> None:
    empty = await known(opened, "47", acquired_on="2026-03-03")
    typed = await known(opened, "47", sex="male", age_years=70)
    assert await opened.send(update("47^^^HOSP^MR")) == [("AA", None)]
    first, second = [await verbs(opened.database).exams.get(ANYONE, one) for one in (empty, typed)]
    assert first is not None
    assert second is not None
    assert (first.sex, first.age_years) == ("female", 66)
    assert (second.sex, second.age_years) == ("male", 70)
    told = [event.exams for event in opened.events if isinstance(event, PatientUpdated)]
    assert told == [1]


async def test_an_order_is_known_by_its_accession_number(opened: Opened) -> None:
    ordered = message("ORM^O01", "ORC|NW|P-1|F-2", "OBR|1|P-1|F-2|DXA||||||||||||||A-2")
    assert await opened.send(order("A-1", study="1.2.3"), ordered) == [("AA", None)] * 2
    found = await opened.feeds.order("default", "A-1", "1.2.3")
    assert found is not None
    assert (found.placer, found.filler) == (("P-17", "RIS"), ("F-18", "RIS"))
    assert await opened.feeds.order("default", "A-1", "9.9") is None
    assert await opened.feeds.order("elsewhere", "A-1", "1.2.3") is None
    assert await opened.feeds.order("default", "A-2", "9.9") is not None
    await opened.send(order("A-1", "CA", study="1.2.3"))
    assert await opened.feeds.order("default", "A-1", "1.2.3") is None
    told = [event.cancelled for event in opened.events if isinstance(event, OrderReceived)]
    assert told == [False, False, True]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (message("ADT^A01", "PID|1||4711"), ("AR", "200")),
        (merge("1^^^H", "2^^^H", processing="T"), ("AR", "202")),
        (merge("1^^^H", "2^^^H", version="3.0"), ("AR", "203")),
        (merge("1^^^H", "2^^^ELSEWHERE"), ("AE", "204")),
        (merge("1^^^H~2^^^H", "3^^^H"), ("AE", "204")),
        (merge("", "2^^^H"), ("AE", "101")),
        (merge("1" * 65, "2"), ("AE", "102")),
        (message("ADT^A40", "PID|1||1"), ("AE", "100")),
        (message("ADT^A40", "MRG|1"), ("AE", "100")),
        (message("ADT^A08", "PV1|1"), ("AE", "100")),
        (message("OMI^O23", "ORC|NW"), ("AE", "100")),
        (message("OMI^O23", "ORC|NW", "OBR|1"), ("AE", "101")),
        (message("ADT^A08", "PID|1||1", charset="KLINGON"), ("AE", "102")),
        (message("ADT^A08", "PID|1||1||Müller", charset="ASCII"), ("AE", "102")),
        (b"PID|1||4711\r", ("AE", "100")),
        (b"MSH|^^^^|x\r", ("AE", "100")),
    ],
)
async def test_what_cannot_be_taken_is_refused_by_code(
    opened: Opened, body: bytes, answer: tuple[str, str]
) -> None:
    assert await opened.send(body) == [answer]
    assert opened.counted(MESSAGES, result="refused") == 1
    async with opened.database.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(FeedMessageRow)) == 0


@pytest.mark.parametrize("charset", ["8859/1", "UNICODE UTF-8"])
async def test_41_bytes_are_decoded_as_declared(opened: Opened, charset: str) -> None:
    """johnpaulett/python-hl7#54, crs4/hl7apy#31."""
    id = await known(opened, "Ä1")
    body = merge("Ö2^^^HOSP", "Ä1^^^HOSP", charset=charset).decode()
    encoding = "latin-1" if charset == "8859/1" else "utf-8"
    assert await opened.send(body.encode(encoding)) == [("AA", None)]
    assert await whose(opened, id) == ("Ö2", "HOSP")


async def test_acknowledgements_are_well_made_and_enhanced_where_asked_for(opened: Opened) -> None:
    async with line(opened.listener.port) as sent:
        for body in (merge("1", "2", control="X-9"), message("ADT^A01", control="X-9")):
            found = await sent.raw(frame.framed(body))
            assert found is not None
            parsed = parse_message(found.decode(), validation_level=VALIDATION_LEVEL.TOLERANT)
            assert parsed.msa.msa_2.to_er7() == "X-9"
            assert parsed.msh.msh_5.to_er7() == "ENGINE"
        commit = await sent.send(merge("1", "3", accept="AL"))
    assert commit.code == "CA"


async def test_a_database_that_is_away_is_said_so_and_the_message_may_come_again(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = merge("1", "2")

    async def away(*_: object) -> bool:
        raise StorageUnavailableError

    with monkeypatch.context() as broken:
        broken.setattr(opened.feeds, "take", away)
        assert await opened.send(body) == [("AR", "207")]
    assert await opened.send(body) == [("AA", None)]
    assert opened.counted(MESSAGES, result="not_kept") == 1


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n\r\n", frame.START + b"x" * 4096 + frame.END, frame.START + b"never ends"],
    ids=["http", "large", "endless"],
)
async def test_what_is_no_message_is_cut_off(
    database: Database, tmp_path: Path, data: bytes
) -> None:
    async for one in listening(database, tmp_path, gateway_hl7_bytes=2048):
        async with line(one.listener.port) as sent:
            assert await sent.raw(data) is None
        assert await one.send(merge("1", "2")) == [("AA", None)]


async def test_strangers_and_crowds_are_not_listened_to(database: Database, tmp_path: Path) -> None:
    async for one in listening(database, tmp_path, address="10.9.8.7"):
        async with line(one.listener.port) as sent:
            assert await sent.raw(frame.framed(merge("1", "2"))) is None
        assert one.counted(REJECTED, reason="address") == 1
    named = 'certificate = "engine"'
    async for one in listening(database, tmp_path / "b", more=named):
        async with line(one.listener.port) as sent:
            assert await sent.raw(frame.framed(merge("1", "2"))) is None
        assert one.counted(REJECTED, reason="peer") == 1
    async for one in listening(database, tmp_path / "c", gateway_hl7_connections=1):
        async with line(one.listener.port) as first:
            assert (await first.send(merge("1", "2"))).code == "AA"
            async with line(one.listener.port) as second:
                assert await second.raw(frame.framed(merge("1", "3"))) is None


async def test_by_tls_a_feed_is_whom_its_certificate_names(
    database: Database, tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    ours, our_key = certificate(tmp_path, "gateway")
    theirs, their_key = certificate(tmp_path, "engine")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(theirs.read_bytes())
    tls: dict[str, Any] = {
        "gateway_certificate": ours, "gateway_key": our_key, "gateway_authorities": trusted,
    }  # fmt: skip

    def client(*shown: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(ours))
        context.check_hostname = False
        if shown:
            context.load_cert_chain(*shown)
        return context

    async for one in listening(database, tmp_path, more='certificate = "engine"', **tls):
        async with line(one.listener.port, client(theirs, their_key)) as sent:
            assert (await sent.send(merge("1", "2"))).code == "AA"
        async with line(one.listener.port, client()) as sent:
            # Without a certificate the line ends before anything is read.
            assert await sent.raw(frame.framed(merge("1", "3"))) is None
        assert one.counted(MESSAGES, result="taken") == 1
    async for one in listening(database, tmp_path / "b", more='certificate = "other"', **tls):
        async with line(one.listener.port, client(theirs, their_key)) as sent:
            assert await sent.raw(frame.framed(merge("1", "3"))) is None
        assert one.counted(REJECTED, reason="peer") == 1


async def test_orders_and_messages_are_removed_in_time(opened: Opened) -> None:
    await opened.send(order("A-1"))
    assert await opened.feeds.purge() == 0
    opened.feeds._days *= 0
    assert await opened.feeds.purge() == 2


async def test_a_whole_gateway_hears_its_feed_and_answers_an_order(tmp_path: Path) -> None:
    async with running() as runners, engine(answering("AA")) as hospital:
        entry = FEED.format(address="127.0.0.1", more="")
        file = peers(tmp_path, engine_at(hospital.port), entry)
        async with gateway(tmp_path / "var", runners, file, gateway_hl7_port=0) as one:
            data = image(PatientID="47", IssuerOfPatientID="HOSP", AccessionNumber="A-1")
            async with line(one.resources.get(FeedListener).port) as sent:
                assert (await sent.send(order("A-1"))).code == "AA"
                assert (await sent.send(merge("11^^^HOSP", "47^^^HOSP"))).code == "AA"
            await push(one, data)

            async def delivered() -> bool:
                return bool(hospital.taken)

            await one.until(delivered)
            (said,) = [taken.decode().split("\r") for taken in hospital.taken]
            (pid,) = [row.split("|") for row in said if row.startswith("PID")]
            (obr,) = [row.split("|") for row in said if row.startswith("OBR")]
            assert pid[3].split("^")[0] == "11"
            assert obr[2:4] == ["P-17^RIS", "F-18^RIS"]
