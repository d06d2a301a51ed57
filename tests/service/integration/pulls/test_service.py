"""Questions to archives in the ledger: leases, states, the clock, and what a person decides."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from service.clock import now
from service.events import Listeners
from service.identity.actor import Actor
from service.integration.archives import Archive
from service.integration.ledger.contexts import Row
from service.integration.ledger.schemas import LeaseLostError, NotDecidedError
from service.integration.ledger.service import Ledger
from service.integration.pulls.schemas import Fetched, Pull, Question, Study
from service.integration.pulls.service import Pulls
from service.integration.settings import GatewaySettings
from service.retention.repository import forget_received
from service.storage.database import Database
from service.storage.tables.ledger import LedgerEventRow, PullRow, PullStudyRow
from service.storage.transaction import Transactions
from tests.service.integration.kit import arrival, image

pytestmark = pytest.mark.anyio

PERSON = Actor.anonymous()
SITE = "default"
ASKED = Question(patient="4711", issuer="H", since=date(2026, 1, 2), modalities=("OT",))


@pytest.fixture
def pulls(database: Database) -> Pulls:
    return Pulls(GatewaySettings(), Transactions(database, Listeners()))


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(GatewaySettings(), Transactions(database, Listeners()))


def entry(**changes: Any) -> Archive:
    values = {
        "name": "vna", "peer": "vna", "called": "VNA", "calling": "OSTEOSERVE",
        "host": "127.0.0.1", "port": 104,
    }  # fmt: skip
    return Archive(**{**values, **changes})


async def claimed(pulls: Pulls) -> Pull:
    pull = await pulls.next(SITE, "vna")
    assert pull is not None
    return pull


async def due(database: Database, **values: Any) -> None:
    """Have every question be due now."""
    await database.write(
        lambda connection: connection.execute(
            update(PullRow).values(**{"due_at": now(), "leased_until": None, **values})
        )
    )


async def test_a_question_goes_to_its_archive_once_and_to_its_end(
    pulls: Pulls, database: Database
) -> None:
    id = await pulls.ask(PERSON, "vna", ASKED)
    assert await pulls.next(SITE, "other") is None
    assert await pulls.next("elsewhere", "vna") is None
    pull = await claimed(pulls)
    assert (pull.id, pull.question, pull.found, pull.scheduled) == (id, ASKED, None, False)
    assert await pulls.next(SITE, "vna") is None, "it is leased"
    assert await pulls.holds(pull)
    await pulls.renew(pull)
    wanted = [Study(study_uid="1.1", series=("1.1.1",), instances=3), Study(study_uid="1.2")]
    await pulls.found(pull, wanted, "vna")
    assert await pulls.left(pull) == tuple(wanted)
    await pulls.fetched(pull, "1.1", Fetched(objects=3))
    assert await pulls.left(pull) == (wanted[1],)
    await pulls.fetched(pull, "1.2", Fetched(objects=1, reason="incomplete"))
    assert await pulls.left(pull) == (wanted[1],), "what failed is fetched again"
    assert await pulls.ended(pull, "incomplete", passes=True, budget=2) == "asked"
    progress = await pulls.progress(id)
    assert progress is not None
    assert (progress.state, progress.reason, progress.found) == ("asked", "incomplete", 2)
    assert progress.studies == {"fetched": 1, "failed": 1}
    assert (progress.objects, progress.failures) == (4, (("1.2", "incomplete"),))
    assert await pulls.next(SITE, "vna") is None, "after a pause"
    await due(database)
    again = await claimed(pulls)
    assert (again.found, again.attempts) == (2, 2)
    await pulls.fetched(again, "1.2", Fetched(objects=2))
    assert await pulls.ended(again, None) == "done"
    async with database.connect() as connection:
        assert await connection.scalar(select(PullRow.question)) is None
        told = (await connection.scalars(select(LedgerEventRow.state))).all()
    assert list(told) == [
        "asked", "found", "fetched", "failed", "asked", "fetched", "done",
    ]  # fmt: skip


@pytest.mark.parametrize("passes", [True, False])
async def test_what_cannot_be_or_not_in_so_many_attempts_is_a_person_s_to_decide(
    pulls: Pulls, ledger: Ledger, database: Database, passes: bool
) -> None:
    id = await pulls.ask(PERSON, "vna", ASKED)
    reason = "answered A702" if passes else "answered A801"
    assert await pulls.ended(await claimed(pulls), reason, passes=passes, budget=1) == "dead"
    await due(database)
    assert await pulls.next(SITE, "vna") is None
    (line,) = await ledger.waiting()
    assert (line.id, line.kind, line.state, line.reason) == (id, "pull", "dead", reason)
    row = Row.of(line)
    assert (row.kind, row.needs, row.can_restart, row.can_discard) == (
        "Question to an archive", True, True, True,
    )  # fmt: skip
    assert row.why.startswith("The archive ")
    assert (await ledger.states())["pull", "dead"] == 1
    with pytest.raises(NotDecidedError):
        await ledger.restart(PERSON, id, "elsewhere")
    await ledger.restart(PERSON, id)
    pull = await claimed(pulls)
    assert (pull.attempts, pull.question) == (1, ASKED)
    await ledger.discard(PERSON, id, "not wanted")
    assert not await pulls.holds(pull)
    with pytest.raises(LeaseLostError):
        await pulls.found(pull, [], "vna")
    with pytest.raises(NotDecidedError):
        await ledger.discard(PERSON, id, "once more")
    async with database.connect() as connection:
        assert await connection.scalar(select(PullRow.question)) is None


async def test_whoever_has_died_is_followed_by_another(pulls: Pulls, database: Database) -> None:
    await pulls.ask(PERSON, "vna", ASKED)
    dead = await claimed(pulls)
    await pulls.found(dead, [Study(study_uid="1.1")], "vna")
    await due(database, leased_until=now() - timedelta(seconds=1))
    heir = await claimed(pulls)
    assert (heir.found, await pulls.left(heir)) == (1, (Study(study_uid="1.1"),))
    with pytest.raises(LeaseLostError):
        await pulls.fetched(dead, "1.1", Fetched(objects=1))
    await pulls.release(heir)
    assert (await claimed(pulls)).attempts == heir.attempts, "to stop is no attempt"


async def test_the_clock_asks_once_in_its_time_whatever_became_of_the_last(
    pulls: Pulls, ledger: Ledger, database: Database
) -> None:
    assert not await pulls.schedule(SITE, entry())
    timed = entry(every_minutes=15, back_days=2, modality="OT", most=7)
    assert await pulls.schedule(SITE, timed)
    assert not await pulls.schedule(SITE, timed)
    pull = await claimed(pulls)
    since = now().date() - timedelta(days=2)
    assert pull.question == Question(since=since, modalities=("OT",), most=7)
    await due(database, created_at=now() - timedelta(hours=1))
    assert not await pulls.schedule(SITE, timed), "the last is still under way"
    await pulls.ended(await claimed(pulls), "unreachable")
    assert [line.state for line in await ledger.waiting()] == ["dead"]
    assert await pulls.schedule(SITE, timed)
    assert [line.state for line in await ledger.waiting()] == ["asked"], "it replaces the dead one"


async def test_by_the_clock_only_what_is_new_is_fetched(
    pulls: Pulls, ledger: Ledger, database: Database
) -> None:
    timed = entry(every_minutes=1)
    pushed, pulled = image(), image()
    await ledger.receive(arrival(pushed, peer="dxa-1"))
    await ledger.receive(arrival(pulled, peer="vna"))

    async def question(*studies: Study) -> dict[str, str | None]:
        assert await pulls.schedule(SITE, timed)
        pull = await claimed(pulls)
        await pulls.found(pull, studies, "vna")
        left = {one.study_uid for one in await pulls.left(pull)}
        for one in left:
            await pulls.fetched(pull, one, Fetched(objects=1))
        await pulls.ended(pull, None)
        await due(database, created_at=now() - timedelta(hours=1))
        async with database.connect() as connection:
            found = await connection.execute(
                select(PullStudyRow.study_uid, PullStudyRow.reason).where(
                    PullStudyRow.pull_id == pull.id, PullStudyRow.state == "skipped"
                )
            )
            return {row.study_uid: row.reason for row in found}

    here, there = str(pushed.StudyInstanceUID), str(pulled.StudyInstanceUID)
    counted, mute = Study(study_uid=there, instances=2), Study(study_uid="1.9")
    assert await question(Study(study_uid=here, instances=9), counted, mute) == {here: "pushed"}
    assert await question(counted, mute) == {there: "fetched", "1.9": "fetched"}
    assert await question(Study(study_uid=there, instances=3)) == {}
    # A person gets what they ask for.
    await pulls.ask(PERSON, "vna", ASKED)
    asked = await claimed(pulls)
    await pulls.found(asked, [Study(study_uid=here)], "vna")
    assert len(await pulls.left(asked)) == 1


async def test_what_ended_long_ago_is_forgotten(pulls: Pulls, database: Database) -> None:
    for reason in (None, "answered A801"):
        await pulls.ask(PERSON, "vna", ASKED)
        pull = await claimed(pulls)
        await pulls.found(pull, [Study(study_uid="1.1")], "vna")
        await pulls.ended(pull, reason)
    await due(database, changed_at=now() - timedelta(days=9))
    await pulls.purge(3)
    async with database.connect() as connection:
        assert len((await connection.scalars(select(PullRow.id))).all()) == 2
    await pulls.purge(1)
    async with database.connect() as connection:
        assert list(await connection.scalars(select(PullRow.state))) == ["dead"]
        assert len((await connection.scalars(select(PullStudyRow.study_uid))).all()) == 1


async def test_whoever_is_erased_is_asked_for_no_more(pulls: Pulls, database: Database) -> None:
    named = await pulls.ask(PERSON, "vna", ASKED)
    any_issuer = await pulls.ask(PERSON, "vna", Question(patient="4711"))
    for other in (
        Question(patient="4711", issuer="X"), Question(patient="4712"), Question(accession="4711"),
    ):  # fmt: skip
        await pulls.ask(PERSON, "vna", other)
    pull = await claimed(pulls)
    await database.write(lambda connection: forget_received(connection, SITE, "4711\\H"))
    assert await pulls.holds(pull) is (pull.id not in (named, any_issuer))
    async with database.connect() as connection:
        found = await connection.execute(select(PullRow.id, PullRow.state, PullRow.question))
        gone = {row.id for row in found if row.state == "discarded" and row.question is None}
    assert gone == {named, any_issuer}
