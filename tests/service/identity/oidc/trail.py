"""What the trail of a front says, and how many rows its tables have."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from tests.service.kit.accounts import transactions
from tests.service.kit.fronts import Front


async def rows(opened: Front, statement: str, **values: Any) -> list[Any]:
    async with transactions(opened.settings) as on, on.read() as connection:
        return list(await connection.execute(sa.text(statement), values))


async def count(opened: Front, table: str) -> int:
    return int((await rows(opened, f"SELECT count(*) FROM {table}"))[0][0])  # noqa: S608 - ours


async def told(opened: Front, kind: str) -> list[dict[str, Any]]:
    """Return the details of every entry of a kind, the oldest first."""
    found = await rows(
        opened, "SELECT detail FROM audit_event WHERE kind = :kind ORDER BY at, id", kind=kind
    )
    return [json.loads(row.detail) for row in found]


async def reasons(opened: Front, kind: str = "sign_in_failed") -> list[str]:
    return [detail["reason"] for detail in await told(opened, kind)]


class Since:
    """Counts what is new from here on."""

    def __init__(self, opened: Front, before: dict[str, int], failures: int) -> None:
        self._front, self._before, self._failures = opened, before, failures

    @classmethod
    async def now(cls, opened: Front) -> Since:
        before = {name: await count(opened, name) for name in ("session", "person", "identity")}
        return cls(opened, before, len(await reasons(opened)))

    async def nobody_came(self) -> bool:
        """Whether no session, person or identity is there that was not."""
        return all([await count(self._front, name) <= was for name, was in self._before.items()])

    async def refused(self) -> list[str]:
        return (await reasons(self._front))[self._failures :]
