"""Launches under way, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.tables.launches import LaunchFlowRow


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A launch that was sent to a record's authorization server."""

    record: str
    browser: str
    nonce: str
    verifier: str
    created_at: datetime
    ends_at: datetime


async def add(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(LaunchFlowRow).values(**values))


async def count(connection: AsyncConnection, address: str | None) -> int:
    """Return how many launches are under way that began at an address."""
    query = select(func.count()).where(LaunchFlowRow.address == address)
    return int(await connection.scalar(query) or 0)


async def end_old(connection: AsyncConnection, at: datetime) -> None:
    await connection.execute(delete(LaunchFlowRow).where(LaunchFlowRow.ends_at <= at))


async def find(connection: AsyncConnection, hash: str) -> Flow | None:
    columns = tuple(getattr(LaunchFlowRow, name) for name in Flow.__dataclass_fields__)
    found = await connection.execute(select(*columns).where(LaunchFlowRow.hash == hash))
    row = found.one_or_none()
    return None if row is None else Flow(**row._mapping)


async def end(connection: AsyncConnection, hash: str) -> bool:
    """Use a launch up; False where somebody else has, meanwhile."""
    statement = delete(LaunchFlowRow).where(LaunchFlowRow.hash == hash)
    return (await connection.execute(statement)).rowcount > 0
