"""Storage commitment in the ledger, on both databases: leases, reports that cross, and an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from service.clock import now
from service.identity.actor import Actor
from service.integration.ledger.commitments import REPORTS, Commitments
from service.integration.ledger.schemas import (
    Balance,
    LeaseLostError,
    NotDecidedError,
    Question,
    Report,
    Sent,
)
from service.integration.ledger.service import Ledger
from service.storage.database import Database
from service.storage.tables.ledger import CaseRow, CommitmentRow, DeliveryRow
from tests.service.integration.kit import arrival, opened
from tests.service.integration.test_ledger import composed, due

pytestmark = pytest.mark.anyio

PERSON = Actor(id=uuid4(), roles=frozenset({"administrator"}))
SC = "1.2.840.10008.5.1.4.1.1.7"
THEM = [("default", "dxa-1")]


def both(database: Database) -> tuple[Ledger, Commitments]:
    one = opened(database)
    return one.ledger, one.commitments


async def sent(ledger: Ledger, database: Database) -> None:
    """Bring a study as far as its destination having accepted all of it."""
    await ledger.receive(arrival())
    await composed(ledger, database)
    await due(database)
    delivery = await ledger.next_delivery("pacs")
    assert delivery is not None
    results = await ledger.results(delivery)
    every = Sent(objects={one.sop_uid: "0000" for one in results}, reason=None)
    assert await ledger.sent(delivery, every, 3, commits=True) == "committing"


async def asked(commitments: Commitments, uid: str) -> Question:
    about = await commitments.next_question("pacs")
    assert about is not None
    await commitments.asking(about, uid)
    return about


async def test_accepted_is_in_progress_until_it_is_committed_to(database: Database) -> None:
    ledger, commitments = both(database)
    await sent(ledger, database)
    assert await ledger.balance() == Balance(accepted=1, in_progress=1)
    # It is not sent again meanwhile, and one gateway alone asks.
    assert await ledger.next_delivery("pacs") is None
    about = await asked(commitments, "2.25.1")
    assert await commitments.next_question("pacs") is None
    assert len(about.objects) == 2
    assert await commitments.asked(about, None, 600, 3) == "committing"
    assert await commitments.next_question("pacs") is None
    report = Report(transaction_uid="2.25.1", committed=about.objects)
    assert await commitments.heard("pacs", report, 3) == "committed"
    assert await ledger.balance() == Balance(accepted=1, delivered=1)
    assert await ledger.waiting() == ()


async def test_a_report_that_comes_before_the_answer_to_the_question_counts(
    database: Database,
) -> None:
    ledger, commitments = both(database)
    await sent(ledger, database)
    about = await asked(commitments, "2.25.1")
    report = Report(transaction_uid="2.25.1", committed=about.objects)
    assert await commitments.heard("pacs", report, 3) == "committed"
    with pytest.raises(LeaseLostError):
        await commitments.asked(about, "cut off", 600, 3)
    assert await ledger.balance() == Balance(accepted=1, delivered=1)


async def test_reports_of_others_of_before_and_of_nobody_are_not_believed(
    database: Database,
) -> None:
    ledger, commitments = both(database)
    await sent(ledger, database)
    about = await asked(commitments, "2.25.1")
    assert await commitments.asked(about, None, 600, 3) == "committing"
    every = about.objects
    for destination, uid in (("archive", "2.25.1"), ("pacs", "2.25.2")):
        report = Report(transaction_uid=uid, committed=every)
        assert await commitments.heard(destination, report, 3) is None
    await due(database)
    again = await asked(commitments, "2.25.3")
    old = Report(transaction_uid="2.25.1", committed=every)
    assert await commitments.heard("pacs", old, 3) is None
    # The same report twice is taken once.
    report = Report(transaction_uid="2.25.3", committed=again.objects)
    assert await commitments.heard("pacs", report, 3) == "committed"
    assert await commitments.heard("pacs", report, 3) is None


async def test_what_a_report_does_not_name_is_sent_again(database: Database) -> None:
    ledger, commitments = both(database)
    await sent(ledger, database)
    about = await asked(commitments, "2.25.1")
    first, second = about.objects
    report = Report(transaction_uid="2.25.1", committed=(first,))
    assert await commitments.heard("pacs", report, 9) == "waiting"
    await due(database)
    delivery = await ledger.next_delivery("pacs")
    assert delivery is not None
    assert delivery.objects == {first[1]: "0000", second[1]: "not_committed"}
    assert await ledger.balance() == Balance(accepted=1, in_progress=1)


async def test_it_ends_when_nobody_ever_commits(database: Database) -> None:
    ledger, commitments = both(database)
    await sent(ledger, database)
    states = []
    for number in range(2):
        about = await asked(commitments, f"2.25.{number}")
        states.append(await commitments.asked(about, "refused 0110", 600, 3))
        await due(database)
    assert states == ["committing", "dead"]
    assert await ledger.balance() == Balance(accepted=1, dead=1)
    (line,) = await ledger.waiting()
    await ledger.restart(PERSON, line.id)
    delivery = await ledger.next_delivery("pacs")
    assert delivery is not None
    # What was accepted is not sent again, but asked about anew.
    assert await ledger.sent(delivery, Sent(objects={}, reason=None), 3, commits=True) == (
        "committing"
    )
    await ledger.discard(PERSON, line.id, "looked it up by hand")
    assert await ledger.balance() == Balance(accepted=1, discarded=1)


async def test_a_revision_does_not_wait_for_a_commitment(database: Database) -> None:
    ledger, _ = both(database)
    await sent(ledger, database)
    async with database.connect() as connection:
        first = await connection.scalar(select(DeliveryRow.case_id))
    study = await study_of(database)
    await ledger.receive(arrival(study_uid=study))
    await composed(ledger, database)
    delivery = await ledger.next_delivery("pacs")
    assert delivery is not None
    assert delivery.case_id != first


async def study_of(database: Database) -> str:
    async with database.connect() as connection:
        found = await connection.scalar(select(CaseRow.study_uid))
    assert found is not None
    return found


async def test_a_peer_s_question_is_answered_once_and_by_one_gateway(database: Database) -> None:
    ledger, commitments = both(database)
    one = arrival()
    await ledger.receive(one)
    await commitments.ask("default", "dxa-1", "1.2.3", [(SC, one.sop_uid), (SC, "1.2.9")])
    assert await commitments.next_commitment([("north", "dxa-1")]) is None
    about = await commitments.next_commitment(THEM)
    assert about is not None
    assert await commitments.next_commitment(THEM) is None
    report = await commitments.answer(about.site, about)
    assert report.committed == ((SC, one.sop_uid),)
    assert report.failed == (((SC, "1.2.9"), 0x0112),)
    # What another site has is not told.
    assert (await commitments.answer("north", about)).committed == ()
    await commitments.reported(about, None)
    with pytest.raises(LeaseLostError):
        await commitments.reported(replace(about, fence=0), None)
    assert (await ledger.states())["commitment", "reported"] == 1


async def test_a_peer_that_cannot_be_told_is_a_person_s_to_decide(database: Database) -> None:
    ledger, commitments = both(database)
    id = await commitments.ask("default", "dxa-1", "1.2.3", [(SC, "1.2.9")])
    about = await commitments.next_commitment(THEM)
    assert about is not None
    await commitments.reported(about, "unreachable")
    (line,) = await ledger.waiting()
    assert (line.kind, line.state, line.reason) == ("commitment", "waiting", "unreachable")
    async with database.begin() as connection:
        await connection.execute(
            update(CommitmentRow).values(
                attempts=REPORTS, due_at=now() - timedelta(seconds=1), leased_until=None
            )
        )
    about = await commitments.next_commitment(THEM)
    assert about is not None
    await commitments.reported(about, "unreachable")
    (line,) = await ledger.waiting()
    assert (line.id, line.state) == (id, "dead")
    await ledger.restart(PERSON, id)
    assert await commitments.next_commitment(THEM) is not None
    with pytest.raises(NotDecidedError):
        await ledger.restart(PERSON, id)
    await ledger.discard(PERSON, id, "it asked elsewhere")
    assert await ledger.waiting() == ()


async def test_who_has_left_is_given_up_and_what_is_answered_is_forgotten(
    database: Database,
) -> None:
    ledger, commitments = both(database)
    await commitments.ask("default", "dxa-1", "1.2.3", [(SC, "1.2.9")])
    await commitments.give_up(THEM)
    (line,) = await ledger.waiting()
    assert line.state == "waiting"
    async with database.begin() as connection:
        old = now() - timedelta(hours=100)
        await connection.execute(update(CommitmentRow).values(due_at=old))
    await commitments.give_up(THEM)
    (line,) = await ledger.waiting()
    assert (line.state, line.reason) == ("dead", "left")
    await ledger.discard(PERSON, line.id, "gone")
    async with database.begin() as connection:
        await connection.execute(update(CommitmentRow).values(changed_at=old))
    await commitments.purge()
    async with database.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(CommitmentRow)) == 0
