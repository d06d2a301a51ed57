"""What becomes of each result at a destination: one that refuses, cuts off, or is not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt

from service.integration.destinations import DicomDestination, DicomWebDestination
from service.integration.dicom.sender import send
from service.integration.ledger.schemas import Delivery, Result, Sent
from service.integration.workers.senders import sender
from tests import ports
from tests.service.integration.kit import file, image

SC = "1.2.840.10008.5.1.4.1.1.7"
SR = "1.2.840.10008.5.1.4.1.1.88.34"
Answer = Callable[[evt.Event, int], int]


@contextmanager
def destination(
    answer: Answer,
    classes: tuple[str, ...] = (SC, SR),
    syntaxes: tuple[str, ...] = (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    called: str = "PACS",
) -> Iterator[tuple[DicomDestination, list[tuple[str, str]]]]:
    """Run a PACS that gives the n-th object the status that ``answer`` says."""
    taken: list[tuple[str, str]] = []

    def store(event: evt.Event) -> int:
        status = answer(event, len(taken))
        taken.append((str(event.request.AffectedSOPInstanceUID), event.context.transfer_syntax))
        return status

    ae = AE("PACS")
    ae.require_called_aet = True
    for one in classes:
        ae.add_supported_context(one, list(syntaxes))
    if not classes:
        ae.add_supported_context("1.2.840.10008.1.1")
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)], ae_title="PACS"
    )
    port = server.socket.getsockname()[1]
    try:
        yield (
            DicomDestination(
                name="pacs", called=called, calling="OSTEOSERVE", host="127.0.0.1", port=port
            ),
            taken,
        )
    finally:
        ae.shutdown()


def made(count: int = 3) -> list[Result]:
    return [
        Result(
            sop_uid=str(one.SOPInstanceUID),
            sop_class_uid=SC,
            series_uid=str(one.SeriesInstanceUID),
            data=file(one),
        )
        for one in (image() for _ in range(count))
    ]


def test_all_accepted() -> None:
    results = made()
    with destination(lambda *_: 0) as (pacs, taken):
        found = send(pacs, results, {})
        assert found == Sent(objects={one.sop_uid: "0000" for one in results}, reason=None)
        assert len(taken) == 3
        # What was accepted before is not sent again.
        assert send(pacs, results, found.objects) == Sent(objects={}, reason=None)
        assert len(taken) == 3


@pytest.mark.parametrize(
    ("status", "passes"),
    [(0xA700, True), (0xA7FF, True), (0x0110, True), (0xA900, False), (0xC000, False),
     (0x0122, False), (0x0124, False)],
)  # fmt: skip
def test_case_19_state_is_per_object(status: int, passes: bool) -> None:
    results = made()
    with destination(lambda _, number: status if number == 1 else 0) as (pacs, taken):
        first = send(pacs, results, {})
        assert first.objects == {
            results[0].sop_uid: "0000",
            results[1].sop_uid: f"{status:04X}",
            results[2].sop_uid: "0000",
        }
        assert (first.reason, first.passes) == (f"refused {status:04X}", passes)
        second = send(pacs, results, first.objects)
        assert second == Sent(objects={results[1].sop_uid: "0000"}, reason=None)
        assert [uid for uid, _ in taken[3:]] == [results[1].sop_uid]


@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007])
def test_a_warning_says_that_it_was_stored(status: int) -> None:
    with destination(lambda *_: status) as (pacs, _):
        assert send(pacs, made(1), {}).reason is None


def test_case_19_a_peer_that_aborts_half_way_has_what_it_accepted() -> None:
    results = made()

    def answer(event: evt.Event, number: int) -> int:
        if number == 1:
            event.assoc.abort()
        return 0

    with destination(answer) as (pacs, _):
        found = send(pacs, results, {})
    assert found.objects == {results[0].sop_uid: "0000"}
    assert (found.reason, found.passes) == ("cut off", True)


def test_case_20_a_rejected_association_may_be_accepted_later() -> None:
    with destination(lambda *_: 0, called="ANOTHER") as (pacs, taken):
        found = send(pacs, made(), {})
    assert (found, taken) == (Sent(objects={}, reason="rejected"), [])


def test_a_peer_that_is_away_is_unreachable() -> None:
    away = DicomDestination(
        name="pacs", called="PACS", calling="X", host="127.0.0.1", port=ports.free_port()
    )
    assert send(away, made(), {}) == Sent(objects={}, reason="unreachable")


@pytest.mark.parametrize("classes", [(), (SR,)])
def test_case_21_no_accepted_context_fails_at_once_and_for_good(classes: tuple[str, ...]) -> None:
    with destination(lambda *_: 0, classes=classes) as (pacs, _):
        begun = time.monotonic()
        found = send(pacs, made(8), {})
        assert time.monotonic() - begun < 20
    assert (found.reason, found.passes) == ("no_context", False)


def test_case_21_what_has_a_context_is_sent_all_the_same() -> None:
    results = made(2)
    results[0] = Result(**{**vars(results[0]), "sop_class_uid": SR})
    with destination(lambda *_: 0, classes=(SC,)) as (pacs, taken):
        found = send(pacs, results, {})
    assert found.objects == {results[0].sop_uid: "no_context", results[1].sop_uid: "0000"}
    assert (found.reason, found.passes) == ("no_context", False)
    assert len(taken) == 1


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_case_22_a_peer_of_one_transfer_syntax_gets_that(syntax: str) -> None:
    with destination(lambda *_: 0, syntaxes=(syntax,)) as (pacs, taken):
        assert send(pacs, made(1), {}).reason is None
    assert [one for _, one in taken] == [syntax]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["dicom", "dicomweb"])
async def test_what_is_gone_is_not_delivered(kind: str) -> None:
    """A delivery that a person restarts after its study's bytes were removed."""
    port = ports.free_port()
    where: dict[str, DicomDestination | DicomWebDestination] = {
        "dicom": DicomDestination(
            name="pacs", called="PACS", calling="OSTEOSERVE", host="127.0.0.1", port=port
        ),
        "dicomweb": DicomWebDestination(
            name="pacs", kind="dicomweb", base=f"http://127.0.0.1:{port}"
        ),
    }
    delivery = Delivery(
        id=uuid4(), fence=1, attempts=1, case_id=uuid4(), destination="pacs", objects={}
    )
    sent = await sender(where[kind]).send(delivery, [])
    assert sent == Sent(objects={}, reason="purged", passes=False)
