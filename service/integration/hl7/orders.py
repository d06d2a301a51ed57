"""Orders for imaging in SQL, by the accession number that links them to a study's images."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from service.clock import now
from service.integration.orders import Order
from service.storage.tables.feeds import FeedMessageRow, OrderRow


async def keep(connection: AsyncConnection, site: str, one: Order) -> None:
    """Write ``one`` in the place of what was known of its accession number."""
    values = {
        "placer": "^".join(one.placer)[:200],
        "filler": "^".join(one.filler)[:200],
        "study_uid": one.study_uid,
        "cancelled": one.cancelled,
        "changed_at": now(),
    }
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(OrderRow).values(site=site, accession=one.accession, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["site", "accession"], set_=values)
    )


async def get(
    connection: AsyncConnection, site: str, accession: str, study_uid: str
) -> Order | None:
    """Return the order of a study's accession number; None: none is known, or it is of another
    study, or was cancelled."""
    statement = select(*OrderRow.__table__.columns).where(
        OrderRow.site == site, OrderRow.accession == accession
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None or row.cancelled or row.study_uid not in (None, study_uid):
        return None
    return Order(
        accession=accession,
        placer=tuple(row.placer.split("^")) if row.placer else (),
        filler=tuple(row.filler.split("^")) if row.filler else (),
        study_uid=row.study_uid,
    )


async def of_study(connection: AsyncConnection, site: str, study_uid: str) -> Order | None:
    """Return the one order that names a study; None: none does, or several do."""
    statement = select(OrderRow.accession).where(
        OrderRow.site == site, OrderRow.study_uid == study_uid, OrderRow.cancelled.is_(False)
    )
    named = list(await connection.scalars(statement))
    return await get(connection, site, named[0], study_uid) if len(named) == 1 else None


async def purge(connection: AsyncConnection, before: datetime) -> int:
    """Remove orders and messages of before; return how many."""
    done = [
        await connection.execute(delete(OrderRow).where(OrderRow.changed_at < before)),
        await connection.execute(delete(FeedMessageRow).where(FeedMessageRow.received_at < before)),
    ]
    return sum(one.rowcount for one in done)
