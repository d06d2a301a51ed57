"""Questions to archives in SQL. Every change writes its event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.integration.ledger.repository import change, claim, note
from service.integration.pulls.schemas import (
    UNDER_WAY,
    Fetched,
    Progress,
    Pull,
    Question,
    Study,
)
from service.storage import encryption
from service.storage.tables.columns import Cell
from service.storage.tables.ledger import ArrivalRow, PullRow, PullStudyRow


async def keep(
    connection: AsyncConnection, site: str, archive: str, question: Question, *, scheduled: bool
) -> UUID:
    """Return a new question, to be asked at once."""
    id, moment = uuid4(), now()
    await connection.execute(
        insert(PullRow).values(
            id=id, site=site, archive=archive, scheduled=scheduled,
            **_kept(connection, question, id),
            state="asked", created_at=moment, changed_at=moment, attempts=0, due_at=moment,
            fence=0,
        )
    )  # fmt: skip
    await note(connection, None, "asked", archive, id)
    return id


def _kept(connection: AsyncConnection, question: Question, id: UUID) -> dict[str, Any]:
    document = question.document()
    if not encryption.of(connection).is_on:
        return {"question": document, "question_sealed": None}
    return {"question": {}, "question_sealed": Cell.of(json.dumps(document), id)}


async def latest(
    connection: AsyncConnection, site: str, archive: str
) -> tuple[datetime, str] | None:
    """Return when the clock last made a question, and its state."""
    statement = (
        select(PullRow.created_at, PullRow.state)
        .where(PullRow.site == site, PullRow.archive == archive, PullRow.scheduled)
        .order_by(PullRow.created_at.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else (row.created_at, row.state)


async def replace(connection: AsyncConnection, site: str, archive: str) -> None:
    """Give up what failed of the clock's earlier questions: the next one asks for it again."""
    statement = (
        update(PullRow)
        .where(
            PullRow.site == site,
            PullRow.archive == archive,
            PullRow.scheduled,
            PullRow.state == "dead",
        )
        .values(
            state="discarded",
            reason="superseded",
            question=None,
            question_sealed=None,
            changed_at=now(),
        )
        .returning(PullRow.id)
    )
    for id in (await connection.scalars(statement)).all():
        await note(connection, None, "discarded", "superseded", id)


async def next_of(
    connection: AsyncConnection, site: str, archive: str, lease: timedelta
) -> Pull | None:
    """Return a question to ``archive`` that is due, leased."""
    which = and_(
        PullRow.site == site, PullRow.archive == archive, PullRow.state.in_(UNDER_WAY)
    )  # fmt: skip
    row = await claim(connection, PullRow, which, lease, {"state": "fetching"})
    if row is None:
        return None
    return Pull(
        id=row.id, fence=row.fence, attempts=row.attempts, site=row.site, archive=row.archive,
        scheduled=row.scheduled, found=row.found,
        question=Question.of(encryption.document(row.question, row.question_sealed)),
    )  # fmt: skip


async def holds(connection: AsyncConnection, pull: Pull) -> bool:
    """Whether nobody else works on ``pull``, and no person has given it up."""
    mine = and_(PullRow.id == pull.id, PullRow.fence == pull.fence, PullRow.state == "fetching")
    return bool(await connection.scalar(select(exists().where(mine))))


async def found(
    connection: AsyncConnection, pull: Pull, studies: Sequence[Study], peer: str
) -> None:
    """Write down which studies the archive has; the clock's need not be fetched where one is here.

    That is one which others than the archive have sent, or which it has sent itself and says
    nothing of more objects of it.
    """
    await change(connection, PullRow, pull, found=len(studies))
    for one in studies:
        reason = await _known(connection, pull, one, peer) if pull.scheduled else None
        await connection.execute(
            insert(PullStudyRow).values(
                pull_id=pull.id, study_uid=one.study_uid,
                series=None if one.series is None else list(one.series),
                instances=one.instances, objects=0, changed_at=now(), reason=reason,
                state="waiting" if reason is None else "skipped",
            )
        )  # fmt: skip
    await note(connection, None, "found", str(len(studies)), pull.id)


