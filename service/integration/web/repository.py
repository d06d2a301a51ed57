"""Results in the ledger in SQL, by study, series and object, for those who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from service.integration.web.schemas import Found, Level, Sought
from service.storage.encryption import readable
from service.storage.tables.ledger import CaseResultRow, CaseRow


@dataclass(frozen=True)
class Seen:
    """Whose results may be seen: a site's, or of these what one sender has sent."""

    site: str
    sender: str | None = None


def _visible(seen: Seen) -> ColumnElement[bool]:
    mine = and_(CaseRow.site == seen.site, CaseResultRow.data.is_not(None))
    return mine if seen.sender is None else and_(mine, CaseRow.peer == seen.sender)


def _matching(statement: Any, seen: Seen, sought: Sought) -> Any:
    found = statement.join(CaseRow, CaseRow.id == CaseResultRow.case_id).where(_visible(seen))
    for column, value in (
        (CaseRow.study_uid, sought.study),
        (CaseResultRow.series_uid, sought.series),
        (CaseResultRow.sop_uid, sought.instance),
        (CaseResultRow.sop_class_uid, sought.sop_class),
    ):
        if value is not None:
            found = found.where(column == value)
    return found


async def find(
    connection: AsyncConnection, seen: Seen, sought: Sought, level: Level
) -> tuple[Found, ...]:
    """Return what matches at ``level``, the newest first, each with one object that is part of it.

    Of a study and a series also how many series and objects they have.
    """
    key: ColumnElement[Any] | Any = {
        "study": CaseRow.study_uid,
        "series": CaseResultRow.series_uid,
        "instance": CaseResultRow.sop_uid,
    }[level]
    groups = (
        _matching(
            select(
                func.min(CaseResultRow.sop_uid).label("sop_uid"),
                func.count(CaseResultRow.series_uid.distinct()).label("series"),
                func.count().label("instances"),
                func.max(CaseRow.created_at).label("newest"),
            ),
            seen,
            sought,
        )
        .group_by(key)
        .order_by(func.max(CaseRow.created_at).desc(), key)
        .limit(sought.limit)
        .offset(sought.offset)
        .subquery()
    )
    statement = (
        select(
            groups.c.series, groups.c.instances, CaseResultRow.sop_uid,
            CaseResultRow.sop_class_uid, CaseResultRow.series_uid, CaseResultRow.data,
            CaseRow.study_uid, CaseRow.id.label("case_id"),
        )
        .join(CaseResultRow, CaseResultRow.sop_uid == groups.c.sop_uid)
        .join(CaseRow, CaseRow.id == CaseResultRow.case_id)
        .order_by(groups.c.newest.desc(), groups.c.sop_uid)
    )  # fmt: skip
    return tuple(
        Found(
            case_id=row.case_id, study=row.study_uid, series=row.series_uid,
            instance=row.sop_uid, sop_class=row.sop_class_uid, data=readable(row.data),
            series_count=row.series, instance_count=row.instances,
        )
        for row in await connection.execute(statement)
    )  # fmt: skip


async def classes(
    connection: AsyncConnection, seen: Seen, studies: Sequence[str]
) -> dict[str, set[str]]:
    """Return the SOP classes of what each study has."""
    statement = (
        select(CaseRow.study_uid, CaseResultRow.sop_class_uid)
        .join(CaseRow, CaseRow.id == CaseResultRow.case_id)
        .where(_visible(seen), CaseRow.study_uid.in_(list(studies)))
        .distinct()
    )
    found: dict[str, set[str]] = {}
    for row in await connection.execute(statement):
        found.setdefault(row.study_uid, set()).add(row.sop_class_uid)
    return found


async def named(
    connection: AsyncConnection, seen: Seen, sought: Sought
) -> tuple[tuple[UUID, str], ...]:
    """Return case and UID of each object that matches, in the order that they were made."""
    statement = (
        _matching(select(CaseResultRow.case_id, CaseResultRow.sop_uid), seen, sought)
        .order_by(CaseRow.revision, CaseResultRow.number)
        .limit(sought.limit)
    )
    return tuple((row.case_id, row.sop_uid) for row in await connection.execute(statement))


async def data(connection: AsyncConnection, seen: Seen, sop_uid: str) -> bytes | None:
    """Return the bytes of an object; None where they have been removed meanwhile."""
    statement = (
        select(CaseResultRow.data)
        .join(CaseRow, CaseRow.id == CaseResultRow.case_id)
        .where(_visible(seen), CaseResultRow.sop_uid == sop_uid)
    )
    found: bytes | None = readable(await connection.scalar(statement))
    return found
