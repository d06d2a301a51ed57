"""Storage commitment: what peers ask the gateway for, on their own association or on another."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import N_ACTION
from sqlalchemy import select

from service.integration.dicom import commitment
from service.integration.dicom.commitment import INSTANCE, SOP_CLASS
from service.storage.tables.ledger import CommitmentRow
from tests.service.integration.kit import image
from tests.service.integration.test_listener import SC, Opened, listening

pytestmark = pytest.mark.anyio

CT = "1.2.840.10008.5.1.4.1.1.2"


class Scanner:
    """Asks on an association, and hears on it."""

    def __init__(self, opened: Opened, status: int = 0x0000) -> None:
        self.reports: list[tuple[int, Dataset]] = []
        self.heard = threading.Event()
        ae = AE("DXA1")
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
        ae.add_requested_context(SOP_CLASS)
        ae.add_requested_context(SC, [ExplicitVRLittleEndian])
        self._status = status
        handlers = [(evt.EVT_N_EVENT_REPORT, self._event)]
        self.association: Association = ae.associate(
            "127.0.0.1", opened.listener.port, ae_title="OSTEOSERVE", evt_handlers=handlers
        )
        assert self.association.is_established

    def _event(self, event: evt.Event) -> tuple[int, None]:
        self.reports.append((event.event_type or 0, event.event_information))
        self.heard.set()
        return self._status, None

    def ask(
        self, asked: Dataset | None, instance: str = INSTANCE, action: int = commitment.ACTION
    ) -> int | None:
        status, _ = self.association.send_n_action(asked, action, SOP_CLASS, instance)
        return status.get("Status")

    def close(self) -> None:
        self.association.release()


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    async for one in listening(tmp_path):
        yield one


def uids(items: Any) -> set[str]:
    return {one.ReferencedSOPInstanceUID for one in items or ()}


async def states(opened: Opened) -> list[tuple[str, str | None]]:
    async with opened.database.connect() as connection:
        rows = await connection.execute(select(CommitmentRow.state, CommitmentRow.reason))
        return [(row.state, row.reason) for row in rows]


async def until(opened: Opened, wanted: list[tuple[str, str | None]]) -> None:
    end = time.monotonic() + 20
    while await states(opened) != wanted and time.monotonic() < end:  # noqa: ASYNC110 - no event
        await asyncio.sleep(0.05)
    assert await states(opened) == wanted


async def test_what_is_held_is_committed_to_on_the_same_association(opened: Opened) -> None:
    one, two = image(), image()
    assert await opened.send(one, two) == [0, 0]
    scanner = await asyncio.to_thread(Scanner, opened)
    asked = commitment.question("1.2.3", [(SC, one.SOPInstanceUID), (SC, two.SOPInstanceUID)])
    assert await asyncio.to_thread(scanner.ask, asked) == 0
    assert await asyncio.to_thread(scanner.heard.wait, 20)
    ((kind, report),) = scanner.reports
    assert kind == commitment.ALL_STORED
    assert report.TransactionUID == "1.2.3"
    assert uids(report.ReferencedSOPSequence) == {one.SOPInstanceUID, two.SOPInstanceUID}
    assert "FailedSOPSequence" not in report
    await until(opened, [("reported", None)])
    # And the association is as good as before.
    status = (await asyncio.to_thread(scanner.association.send_c_store, image())).Status
    assert status == 0
    await asyncio.to_thread(scanner.close)


async def test_what_is_not_held_fails_with_its_reason(opened: Opened) -> None:
    kept, ignored = image(), image(Manufacturer="osteoserve")
    assert await opened.send(kept, ignored) == [0, 0]
    unknown = generate_uid()
    scanner = await asyncio.to_thread(Scanner, opened)
    other = image()
    assert await opened.send(other) == [0]
    asked = commitment.question(
        "1.2.4",
        [
            (SC, kept.SOPInstanceUID),
            (SC, unknown),
            (CT, other.SOPInstanceUID),
            # Acknowledged, and of no use: no byte of it is kept.
            (SC, ignored.SOPInstanceUID),
        ],
    )
    assert await asyncio.to_thread(scanner.ask, asked) == 0
    assert await asyncio.to_thread(scanner.heard.wait, 20)
    ((kind, report),) = scanner.reports
    assert kind == commitment.SOME_FAILED
    assert uids(report.ReferencedSOPSequence) == {kept.SOPInstanceUID}
    assert {
        one.ReferencedSOPInstanceUID: one.FailureReason for one in report.FailedSOPSequence
    } == {
        unknown: 0x0112,
        other.SOPInstanceUID: 0x0119,
        ignored.SOPInstanceUID: 0x0112,
    }
    await asyncio.to_thread(scanner.close)


def empty() -> Dataset:
    asked = Dataset()
    asked.TransactionUID = "1.2.5"
    asked.ReferencedSOPSequence = []
    return asked


def nameless() -> Dataset:
    asked = commitment.question("1.2.5", [(SC, "1.2.6")])
    del asked.TransactionUID
    return asked


def path() -> Dataset:
    asked = commitment.question("1.2.5", [(SC, "1.2.6")])
    asked.ReferencedSOPSequence[0]["ReferencedSOPInstanceUID"]._value = "../../etc"
    return asked


def crowd() -> Dataset:
    return commitment.question("1.2.5", [(SC, f"1.2.{n}") for n in range(10_001)])


@pytest.mark.parametrize(
    ("asked", "instance", "action", "status"),
    [
        (empty, INSTANCE, 1, 0x0115),
        (nameless, INSTANCE, 1, 0x0115),
        (path, INSTANCE, 1, 0x0115),
        (lambda: None, INSTANCE, 1, 0x0115),
        (crowd, INSTANCE, 1, 0x0213),
        (empty, "1.2.3", 1, 0x0112),
        (empty, INSTANCE, 2, 0x0123),
    ],
    ids=["empty", "nameless", "path", "nothing", "crowd", "instance", "action"],
)
async def test_case_26_a_question_that_is_none_is_refused_and_leaves_nothing(
    opened: Opened, asked: Any, instance: str, action: int, status: int
) -> None:
    scanner = await asyncio.to_thread(Scanner, opened)
    assert await asyncio.to_thread(scanner.ask, asked(), instance, action) == status
    assert await states(opened) == []
    assert not scanner.reports
    await asyncio.to_thread(scanner.close)


def raw_action(scanner: Scanner, body: bytes) -> int | None:
    """Return the status of an N-ACTION whose data set is ``body``; None where it was cut off."""
    association = scanner.association
    association._reactor_checkpoint.clear()
    while not association._is_paused:
        time.sleep(0.01)
    asked = N_ACTION()
    asked.MessageID, asked.ActionTypeID = 1, 1
    asked.RequestedSOPClassUID, asked.RequestedSOPInstanceUID = SOP_CLASS, INSTANCE
    asked.ActionInformation = BytesIO(body)
    number = commitment.context_of(association)
    assert number is not None
    association.dimse.send_msg(asked, number)
    _, found = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    status: Any = getattr(found, "Status", None)
    return None if status is None else int(status)


DEEP = (b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"\x08\x00\x99\x11\xff\xff\xff\xff") * 20_000


@pytest.mark.parametrize(
    "body",
    [b"junk" * 50, b"\x08\x00\x95\x11\xff\xff\xff\x7f12", b"\x08\x00\x99\x11" + b"\xff" * 4 + DEEP],
    ids=["junk", "cut", "deep"],
)
async def test_bytes_that_are_no_question_do_no_harm(opened: Opened, body: bytes) -> None:
    scanner = await asyncio.to_thread(Scanner, opened)
    assert await asyncio.to_thread(raw_action, scanner, body) in (0x0115, None)
    assert await states(opened) == []
    assert await opened.echoes()
    scanner.association.abort()


async def test_case_26_without_a_database_a_question_is_0110(opened: Opened) -> None:
    scanner = await asyncio.to_thread(Scanner, opened)
    async with opened.database.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE ledger_commitment RENAME TO away")
    asked = commitment.question("1.2.7", [(SC, "1.2.8")])
    assert await asyncio.to_thread(scanner.ask, asked) == 0x0110
    async with opened.database.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO ledger_commitment")
    assert await asyncio.to_thread(scanner.ask, asked) == 0
    await asyncio.to_thread(scanner.close)


async def test_the_same_question_again_is_answered_again(opened: Opened) -> None:
    one = image()
    assert await opened.send(one) == [0]
    asked = commitment.question("1.2.9", [(SC, one.SOPInstanceUID)])
    for _ in range(2):
        scanner = await asyncio.to_thread(Scanner, opened)
        assert await asyncio.to_thread(scanner.ask, asked) == 0
        assert await asyncio.to_thread(scanner.heard.wait, 20)
        await asyncio.to_thread(scanner.close)
    await until(opened, [("reported", None)])


async def test_a_report_that_was_not_asked_for_is_refused(opened: Opened) -> None:
    """And nobody but a destination may report."""
    ae = AE("DXA1")
    ae.add_requested_context(SOP_CLASS)
    association = await asyncio.to_thread(
        ae.associate, "127.0.0.1", opened.listener.port, ae_title="OSTEOSERVE"
    )
    told = commitment.question("1.2.3", [(SC, "1.2.4")])
    status, _ = await asyncio.to_thread(
        association.send_n_event_report, told, 1, SOP_CLASS, INSTANCE
    )
    assert status.Status == 0x0124
    association.release()
