"""People and groups as SCIM writes them, and the version of each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any, Final

from service.identity.scim.schemas import GROUP, USER, Group, Named, User

LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ALWAYS: Final = frozenset({"schemas", "id"})
"""Attributes that are never left out."""


def version(one: User | Group) -> str:
    """Return what changes with anything that is told of ``one``."""
    return hashlib.sha256(repr(one).encode()).hexdigest()[:32]


def matches(one: User | Group, tags: frozenset[str] | None) -> bool:
    """Whether ``one`` is what ``If-Match`` demands."""
    return tags is None or version(one) in tags


def location(base: str, one: User | Group) -> str:
    kind = "Users" if isinstance(one, User) else "Groups"
    return f"{base}/{kind}/{one.id}"


def user(one: User, base: str) -> dict[str, Any]:
    name = {
        "formatted": one.formatted, "givenName": one.given_name, "familyName": one.family_name
    }  # fmt: skip
    told = {
        "schemas": [USER],
        "id": str(one.id),
        "externalId": one.external_id,
        "userName": one.user_name,
        "name": {key: value for key, value in name.items() if value},
        "displayName": one.display_name,
        "emails": [{"value": one.email, "type": "work", "primary": True}] if one.email else [],
        "active": one.active,
        "groups": _named(one.groups, base, "Groups"),
        "meta": _meta("User", one, base),
    }
    return {key: value for key, value in told.items() if value not in ("", [], {})}


def group(one: Group, base: str) -> dict[str, Any]:
    told = {
        "schemas": [GROUP],
        "id": str(one.id),
        "externalId": one.external_id,
        "displayName": one.display_name,
        "members": _named(one.members, base, "Users"),
        "meta": _meta("Group", one, base),
    }
    return {key: value for key, value in told.items() if value != ""}


def listed(resources: list[dict[str, Any]], total: int, first: int) -> dict[str, Any]:
    """Return a page of resources."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": first,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def chosen(told: dict[str, Any], only: Collection[str], without: Collection[str]) -> dict[str, Any]:
    """Return those attributes of a resource that were asked for; names are in lower case."""
    if only:
        return {key: one for key, one in told.items() if key.lower() in only or key in ALWAYS}
    return {key: one for key, one in told.items() if key.lower() not in without or key in ALWAYS}


def _named(found: tuple[Named, ...], base: str, kind: str) -> list[dict[str, str]]:
    return [
        {"value": str(one.id), "display": one.name, "$ref": f"{base}/{kind}/{one.id}"}
        for one in found
    ]


def _meta(kind: str, one: User | Group, base: str) -> dict[str, str]:
    return {
        "resourceType": kind,
        "created": one.created_at.isoformat().replace("+00:00", "Z"),
        "lastModified": one.changed_at.isoformat().replace("+00:00", "Z"),
        "location": location(base, one),
        "version": f'W/"{version(one)}"',
    }
