"""The books of the ledger: what became of everything, what waits, and what a person decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import (
    Select,
    String,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy import cast as sa_cast
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from service.clock import now
from service.integration.ledger import deliveries, repository
from service.integration.ledger.schemas import (
    DELIVERED,
    IN_PROGRESS,
    UNDER_WAY,
    WORKED_ON,
    Balance,
    Line,
)
from service.storage.tables.ledger import (
    ArrivalRow,
    CaseRow,
    CommitmentRow,
    DeliveryRow,
    PullRow,
    PullStudyRow,
    WorkitemRow,
)

What = Literal["case", "object", "delivery", "commitment", "pull"]
_APART: Final = ("ignored", "quarantined", "discarded", "read")


def _delivery(*states: str) -> ColumnElement[bool]:
    return exists().where(DeliveryRow.case_id == CaseRow.id, DeliveryRow.state.in_(states))


_BUCKET: Final = case(
    *((ArrivalRow.state == state, state) for state in _APART),
    (ArrivalRow.state == "reading", "in_progress"),
    (ArrivalRow.state != "held", None),
    (CaseRow.state.in_(WORKED_ON), "in_progress"),
    (and_(CaseRow.state == "delivering", _delivery(*IN_PROGRESS)), "in_progress"),
    (and_(CaseRow.state == "delivering", _delivery("dead")), "dead"),
    (
        and_(CaseRow.state.in_(("ignored", "quarantined")), CaseRow.reason.is_not(None)),
        CaseRow.state,
    ),
    (_delivery(*IN_PROGRESS, "dead"), None),
    (and_(CaseRow.state == "superseded", _delivery(*DELIVERED, "discarded")), "superseded"),
    (and_(CaseRow.state == "done", _delivery(*DELIVERED)), "delivered"),
    (and_(CaseRow.state == "done", _delivery("discarded")), "discarded"),
    else_=None,
)
"""Where an object stands; NULL where the ledger contradicts itself."""


def _overtaken() -> ColumnElement[bool]:
    """Return that the destination has what replaces this delivery's message."""
    own, later, newer = aliased(CaseRow), aliased(CaseRow), aliased(DeliveryRow)
    return exists().where(
        own.id == DeliveryRow.case_id,
        later.study_uid == own.study_uid,
        later.site == own.site,
        later.revision > own.revision,
        newer.case_id == later.id,
        newer.destination == DeliveryRow.destination,
        newer.state.in_(DELIVERED),
    )


async def of(connection: AsyncConnection, site: str | None = None) -> Balance:
    """Return how many objects there are in each bucket, and of all of them how many.

    Of every site, unless of one.
    """
    bucket = _BUCKET.label("bucket")
    statement = (
        select(bucket, func.count().label("number"))
        .select_from(ArrivalRow)
        .outerjoin(CaseRow, CaseRow.id == ArrivalRow.case_id)
        .where(_of(ArrivalRow, site))
        .group_by(bucket)
    )
    counts = {row.bucket: int(row.number) for row in await connection.execute(statement)}
    accepted = sum(counts.values())
    counts.pop(None, None)
    return Balance(accepted=accepted, **counts)


async def states(connection: AsyncConnection) -> Mapping[tuple[str, str], int]:
    """Return how many cases, deliveries, questions and work items are in each state."""
    parts = [
        select(literal(kind).label("kind"), table.state, func.count().label("number")).group_by(
            table.state
        )
        for kind, table in (
            ("case", CaseRow),
            ("delivery", DeliveryRow),
            ("commitment", CommitmentRow),
            ("pull", PullRow),
            ("workitem", WorkitemRow),
        )
    ]
    rows = await connection.execute(union_all(*parts))
    return {(row.kind, row.state): int(row.number) for row in rows}


async def oldest(connection: AsyncConnection) -> Mapping[str, float]:
    """Return for how many seconds the oldest case and delivery have been in progress."""
    found = {}
    for kind, table, states in (
        ("case", CaseRow, WORKED_ON),
        ("delivery", DeliveryRow, UNDER_WAY),
    ):
        first = await connection.scalar(
            select(func.min(table.created_at)).where(table.state.in_(states))
        )
        if first is not None:
            found[kind] = max((now() - first).total_seconds(), 0.0)
    return found


async def lines(
    connection: AsyncConnection, most: int, site: str | None = None
) -> tuple[Line, ...]:
    """Return what is not done, oldest first; of every site, unless of one."""
    cases = select(
        CaseRow.id, literal("case").label("kind"), CaseRow.state, CaseRow.reason,
        CaseRow.changed_at.label("since"), CaseRow.peer.label("about"),
        literal("").label("detail"),
    ).where(CaseRow.state.in_((*WORKED_ON, "quarantined")), _of(CaseRow, site))  # fmt: skip
    objects = select(
        ArrivalRow.id, literal("object").label("kind"), ArrivalRow.state, ArrivalRow.reason,
        ArrivalRow.received_at.label("since"), ArrivalRow.peer.label("about"),
        literal("").label("detail"),
    ).where(ArrivalRow.state == "quarantined", _of(ArrivalRow, site))  # fmt: skip
    deliveries = select(
        DeliveryRow.id, literal("delivery").label("kind"), DeliveryRow.state, DeliveryRow.reason,
        DeliveryRow.changed_at.label("since"), DeliveryRow.destination.label("about"),
        func.coalesce(DeliveryRow.detail, "").label("detail"),
    ).where(
        DeliveryRow.state.in_((*IN_PROGRESS, "dead")), DeliveryRow.case_id.in_(_cases(site))
    )  # fmt: skip
    asked = select(
        CommitmentRow.id, literal("commitment").label("kind"), CommitmentRow.state,
        CommitmentRow.reason, CommitmentRow.changed_at.label("since"),
        CommitmentRow.peer.label("about"), literal("").label("detail"),
    ).where(
        CommitmentRow.state.in_(("waiting", "dead")), _of(CommitmentRow, site)
    )  # fmt: skip
    pulls = select(
        PullRow.id, literal("pull").label("kind"), PullRow.state, PullRow.reason,
        PullRow.changed_at.label("since"), PullRow.archive.label("about"),
        _counted().label("detail"),
    ).where(PullRow.state.in_(("asked", "fetching", "dead")), _of(PullRow, site))  # fmt: skip
    every = union_all(cases, objects, deliveries, asked, pulls).order_by("since").limit(most)
    rows = await connection.execute(every)
    return tuple(
        Line(
            id=row.id, kind=row.kind, state=row.state, reason=row.reason, since=row.since,
            about=row.about, detail=row.detail or None,
        )
        for row in rows
    )  # fmt: skip


