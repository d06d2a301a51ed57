"""UPS-RS by contract: what each request is answered, in each state, and who may ask."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset
from sqlalchemy import select

from service.integration.web.metrics import WORKITEMS as COUNTED
from service.integration.workitems.document import MOST_BYTES, code, element, tag, text
from service.integration.workitems.schemas import PUSH, Item
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.ledger import WorkitemRow
from telemetry import journal
from tests.service.integration.workitems.kit import (
    JSON,
    OTHER,
    WORKITEMS,
    performed,
    reason,
    state,
    uid,
    within,
    workitem,
)
from tests.service.kit.accounts import bearer, key, person
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

CHOSEN = {"ScheduledWorkitemCodeSequence": OTHER}
"""What nobody here performs by itself; there is no gateway either."""


@dataclass
class Worklist:
    """A front, asked as one program."""

    front: Front
    key: str

    async def ask(
        self, method: str, path: str = "", body: Any = None, **more: Any
    ) -> httpx.Response:
        headers = {**bearer(self.key), **JSON, **more.pop("headers", {})}
        content = {} if body is None else {"json": body}
        at = path if path.startswith("/") else f"{WORKITEMS}{path and '/' + path}"
        return await self.front.client.request(method, at, headers=headers, **content, **more)

    async def create(self, item: Item | None = None, query: str = "") -> str:
        answer = await self.ask("POST", f"{WORKITEMS}{query}", [item or workitem(**CHOSEN)])
        assert answer.status_code == 201, answer.text
        return answer.headers["location"].rpartition("/")[2]

    async def get(self, named: str) -> Item:
        answer = await self.ask("GET", named)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/dicom+json"
        (item,) = answer.json()
        # By another reader than ours it is a data set, and says what it is.
        data = Dataset.from_json(item)
        assert (data.SOPClassUID, data.SOPInstanceUID) == (PUSH, named)
        assert "TransactionUID" not in data or not data.TransactionUID
        return dict(item)

    async def change(self, named: str, word: str, transaction: str | None) -> httpx.Response:
        return await self.ask("PUT", f"{named}/state", state(word, transaction))

    async def being(self, word: str) -> tuple[str, str]:
        """Return a new item in a state, and the transaction UID of whoever performs it."""
        named, transaction = await self.create(), uid()
        if word == "SCHEDULED":
            return named, transaction
        steps = {"IN PROGRESS": [], "COMPLETED": ["COMPLETED"], "CANCELED": ["CANCELED"]}[word]
        for step in ["IN PROGRESS", *steps]:
            if step == "COMPLETED":
                at = f"{named}?transaction-uid={transaction}"
                assert (await self.ask("POST", at, performed())).status_code == 200
            answer = await self.change(named, step, transaction)
            assert answer.status_code == 200, answer.text
        return named, transaction


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    var = tmp_path_factory.mktemp("var")
    async with running() as runners, front(var, runners, dicomweb=True, auth="local") as one:
        yield one


@pytest.fixture
async def worklist(opened: Front) -> Worklist:
    return Worklist(opened, await key(opened, "integrator"))


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.headers.get("warning", "")


async def test_an_item_is_created_and_told_as_it_was_said(worklist: Worklist) -> None:
    named = uid()
    said = workitem(**CHOSEN)
    answer = await worklist.ask("POST", f"{WORKITEMS}?{named}", [said])
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{WORKITEMS}/{named}"
    assert answer.headers["cache-control"] == "no-store"
    assert "warning" not in answer.headers
    item = await worklist.get(named)
    assert text(item, "ProcedureStepState") == "SCHEDULED"
    added = {
        tag(one)
        for one in (
            "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID",
            "ScheduledProcedureStepModificationDateTime",
        )
    }  # fmt: skip
    left_out = {tag("TransactionUID")}
    assert item.keys() - said.keys() == added
    assert said.keys() - item.keys() == left_out
    same = said.keys() - left_out
    assert {name: item[name] for name in same} == {name: said[name] for name in same}


@pytest.mark.parametrize("query", ["?workitem={}", "?AffectedSOPInstanceUID={}", "?{}", ""])
async def test_the_uid_is_what_the_address_or_the_item_names(
    worklist: Worklist, query: str
) -> None:
    wanted = uid()
    item = workitem(**CHOSEN)
    if not query:
        item |= element("SOPInstanceUID", wanted)
    assert await worklist.create(item, query.format(wanted)) == wanted


async def test_without_one_the_item_has_a_uid_of_ours(worklist: Worklist) -> None:
    one, other = await worklist.create(), await worklist.create()
    assert one != other
    assert one.startswith("2.25.")


async def test_what_is_not_said_is_filled_in_and_the_answer_warns(worklist: Worklist) -> None:
    item = workitem(**CHOSEN, WorklistLabel=None, PatientSex=None, InputInformationSequence=None)
    answer = await worklist.ask("POST", WORKITEMS, item)
    assert answer.status_code == 201
    assert answer.headers["warning"] == (
        "299 osteoserve: The Workitem was created with modifications."
    )
    found = await worklist.get(answer.headers["location"].rpartition("/")[2])
    assert text(found, "WorklistLabel") == "osteoserve"
    assert tag("PatientSex") in found
    assert tag("InputInformationSequence") in found


@pytest.mark.parametrize(
    "item",
    [
        workitem(ProcedureStepState=None),
        workitem(ProcedureStepState="IN PROGRESS"),
        workitem(TransactionUID="1.2.3"),
        workitem(SOPClassUID="1.2.840.10008.5.1.4.31"),
        workitem(ScheduledProcedureStepPriority=None),
        workitem(ScheduledProcedureStepPriority="SOON"),
        workitem(ProcedureStepLabel=[]),
        workitem(ScheduledProcedureStepStartDateTime=None),
        workitem(InputReadinessState=None),
        workitem(InputReadinessState="MAYBE"),
        {**workitem(), **performed()},
        workitem(ProcedureStepProgressInformationSequence=element("ContactURI", "a:b")),
        {},
    ],
    ids=range(13),
)  # fmt: skip
async def test_what_is_not_enough_for_an_item_is_400(worklist: Worklist, item: Item) -> None:
    answer = await worklist.ask("POST", WORKITEMS, item)
    assert refused(answer)[:2] == (400, "invalid_workitem")
    assert "Müller" not in answer.text


@pytest.mark.parametrize(
    "query", ["?workitem=x", "?1.2.3&1.2.4", "?foo=1.2.3", "?workitem=1.2.3&uid=1", "?../.."]
)
async def test_an_address_that_says_no_uid_is_400(worklist: Worklist, query: str) -> None:
    answer = await worklist.ask("POST", f"{WORKITEMS}{query}", workitem())
    assert refused(answer)[:2] == (400, "invalid_workitem")


async def test_the_address_and_the_item_have_to_agree(worklist: Worklist) -> None:
    item = {**workitem(), **element("SOPInstanceUID", "1.2.3")}
    answer = await worklist.ask("POST", f"{WORKITEMS}?1.2.4", item)
    assert refused(answer)[:2] == (400, "invalid_workitem")


async def test_an_item_is_created_once(worklist: Worklist) -> None:
    named = await worklist.create()
    answer = await worklist.ask("POST", f"{WORKITEMS}?{named}", workitem())
    assert refused(answer)[:2] == (409, "workitem_conflict")
    other = Worklist(worklist.front, await key(worklist.front, "integrator"))
    assert (await other.ask("POST", f"{WORKITEMS}?{named}", workitem())).status_code == 409


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{}", {"Content-Type": "application/dicom+xml"}, 415, "unsupported_media_type"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b"{", {}, 400, "invalid_workitem"),
        (b"[{},{}]", {}, 400, "invalid_workitem"),
        (b" " * (MOST_BYTES + 1), {}, 413, "payload_too_large"),
        (b'{"00100010":{"vr":"PN","Value":["SECRET"]}}', {}, 400, "invalid_workitem"),
    ],
)
async def test_a_body_that_is_no_item_is_refused_and_quoted_nowhere(
    worklist: Worklist, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    named, _ = await worklist.being("SCHEDULED")
    for method, path in (
        ("POST", WORKITEMS),
        ("POST", f"{WORKITEMS}/{named}"),
        ("PUT", f"{WORKITEMS}/{named}/state"),
        ("POST", f"{WORKITEMS}/{named}/cancelrequest"),
    ):
        asked = {**bearer(worklist.key), **JSON, **headers}
        answer = await worklist.front.client.request(method, path, content=content, headers=asked)
        assert refused(answer)[:2] == (status, code), path
        assert "SECRET" not in answer.text
    assert text(await worklist.get(named), "ProcedureStepState") == "SCHEDULED"


MISSING = "299 osteoserve: The Transaction UID is missing."
INCORRECT = "299 osteoserve: The Transaction UID is incorrect."
INCONSISTENT = (
    "299 osteoserve: The submitted request is inconsistent with the state of the UPS Instance."
)
IS_COMPLETED = "299 osteoserve: The UPS is already in the requested state of COMPLETED."
IS_CANCELED = "299 osteoserve: The UPS is already in the requested state of CANCELED."

TRANSITIONS = [
    ("SCHEDULED", "IN PROGRESS", "own", 200, ""),
    ("SCHEDULED", "IN PROGRESS", None, 400, MISSING),
    ("SCHEDULED", "COMPLETED", "own", 409, INCONSISTENT),
    ("SCHEDULED", "COMPLETED", None, 400, MISSING),
    ("SCHEDULED", "CANCELED", "own", 409, INCONSISTENT),
    ("IN PROGRESS", "IN PROGRESS", "own", 409, INCONSISTENT),
    ("IN PROGRESS", "IN PROGRESS", "other", 409, INCONSISTENT),
    # Nobody has said what was done.
    ("IN PROGRESS", "COMPLETED", "own", 409, INCONSISTENT),
    ("IN PROGRESS", "COMPLETED", "other", 400, INCORRECT),
    ("IN PROGRESS", "COMPLETED", None, 400, MISSING),
    ("IN PROGRESS", "CANCELED", "own", 200, ""),
    ("IN PROGRESS", "CANCELED", "other", 400, INCORRECT),
    ("COMPLETED", "IN PROGRESS", "own", 409, INCONSISTENT),
    ("COMPLETED", "COMPLETED", "own", 200, IS_COMPLETED),
    ("COMPLETED", "COMPLETED", "other", 400, INCORRECT),
    ("COMPLETED", "CANCELED", "own", 409, INCONSISTENT),
    ("CANCELED", "IN PROGRESS", "own", 409, INCONSISTENT),
    ("CANCELED", "COMPLETED", "own", 409, INCONSISTENT),
    ("CANCELED", "CANCELED", "own", 200, IS_CANCELED),
    ("CANCELED", "CANCELED", None, 400, MISSING),
]


@pytest.mark.parametrize(("before", "asked", "whose", "status", "warning"), TRANSITIONS)
async def test_each_request_for_another_state(
    worklist: Worklist, before: str, asked: str, whose: str | None, status: int, warning: str
) -> None:
    named, transaction = await worklist.being(before)
    given = {"own": transaction, "other": uid(), None: None}[whose]
    answer = await worklist.change(named, asked, given)
    assert (answer.status_code, answer.headers.get("warning", "")) == (status, warning)
    after = asked if status == 200 else before
    assert text(await worklist.get(named), "ProcedureStepState") == after


@pytest.mark.parametrize("word", ["SCHEDULED", "DONE", "in progress"])
async def test_a_state_that_nobody_can_ask_for_is_400(worklist: Worklist, word: str) -> None:
    named, transaction = await worklist.being("SCHEDULED")
    answer = await worklist.change(named, word, transaction)
    assert refused(answer)[:2] == (400, "invalid_workitem")


async def test_who_completes_an_item_has_said_what_was_done(worklist: Worklist) -> None:
    for missing in (
        "PerformedStationNameCodeSequence", "PerformedProcedureStepStartDateTime",
        "PerformedWorkitemCodeSequence", "PerformedProcedureStepEndDateTime",
        "OutputInformationSequence",
    ):  # fmt: skip
        named, transaction = await worklist.being("IN PROGRESS")
        at = f"{named}?transaction={transaction}"
        said = performed(**{missing: None})
        assert (await worklist.ask("POST", at, said)).status_code == 200
        answer = await worklist.change(named, "COMPLETED", transaction)
        assert refused(answer) == (409, "workitem_conflict", INCONSISTENT)
        assert (await worklist.ask("POST", at, performed())).status_code == 200
        assert (await worklist.change(named, "COMPLETED", transaction)).status_code == 200
    done = within(await worklist.get(named), "UnifiedProcedureStepPerformedProcedureSequence")
    assert text(done, "PerformedProcedureStepEndDateTime") == "20261129030200"


async def test_what_is_canceled_says_when_and_why(worklist: Worklist) -> None:
    named, _ = await worklist.being("CANCELED")
    item = await worklist.get(named)
    assert reason(item) == "110513"
    progress = within(item, "ProcedureStepProgressInformationSequence")
    assert text(progress, "ProcedureStepCancellationDateTime")
    # Whoever has performed it may have said so itself.
    named, transaction = await worklist.being("IN PROGRESS")
    why = code("110526", "DCM", "Resource pre-empted")
    said = element("ProcedureStepDiscontinuationReasonCodeSequence", why)
    changes = element("ProcedureStepProgressInformationSequence", said)
    at = f"{named}?transaction={transaction}"
    assert (await worklist.ask("POST", at, changes)).status_code == 200
    assert (await worklist.change(named, "CANCELED", transaction)).status_code == 200
    assert reason(await worklist.get(named)) == "110526"


@pytest.mark.parametrize(
    "name", ["transaction", "transaction-uid", "Transaction-uid", "TransactionUID", ""]
)
async def test_an_update_takes_the_transaction_uid_by_every_name_that_it_had(
    worklist: Worklist, name: str
) -> None:
    named, transaction = await worklist.being("IN PROGRESS")
    at = f"{named}?{name}={transaction}" if name else f"{named}?{transaction}"
    answer = await worklist.ask("POST", at, performed())
    assert answer.status_code == 200
    within(await worklist.get(named), "UnifiedProcedureStepPerformedProcedureSequence")
    # And in the body, as it was before there was one in the address.
    inside = {**performed(), **element("TransactionUID", transaction)}
    assert (await worklist.ask("POST", named, inside)).status_code == 200
    both = {**performed(), **element("TransactionUID", uid())}
    assert refused(await worklist.ask("POST", at, both))[:2] == (400, "invalid_workitem")


NOT_UPDATED = (
    "299 osteoserve: The submitted request is inconsistent with the current state of the Workitem."
)
NOT_CLAIMED = "299 osteoserve: The target URI did not reference a claimed Workitem."


@pytest.mark.parametrize(
    ("before", "whose", "status", "warning"),
    [
        ("SCHEDULED", None, 200, ""),
        ("SCHEDULED", "own", 400, NOT_CLAIMED),
        ("IN PROGRESS", None, 400, MISSING),
        ("IN PROGRESS", "other", 400, INCORRECT),
        ("IN PROGRESS", "own", 200, ""),
        ("COMPLETED", "own", 400, NOT_UPDATED),
        ("CANCELED", None, 400, NOT_UPDATED),
    ],
)
async def test_an_update_in_each_state(
    worklist: Worklist, before: str, whose: str | None, status: int, warning: str
) -> None:
    named, transaction = await worklist.being(before)
    given = {"own": transaction, "other": uid(), None: None}[whose]
    at = named if given is None else f"{named}?transaction={given}"
    answer = await worklist.ask("POST", at, element("WorklistLabel", "NIGHT"))
    assert (answer.status_code, answer.headers.get("warning", "")) == (status, warning)
    label = text(await worklist.get(named), "WorklistLabel")
    assert label == ("NIGHT" if status == 200 else "AI")


@pytest.mark.parametrize(
    "changes",
    [
        element("PatientID", "4712"),
        element("PatientName", {"Alphabetic": "Other"}),
        element("ProcedureStepState", "COMPLETED"),
        element("WorklistLabel"),
        element("InputReadinessState", "SOON"),
        element("SOPInstanceUID", "1.2.3"),
        performed(),
    ],
    ids=["patient", "name", "state", "empty", "choice", "uid", "performed"],
)
async def test_what_an_update_cannot_change_stays(worklist: Worklist, changes: Item) -> None:
    named, _ = await worklist.being("SCHEDULED")
    before = await worklist.get(named)
    answer = await worklist.ask("POST", named, changes)
    assert refused(answer)[:2] == (400, "invalid_workitem")
    assert await worklist.get(named) == before


async def test_a_request_to_cancel_in_each_state(worklist: Worklist) -> None:
    why = code("110510", "DCM", "Duplicate order")
    said = {
        **element("ReasonForCancellation", "Ordered twice"),
        **element("ContactDisplayName", "Desk 3"),
        **element("ProcedureStepDiscontinuationReasonCodeSequence", why),
    }
    named, _ = await worklist.being("SCHEDULED")
    answer = await worklist.ask("POST", f"{named}/cancelrequest", said)
    assert (answer.status_code, answer.headers.get("warning")) == (202, None)
    item = await worklist.get(named)
    assert text(item, "ProcedureStepState") == "CANCELED"
    assert reason(item) == "110510"
    progress = within(item, "ProcedureStepProgressInformationSequence")
    assert text(progress, "ReasonForCancellation") == "Ordered twice"
    assert text(progress, "ContactDisplayName") == "Desk 3"
    again = await worklist.ask("POST", f"{named}/cancelrequest")
    assert (again.status_code, again.headers["warning"]) == (202, IS_CANCELED)
    for before, warning in (
        ("IN PROGRESS", "299 osteoserve: The performer cannot be contacted."),
        ("COMPLETED", "299 osteoserve: The UPS is already COMPLETED."),
    ):
        named, _ = await worklist.being(before)
        answer = await worklist.ask("POST", f"{named}/cancelrequest")
        assert refused(answer) == (409, "workitem_conflict", warning)
    bare, _ = await worklist.being("SCHEDULED")
    headers = bearer(worklist.key)
    at = f"{WORKITEMS}/{bare}/cancelrequest"
    assert (await worklist.front.client.post(at, headers=headers)).status_code == 202


async def test_items_are_found_by_what_is_no_patient_s(worklist: Worklist) -> None:
    study = uid()
    one = await worklist.create(
        workitem(**CHOSEN, InputInformationSequence=element("StudyInstanceUID", study))
    )
    two = await worklist.create(workitem(**CHOSEN, WorklistLabel="NIGHT"))
    await worklist.change(two, "IN PROGRESS", uid())
    for query, wanted in (
        ("", [two, one]),
        ("?limit=1", [two]),
        ("?limit=1&offset=1", [one]),
        (f"?SOPInstanceUID={one}", [one]),
        ("?ProcedureStepState=SCHEDULED", [one]),
        ("?00741000=IN%20PROGRESS", [two]),
        ("?WorklistLabel=NIGHT", [two]),
        (f"?StudyInstanceUID={study}", [one]),
        (f"?00404021.0020000D={study}", [one]),
        ("?ScheduledWorkitemCodeSequence.CodeValue=121726", [two, one]),
        ("?00404018.00080100=110004", []),
        ("?ScheduledWorkitemCodeSequence.CodeValue=12172_", []),
        ("?includefield=all&ProcedureStepState=CANCELED", []),
    ):
        answer = await worklist.ask("GET", f"{WORKITEMS}{query}")
        assert answer.status_code == (200 if wanted else 204), query
        found = answer.json() if wanted else []
        assert [text(item, "SOPInstanceUID") for item in found] == wanted, query
        assert not any(text(item, "TransactionUID") for item in found)


@pytest.mark.parametrize(
    "query",
    ["PatientID=SECRET", "00100010=SECRET*", "limit=x", "offset=99999", "SOPInstanceUID=x",
     "ProcedureStepState=DONE", "WorklistLabel=", "WorklistLabel=a&00741202=b"],
)  # fmt: skip
async def test_a_search_for_what_is_not_matched_is_400(worklist: Worklist, query: str) -> None:
    answer = await worklist.ask("GET", f"{WORKITEMS}?{query}")
    assert refused(answer)[:2] == (400, "bad_request")
    assert "SECRET" not in answer.json()["detail"]


async def test_who_may_see_and_do_what(worklist: Worklist) -> None:
    opened = worklist.front
    named, _ = await worklist.being("SCHEDULED")
    missing = await worklist.ask("GET", uid())
    assert missing.status_code == 404
    assert (await worklist.ask("GET", "not-a-uid")).status_code == 404
    stranger = Worklist(opened, await key(opened, "integrator"))
    for method, path, body in (
        ("GET", named, None),
        ("POST", named, element("WorklistLabel", "NIGHT")),
        ("PUT", f"{named}/state", state("IN PROGRESS", uid())),
        ("POST", f"{named}/cancelrequest", {}),
    ):
        answer = await stranger.ask(method, path, body)
        assert answer.status_code == 404
        assert answer.json()["detail"] == missing.json()["detail"]
    assert (await stranger.ask("GET")).status_code == 204
    viewer = Worklist(opened, await key(opened, "viewer"))
    await viewer.get(named)
    assert (await viewer.change(named, "IN PROGRESS", uid())).status_code == 403
    assert (await viewer.ask("POST", WORKITEMS, workitem())).status_code == 403
    north = Worklist(opened, await key(opened, "viewer", site="north"))
    assert (await north.ask("GET", named)).status_code == 404
    async with person(opened, "reader", "clinician") as somebody:
        assert (await somebody.client.get(f"{WORKITEMS}/{named}")).status_code == 200
    assert (await opened.client.get(f"{WORKITEMS}/{named}")).status_code == 401


async def test_all_of_it_is_in_the_trail_and_counted_without_a_name(
    worklist: Worklist, opened: Front
) -> None:
    before = await opened.sample(COUNTED, act="complete")
    named, _ = await worklist.being("COMPLETED")
    await worklist.get(named)
    database = Database(opened.settings)
    async with database.connect() as connection:
        id = await connection.scalar(select(WorkitemRow.id).where(WorkitemRow.uid == named))
        rows = (await connection.execute(select(AuditEventRow.__table__))).all()
    await database.close()
    mine = [row for row in rows if row.object_id == str(id)]
    assert {row.object_kind for row in mine} == {"workitem"}
    told = [row.detail for row in mine if row.kind == "workitem_changed"]
    assert [act.split('"')[3] for act in told] == ["create", "claim", "update", "complete"]
    assert [row.kind for row in mine if row.kind == "read"] == ["read"]
    assert not [row for row in rows if "4711" in row.detail or "ller" in row.detail]
    assert await opened.sample(COUNTED, act="complete") == before + 1


async def test_events_are_not_subscribed_to(worklist: Worklist) -> None:
    named, _ = await worklist.being("SCHEDULED")
    for target, warning in (
        (named, ""),
        ("1.2.840.10008.5.1.4.34.5", ""),
        (
            "1.2.840.10008.5.1.4.34.5.1",
            "299 osteoserve: Filtered Worklist Subscriptions are not supported.",
        ),
    ):
        at = f"{target}/subscribers/CAD7"
        assert refused(await worklist.ask("POST", at)) == (403, "no_subscriptions", warning)
        assert (await worklist.ask("DELETE", at)).status_code == 404


async def test_what_is_answered_how(worklist: Worklist) -> None:
    named, _ = await worklist.being("SCHEDULED")
    for accept, status in (
        ("application/dicom+json", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("application/dicom+xml", 406),
        ("multipart/related", 406),
    ):
        for path in (named, WORKITEMS):
            answer = await worklist.ask("GET", path, headers={"Accept": accept})
            assert answer.status_code == status


async def test_nothing_of_a_patient_is_logged(worklist: Worklist, lines: io.StringIO) -> None:
    journal.configure("plain", "debug", lines)
    named, _ = await worklist.being("SCHEDULED")
    await worklist.ask("POST", WORKITEMS, workitem(PatientID="SECRET-4711", ProcedureStepLabel=[]))
    await worklist.get(named)
    assert "request" in lines.getvalue()
    assert "SECRET" not in lines.getvalue()


async def test_items_outlive_the_front(tmp_path_factory: pytest.TempPathFactory) -> None:
    var = tmp_path_factory.mktemp("var")
    async with running() as runners:
        async with front(var, runners, dicomweb=True, auth="local") as one:
            first = Worklist(one, await key(one, "integrator"))
            named, transaction = await first.being("IN PROGRESS")
        async with front(var, runners, dicomweb=True, auth="local") as two:
            again = Worklist(two, first.key)
            assert text(await again.get(named), "ProcedureStepState") == "IN PROGRESS"
            answer = await again.change(named, "CANCELED", transaction)
            assert answer.status_code == 200


async def test_it_is_off_by_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    var = tmp_path_factory.mktemp("var")
    async with running() as runners, front(var, runners) as one:
        for method, path in (("GET", WORKITEMS), ("POST", WORKITEMS)):
            answer = await one.client.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
