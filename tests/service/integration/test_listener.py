"""What the listener takes, refuses and survives; the numbers are those of docs/hospital.md."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    generate_uid,
)
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode
from sqlalchemy import select

from service.events import Listeners
from service.integration.dicom import pace
from service.integration.dicom.committer import Committer
from service.integration.dicom.listener import Listener
from service.integration.dicom.tls import server_context
from service.integration.ledger.commitments import Commitments
from service.integration.ledger.schemas import Balance
from service.integration.ledger.service import Ledger
from service.integration.metrics import OBJECTS, REJECTED, GatewayMetrics
from service.integration.peers import Peers
from service.integration.settings import GatewaySettings
from service.observability.metrics import new_registry
from service.settings import Settings
from service.storage.database import Database
from service.storage.tables.ledger import ArrivalRow
from service.storage.transaction import Transactions
from tests.service.integration import counterparts
from tests.service.integration.gateways import peers_file
from tests.service.integration.kit import file as kit_file
from tests.service.integration.kit import image

pytestmark = pytest.mark.anyio

SC = "1.2.840.10008.5.1.4.1.1.7"
ECHO = "1.2.840.10008.1.1"


class Opened:
    def __init__(self, listener: Listener, ledger: Ledger, database: Database) -> None:
        self.listener, self.ledger, self.database = listener, ledger, database
        self.metrics = listener._metrics
        self.registry: Any = None

    def sample(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def associate(
        self, calling: str = "DXA1", called: str = "OSTEOSERVE", **more: Any
    ) -> Association:
        ae = AE(calling)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
        ae.add_requested_context(ECHO)
        ae.add_requested_context(SC, more.pop("syntaxes", [ExplicitVRLittleEndian]))
        host = more.pop("host", "127.0.0.1")
        return ae.associate(host, self.listener.port, ae_title=called, **more)

    async def send(self, *objects: Dataset, **association: Any) -> list[int | None]:
        """Send ``objects`` on one association; return their statuses."""

        def sent() -> list[int | None]:
            opened = self.associate(**association)
            assert opened.is_established
            try:
                return [opened.send_c_store(one).get("Status") for one in objects]
            finally:
                opened.release()

        return await asyncio.to_thread(sent)

    async def echoes(self) -> bool:
        def asked() -> bool:
            opened = self.associate()
            if not opened.is_established:
                return False
            status = opened.send_c_echo().get("Status")
            opened.release()
            return status == 0

        return await asyncio.to_thread(asked)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    async for one in listening(tmp_path):
        yield one


async def listening(folder: Path, more: str = "", **changes: Any) -> AsyncIterator[Opened]:
    defaults = {"gateway_dicom_port": 0, "gateway_idle_seconds": 3.0, "gateway_associations": 8}
    settings = GatewaySettings(**{**defaults, **changes})
    database = Database(Settings(var=folder, storage_seconds=2))
    database.endure()
    await database.migrate()
    transactions, registry = Transactions(database, Listeners()), new_registry()
    ledger = Ledger(settings, transactions)
    peers = Peers.read(peers_file(folder, 104, more=more))
    metrics = GatewayMetrics(registry)
    committer = Committer(Commitments(settings, transactions), metrics)
    listener = Listener(settings, peers, ledger, committer, metrics, 5)
    listener.start(server_context(settings))
    one = Opened(listener, ledger, database)
    one.registry = registry
    try:
        yield one
    finally:
        await listener.stop()
        await database.close()


def raw(opened: Opened) -> socket.socket:
    return socket.create_connection(("127.0.0.1", opened.listener.port), timeout=20)


def request(
    calling: bytes = b"DXA1", called: bytes = b"OSTEOSERVE", *contexts: tuple[str, list[str]]
) -> bytes:
    """Return an A-ASSOCIATE-RQ with AE titles as they are given, padded to 16."""

    def item(kind: int, body: bytes) -> bytes:
        return struct.pack(">BBH", kind, 0, len(body)) + body

    offered = contexts or ((SC, [ExplicitVRLittleEndian]),)
    parts = item(0x10, b"1.2.840.10008.3.1.1.1")
    for number, (abstract, syntaxes) in enumerate(offered):
        inner = item(0x30, abstract.encode())
        inner += b"".join(item(0x40, one.encode()) for one in syntaxes)
        parts += item(0x20, bytes([2 * number + 1, 0, 0, 0]) + inner)
    parts += item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4"))
    body = struct.pack(">HH", 1, 0) + called + calling + bytes(32) + parts
    return struct.pack(">BBI", 1, 0, len(body)) + body


def answer(one: socket.socket) -> bytes:
    """Return the next PDU; nothing where the connection was closed."""
    try:
        head = one.recv(6, socket.MSG_WAITALL)
        return head + one.recv(int.from_bytes(head[2:6], "big"), socket.MSG_WAITALL)
    except ConnectionError:
        return b""


async def test_what_is_stored_is_kept_as_it_was_sent(opened: Opened) -> None:
    one = image(PatientName="Doe^Jane")
    assert await opened.send(one) == [0x0000]
    async with opened.database.connect() as connection:
        row = (await connection.execute(select(ArrivalRow))).one()
    assert row.data[128:132] == b"DICM"
    assert row.data.endswith(bytes(one.PixelData)[-1000:])
    assert (row.sop_uid, row.peer, row.site) == (one.SOPInstanceUID, "dxa-1", "default")
    assert opened.sample(OBJECTS, result="accepted") == 1
    assert await opened.echoes()


async def test_case_7_the_pixels_are_never_decoded(opened: Opened) -> None:
    # A JPEG that is none: whoever decoded it would fail.
    one = image()
    one.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    one.PixelData = encapsulate([b"\xff\xd8no jpeg at all\xff\xd9"])
    assert await opened.send(one, syntaxes=[JPEGLosslessSV1]) == [0x0000]


async def test_case_2_an_abort_within_an_object_keeps_what_was_acknowledged_and_no_half(
    opened: Opened,
) -> None:
    whole, half = image(), image()

    def cut() -> int:
        association = opened.associate()
        status = association.send_c_store(whole).Status
        body = kit_file(half)
        command = b"".join(
            struct.pack("<HHI", 0, element, len(value)) + value
            for element, value in (
                (0x0002, (SC + "\0").encode()),
                (0x0100, struct.pack("<H", 1)),
                (0x0110, struct.pack("<H", 2)),
                (0x0700, struct.pack("<H", 0)),
                (0x0800, struct.pack("<H", 1)),
                (0x1000, half.SOPInstanceUID.encode() + b"\0" * (len(half.SOPInstanceUID) % 2)),
            )
        )
        command = struct.pack("<HHII", 0, 0, 4, len(command)) + command
        number = association.accepted_contexts[1].context_id
        for flags, part in ((3, command), (0, body[400:9000])):
            value = bytes([number, flags]) + part
            value = struct.pack(">I", len(value)) + value
            association.dul.socket.send(struct.pack(">BBI", 4, 0, len(value)) + value)
        time.sleep(0.2)
        association.abort()
        return int(status)

    assert await asyncio.to_thread(cut) == 0
    assert await opened.echoes()
    async with opened.database.connect() as connection:
        kept = list(await connection.scalars(select(ArrivalRow.sop_uid)))
    assert kept == [whole.SOPInstanceUID]
    await settled(opened)


def store(opened: Opened, sop_uid: str, body: bytes) -> int | None:
    """Return the status of ``body``, sent as the data set of a C-STORE; None where it was cut."""
    association = opened.associate()
    # Else the answer may be taken by the association's own thread.
    association._reactor_checkpoint.clear()
    while not association._is_paused:
        time.sleep(0.01)
    asked = C_STORE()
    asked.MessageID, asked.Priority = 1, 0
    asked.AffectedSOPClassUID, asked.AffectedSOPInstanceUID = SC, sop_uid
    asked.DataSet = BytesIO(body)
    association.dimse.send_msg(asked, association.accepted_contexts[1].context_id)
    _, found = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    association.release()
    return None if found is None else int(found.Status)


async def settled(opened: Opened) -> None:
    """Wait until nobody is connected."""
    async with asyncio.timeout(20):
        while opened.listener._open():  # noqa: ASYNC110 - threads have no event
            await asyncio.sleep(0.05)


async def test_case_3_and_5_without_a_database_every_object_gets_a700_and_none_is_lost(
    opened: Opened,
) -> None:
    one, two = image(), image()
    assert await opened.send(one) == [0x0000]
    async with opened.database.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE ledger_arrival RENAME TO away")
    assert await opened.send(two, two, image()) == [0xA700] * 3
    assert opened.sample(OBJECTS, result="not_stored") == 3
    async with opened.database.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO ledger_arrival")
    assert await opened.send(two) == [0x0000]
    assert await opened.ledger.balance() == Balance(accepted=2, in_progress=2)


@pytest.mark.parametrize(
    "change",
    [
        {"StudyInstanceUID": None},
        {"SeriesInstanceUID": None},
        {"StudyInstanceUID": ""},
    ],
)
async def test_case_4_a_data_set_that_cannot_be_understood_is_c000(
    opened: Opened, change: dict[str, Any]
) -> None:
    assert await opened.send(image(**change)) == [0xC000]
    assert await opened.send(image()) == [0x0000]
    assert opened.sample(OBJECTS, result="unreadable") == 1


async def test_case_4_a_patient_id_that_no_table_takes_is_c000(opened: Opened) -> None:
    one = image()
    one["PatientID"]._value = "P" * 65
    assert await opened.send(one) == [0xC000]


@pytest.mark.parametrize("body", [b"", b"\0" * 100, b"junk" * 50, b"\x08\x00\x16\x00UI\xff\xff1"])
async def test_case_4_bytes_that_are_no_data_set_are_c000(opened: Opened, body: bytes) -> None:
    status = await asyncio.to_thread(store, opened, generate_uid(), body)
    assert status in (0xC000, None)
    assert await opened.echoes()
    assert (await opened.ledger.balance()).accepted == 0


async def test_an_object_that_is_not_what_its_request_says_is_a900(opened: Opened) -> None:
    body = encode(image(), False, True)
    assert body is not None
    assert await asyncio.to_thread(store, opened, generate_uid(), body) == 0xA900
    assert (await opened.ledger.balance()).accepted == 0


async def test_case_6_peers_that_associate_and_go_silent_are_cut_off(opened: Opened) -> None:
    silent = []
    for _ in range(24):
        one = raw(opened)
        one.sendall(request(b"DXA1".ljust(16), b"OSTEOSERVE".ljust(16)))
        silent.append(one)
    kinds = [(await asyncio.to_thread(answer, one))[:1] for one in silent]
    # 2: accepted, 3: rejected.
    assert kinds.count(b"\x02") <= 8
    assert kinds.count(b"\x02") + kinds.count(b"\x03") == 24
    assert opened.sample(REJECTED, reason="crowd") == kinds.count(b"\x03") > 0
    await settled(opened)
    assert await opened.echoes()
    for one in silent:
        one.close()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"\x01",
        b"\x01\x00\x00\x00\x00\xff",
        b"\x01\x00\xff\xff\xff\xff" + b"x" * 100,
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["nothing", "one_byte", "within_a_pdu", "endless_pdu", "http"],
)
async def test_case_17_a_connection_that_says_nothing_sensible_leaves_nothing_behind(
    opened: Opened, beginning: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    held = [raw(opened) for _ in range(4)]
    for one in held:
        one.sendall(beginning)
    for _ in range(20):
        raw(opened).close()
    await settled(opened)
    assert await opened.echoes()
    for one in held:
        one.close()
    ours = [one for one in caplog.records if one.name == "osteoserve"]
    assert [one for one in ours if one.levelno >= logging.ERROR] == []


async def test_a_peer_that_stops_within_an_object_is_cut_off(opened: Opened) -> None:
    one = raw(opened)
    one.sendall(request(b"DXA1".ljust(16), b"OSTEOSERVE".ljust(16)))
    assert (await asyncio.to_thread(answer, one))[:1] == b"\x02"
    one.sendall(b"\x04\x00\x00\x00\x40\x00" + b"x" * 10)
    await settled(opened)
    one.close()


async def test_case_8_an_object_beyond_the_limit_is_refused_and_the_association_goes_on(
    tmp_path: Path,
) -> None:
    async for opened in listening(tmp_path, gateway_object_bytes=2**20):
        large = image(Rows=2048, Columns=1024, PixelData=bytes(2**21))
        assert await opened.send(large, image(), large, image()) == [
            0xC001, 0x0000, 0xC001, 0x0000,
        ]  # fmt: skip
        assert opened.sample(OBJECTS, result="too_large") == 2
        assert (await opened.ledger.balance()).accepted == 2


async def test_case_9_private_transfer_syntaxes_do_no_harm(opened: Opened) -> None:
    private = "1.2.840.113619.5.2"
    assert await opened.send(image(), syntaxes=[private, ExplicitVRLittleEndian]) == [0x0000]
    one = raw(opened)
    one.sendall(
        request(
            b"DXA1".ljust(16),
            b"OSTEOSERVE".ljust(16),
            (SC, [private]),
            (SC, [private, ImplicitVRLittleEndian]),
        )
    )
    said = await asyncio.to_thread(answer, one)
    assert said[:1] == b"\x02"
    assert ImplicitVRLittleEndian.encode() in said
    one.close()


@pytest.mark.parametrize(
    "calling",
    [b"DXA1".ljust(16), b"DXA1".ljust(16, b"\0"), b"DXA1 \0".ljust(16), b"  DXA1".ljust(16)],
)
async def test_case_10_padding_never_makes_two_peers_different(
    opened: Opened, calling: bytes
) -> None:
    one = raw(opened)
    one.sendall(request(calling, b"OSTEOSERVE".ljust(16, b"\0")))
    assert (await asyncio.to_thread(answer, one))[:1] == b"\x02"
    one.close()


@pytest.mark.parametrize(
    ("calling", "called"),
    [
        (b" " * 16, b"OSTEOSERVE".ljust(16)),
        (b"\0" * 16, b"OSTEOSERVE".ljust(16)),
        (b"DXA1".ljust(16), b" " * 16),
        (b"STRANGER".ljust(16), b"OSTEOSERVE".ljust(16)),
        (b"DXA1".ljust(16), b"ANOTHER".ljust(16)),
        (b"DXA1SEVENTEENCHR", b"OSTEOSERVE".ljust(16)),
        (b"\xff\xfe\x01DXA1".ljust(16), b"OSTEOSERVE".ljust(16)),
        (b"DXA1\\B".ljust(16), b"OSTEOSERVE".ljust(16)),
    ],
)
async def test_case_10_who_is_not_known_is_rejected_counted_and_not_named(
    opened: Opened, calling: bytes, called: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    one = raw(opened)
    one.sendall(request(calling, called))
    said = await asyncio.to_thread(answer, one)
    # Rejected, or, where a title is none, aborted.
    assert said[:1] in (b"\x03", b"\x07", b"")
    if said[:1] == b"\x03":
        assert said[7:9] == b"\x01\x01"
        assert said[9] in (3, 7)
        assert opened.sample(REJECTED, reason="peer") == 1
    assert "STRANGER" not in caplog.text
    one.close()
    assert await opened.echoes()


async def test_an_address_that_is_nobody_s_is_closed_at_once(tmp_path: Path) -> None:
    async for opened in listening(tmp_path):
        opened.listener._peers = Peers.model_validate(
            {
                "peer": [
                    {**opened.listener._peers.peer[0].model_dump(), "addresses": ["10.0.0.0/8"]}
                ],
                "destination": [one.model_dump() for one in opened.listener._peers.destination],
            }
        )
        one = raw(opened)
        assert await asyncio.to_thread(answer, one) == b""
        one.close()
        assert opened.sample(REJECTED, reason="address") == 1


@pytest.mark.parametrize(
    "bad",
    [
        "../../x",
        "/etc/x",
        "1.2.3/../4",
        "1.2.3\\4",
        "1..2",
        "1.2.03",
        "x" * 64,
        "1." * 32 + "12",
    ],
)
async def test_case_15_a_uid_that_is_a_path_is_refused(
    opened: Opened, bad: str, tmp_path: Path
) -> None:
    before = there(tmp_path)
    study = image()
    study["StudyInstanceUID"]._value = bad
    assert await opened.send(study) == [0xC000]
    assert there(tmp_path) == before
    assert (await opened.ledger.balance()).accepted == 0


def there(folder: Path) -> set[Path]:
    return {one for one in folder.rglob("*") if "osteoserve" not in one.name}


async def test_case_16_thousands_of_duplicates_change_nothing(opened: Opened) -> None:
    one = image()
    assert set(await opened.send(*[one] * 150)) == {0x0000}
    assert opened.sample(OBJECTS, result="duplicate") == 149
    assert (await opened.ledger.balance()).accepted == 1
    assert await opened.echoes()


async def test_case_14_and_18_through_the_port(opened: Opened) -> None:
    one = image(PatientID="A")
    other = image(PatientID="A", SOPInstanceUID=one.SOPInstanceUID, ImageComments="changed")
    stranger = image(PatientID="B", StudyInstanceUID=one.StudyInstanceUID)
    issued = image(PatientID="A", IssuerOfPatientID="X", StudyInstanceUID=one.StudyInstanceUID)
    assert await opened.send(one, one, other, stranger, issued) == [0x0000] * 5
    assert await opened.ledger.balance() == Balance(accepted=4, in_progress=1, quarantined=3)


async def test_eight_senders_at_once_are_all_kept(opened: Opened) -> None:
    many = [[image() for _ in range(4)] for _ in range(8)]
    ends = await asyncio.gather(*(opened.send(*each) for each in many))
    assert ends == [[0x0000] * 4] * 8
    assert (await opened.ledger.balance()).in_progress == 32


async def test_nothing_of_a_patient_is_logged(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "osteoserve")
    named = {"PatientName": "Secret^Name", "PatientID": "SECRET-4711"}
    await opened.send(image(**named), image(**named, StudyInstanceUID=""))
    ours = [one.getMessage() + str(vars(one)) for one in caplog.records if one.name == "osteoserve"]
    assert not [line for line in ours if "SECRET" in line.upper()]


def authority(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate that is its own authority; return it and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


async def test_by_tls_a_peer_is_who_its_certificate_says(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    ours, key = authority(tmp_path, "gateway")
    known, stranger = authority(tmp_path, "dxa.example"), authority(tmp_path, "stranger")
    other = authority(tmp_path, "other.example")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(known[0].read_bytes() + other[0].read_bytes())
    tls = {
        "gateway_certificate": ours, "gateway_key": key, "gateway_authorities": trusted,
    }  # fmt: skip
    file = tmp_path / "one.dcm"
    file.write_bytes(kit_file(image()))
    async for opened in listening(tmp_path, **tls):
        peers = opened.listener._peers
        proven = peers.peer[0].model_copy(update={"certificate": "dxa.example"})
        opened.listener._peers = peers.model_copy(update={"peer": (proven,)})

        def push(certificate: Path, key: Path, port: int) -> int:
            told = ["+tls", str(key), str(certificate), "-rc", "-aet", "DXA1", "-aec", "OSTEOSERVE"]
            told = [*told, "+cf", str(ours), "127.0.0.1", str(port), str(file)]
            return counterparts.run("storescu", *told).returncode

        port = opened.listener.port
        silent = raw(opened)
        assert await asyncio.to_thread(push, *known, port) == 0, "who is silent holds nobody up"
        silent.close()
        assert await asyncio.to_thread(push, *other, port) != 0
        assert opened.sample(REJECTED, reason="peer") == 1
        assert await asyncio.to_thread(push, *stranger, port) != 0
        plain = await asyncio.to_thread(opened.associate)
        assert not plain.is_established
        assert opened.sample(REJECTED, reason="tls") >= 2
        assert (await opened.ledger.balance()).accepted == 1


async def test_an_association_on_which_nothing_comes_is_looked_at_less_often(
    opened: Opened,
) -> None:
    def sent() -> tuple[float, float, int]:
        association = opened.associate()
        try:
            time.sleep(2 * pace.BUSY)
            (ours,) = opened.listener._senders
            resting = ours.dul._run_loop_delay
            status = int(association.send_c_echo().Status)
            return resting, ours.dul._run_loop_delay, status
        finally:
            association.release()

    assert await asyncio.to_thread(sent) == (pace.IDLE, pace.PROMPT, 0)