def _counted() -> ColumnElement[str]:
    """Return how many of the studies that an archive has were fetched, where it has answered."""
    fetched = (
        select(func.count())
        .where(PullStudyRow.pull_id == PullRow.id, PullStudyRow.state != "failed")
        .where(PullStudyRow.state != "waiting")
        .scalar_subquery()
    )
    told = sa_cast(fetched, String).concat("/").concat(sa_cast(PullRow.found, String))
    return func.coalesce(told, "")


def _of(
    table: type[ArrivalRow] | type[CaseRow] | type[CommitmentRow] | type[PullRow],
    site: str | None,
) -> ColumnElement[bool]:
    return true() if site is None else table.site == site


def _cases(site: str | None) -> Select[UUID]:
    return select(CaseRow.id).where(_of(CaseRow, site))


async def decide(
    connection: AsyncConnection, id: UUID, act: Literal["restart", "discard"], reason: str | None,
    site: str | None = None,
) -> What | None:  # fmt: skip
    """Restart or discard what has this id; return what it is, None where nothing is to decide.

    With ``site`` nothing of another is decided on.
    A message that a later one has replaced at its destination is sent no more.
    """
    moment = now()
    fresh = {"due_at": moment, "changed_at": moment, "attempts": 0, "leased_until": None}
    again = act == "restart"
    of = (
        update(DeliveryRow)
        .where(
            DeliveryRow.id == id,
            DeliveryRow.case_id.in_(_cases(site)),
            or_(
                DeliveryRow.state == "dead",
                literal(not again) & DeliveryRow.state.in_(("waiting", "committing", "held")),
            ),
            or_(literal(not again), DeliveryRow.message.is_(None), ~_overtaken()),
        )
        .values(
            state="waiting" if again else "discarded",
            # Whoever still holds a lease has lost it.
            fence=DeliveryRow.fence + 1,
            **fresh,
        )
        .returning(DeliveryRow.case_id)
    )
    case_id = await connection.scalar(of)
    if case_id is not None:
        state = "waiting" if again else "discarded"
        await repository.note(connection, case_id, state, reason or "restarted", id)
        await deliveries.finish(connection, case_id)
        return "delivery"
    done = await connection.execute(
        update(CaseRow)
        .where(CaseRow.id == id, CaseRow.state == "quarantined", _of(CaseRow, site))
        .values(
            state="settling" if again else "ignored",
            reason=None if again else "discarded",
            fence=CaseRow.fence + 1,
            **fresh,
        )
    )
    if done.rowcount:
        state = "settling" if again else "ignored"
        await repository.note(connection, id, state, reason or "restarted")
        return "case"
    questions = update(CommitmentRow).where(
        CommitmentRow.id == id,
        _of(CommitmentRow, site),
        or_(CommitmentRow.state == "dead", literal(not again) & (CommitmentRow.state == "waiting")),
    )
    done = await connection.execute(
        questions.values(
            state="waiting" if again else "discarded", fence=CommitmentRow.fence + 1, **fresh
        )
    )
    if done.rowcount:
        await repository.note(
            connection, None, "waiting" if again else "discarded", reason or "restarted", id
        )
        return "commitment"
    if await _decide_pull(connection, id, act, reason, site):
        return "pull"
    ours = select(ArrivalRow.id).where(ArrivalRow.id == id, _of(ArrivalRow, site))
    if again or await connection.scalar(ours) is None:
        return None
    discarded = await repository.set_arrival(
        connection, id, "discarded", reason or "", "quarantined"
    )
    return "object" if discarded else None


async def _decide_pull(
    connection: AsyncConnection, id: UUID, act: Literal["restart", "discard"], reason: str | None,
    site: str | None,
) -> bool:  # fmt: skip
    """Ask an archive again, or give a question to it up; whoever works on it ends."""
    moment, again = now(), act == "restart"
    state = "asked" if again else "discarded"
    done = await connection.execute(
        update(PullRow)
        .where(
            PullRow.id == id,
            _of(PullRow, site),
            or_(
                and_(PullRow.state == "dead", PullRow.question.is_not(None)),
                literal(not again) & PullRow.state.in_(("asked", "fetching")),
            ),
        )
        .values(
            state=state, fence=PullRow.fence + 1, attempts=0, leased_until=None, due_at=moment,
            changed_at=moment, **({} if again else {"question": None}),
        )
    )  # fmt: skip
    if done.rowcount:
        await repository.note(connection, None, state, reason or "restarted", id)
    return bool(done.rowcount)