async def _known(connection: AsyncConnection, pull: Pull, one: Study, peer: str) -> str | None:
    pushed = exists().where(
        ArrivalRow.study_uid == one.study_uid,
        ArrivalRow.site == pull.site,
        ArrivalRow.peer != peer,
        ArrivalRow.state != "ignored",
    )
    if await connection.scalar(select(pushed)):
        return "pushed"
    statement = (
        select(PullStudyRow.instances)
        .join(PullRow, PullRow.id == PullStudyRow.pull_id)
        .where(
            PullStudyRow.study_uid == one.study_uid,
            PullStudyRow.state == "fetched",
            PullRow.site == pull.site,
            PullRow.archive == pull.archive,
        )
        .order_by(PullStudyRow.changed_at.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return "fetched" if one.instances is None or one.instances == row.instances else None


async def left(connection: AsyncConnection, pull: Pull) -> tuple[Study, ...]:
    """Return the studies that are still to be fetched."""
    statement = (
        select(PullStudyRow.study_uid, PullStudyRow.series, PullStudyRow.instances)
        .where(
            PullStudyRow.pull_id == pull.id, PullStudyRow.state.in_(("waiting", "failed"))
        )
        .order_by(PullStudyRow.study_uid)
    )  # fmt: skip
    return tuple(
        Study(
            study_uid=row.study_uid,
            series=None if row.series is None else tuple(row.series),
            instances=row.instances,
        )
        for row in await connection.execute(statement)
    )


async def fetched(connection: AsyncConnection, pull: Pull, study_uid: str, what: Fetched) -> None:
    """Write down what became of a study."""
    await change(connection, PullRow, pull)
    state = "fetched" if what.reason is None else "failed"
    await connection.execute(
        update(PullStudyRow)
        .where(PullStudyRow.pull_id == pull.id, PullStudyRow.study_uid == study_uid)
        .values(state=state, reason=what.reason, objects=what.objects, changed_at=now())
    )
    await note(connection, None, state, what.reason or str(what.objects), pull.id)


async def end(
    connection: AsyncConnection, pull: Pull, state: str, reason: str | None, due: datetime
) -> None:
    """Let go of ``pull``; what was asked is forgotten once it is done."""
    ended: dict[str, Any] = {"question": None, "question_sealed": None}
    values = ended if state == "done" else {}
    await change(
        connection, PullRow, pull, state=state, reason=reason, due_at=due, leased_until=None,
        **values,
    )  # fmt: skip
    await note(connection, None, state, reason, pull.id)


async def release(connection: AsyncConnection, pull: Pull) -> None:
    """Let another gateway go on with ``pull`` at once; it is no attempt."""
    await change(
        connection, PullRow, pull, leased_until=None, due_at=now(),
        attempts=max(pull.attempts - 1, 0),
    )  # fmt: skip


async def progress(connection: AsyncConnection, id: UUID) -> Progress | None:
    """Return how far a question has come; None: there is none."""
    row = (
        await connection.execute(select(*PullRow.__table__.columns).where(PullRow.id == id))
    ).one_or_none()
    if row is None:
        return None
    counts = await connection.execute(
        select(
            PullStudyRow.state,
            func.count().label("number"),
            func.sum(PullStudyRow.objects).label("objects"),
        )
        .where(PullStudyRow.pull_id == id)
        .group_by(PullStudyRow.state)
    )
    every = counts.all()
    failures = await connection.execute(
        select(PullStudyRow.study_uid, PullStudyRow.reason)
        .where(PullStudyRow.pull_id == id, PullStudyRow.state == "failed")
        .order_by(PullStudyRow.study_uid)
    )
    return Progress(
        id=id, state=row.state, reason=row.reason, found=row.found, changed_at=row.changed_at,
        studies={one.state: int(one.number) for one in every},
        objects=sum(int(one.objects or 0) for one in every),
        failures=tuple((one.study_uid, one.reason or "") for one in failures),
    )  # fmt: skip


async def purge(connection: AsyncConnection, before: datetime) -> None:
    """Forget what was done, or given up, ``before``."""
    old = select(PullRow.id).where(
        PullRow.state.in_(("done", "discarded")), PullRow.changed_at < before
    )
    await connection.execute(delete(PullStudyRow).where(PullStudyRow.pull_id.in_(old)))
    await connection.execute(delete(PullRow).where(PullRow.id.in_(old)))
