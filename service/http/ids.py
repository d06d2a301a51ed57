"""Ids in addresses: UUIDs, and nothing of ours has another form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import Path

from service.errors import ServiceError


def path_id(
    missing: Callable[[], ServiceError], name: str = "id"
) -> Callable[[str], Awaitable[UUID]]:
    """Return the dependency that is the id in the path's ``name``.

    What is no UUID names nothing of ours: ``missing`` is raised, as for an id of nothing.
    """

    async def dependency(
        text: str = Path(alias=name, json_schema_extra={"format": "uuid"}),
    ) -> UUID:
        try:
            return UUID(text)
        except ValueError:
            raise missing() from None

    return dependency
