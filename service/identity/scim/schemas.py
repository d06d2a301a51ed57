"""People and groups as the hospital's directory knows them, read out of what it sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from service.identity.oidc.claims import name_of
from service.identity.scim.errors import ScimError, wrong

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

LONGEST: Final = {"user_name": 200, "external_id": 400, "email": 254, "display_name": 200}
MOST_MEMBERS: Final = 1000
"""Named in one request."""

IGNORED: Final = frozenset(
    {
        "addresses", "entitlements", "ims", "locale", "nickname", "phonenumbers", "photos",
        "preferredlanguage", "profileurl", "roles", "timezone", "title", "usertype",
        "x509certificates",
    }
)  # fmt: skip
"""What directories say of people and nobody here needs: it is not kept."""

READ_ONLY: Final = frozenset({"id", "meta", "schemas", "groups"})
NAMES: Final[Mapping[str, str]] = {
    "formatted": "formatted", "givenname": "given_name", "familyname": "family_name"
}  # fmt: skip

Changes = dict[str, Any]
"""New values by column; an empty text: there is none any more."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A member of a group, or a group that somebody is in."""

    id: UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class User:
    id: UUID
    user_name: str
    external_id: str
    formatted: str
    given_name: str
    family_name: str
    display_name: str
    email: str
    active: bool
    created_at: datetime
    changed_at: datetime
    groups: tuple[Named, ...] = ()

    @property
    def name(self) -> str:
        """What stands beside what they sign."""
        return name_for(vars(self))


@dataclass(frozen=True, kw_only=True)
class Group:
    id: UUID
    display_name: str
    external_id: str
    created_at: datetime
    changed_at: datetime
    members: tuple[Named, ...] = ()


def name_for(told: Mapping[str, Any]) -> str:
    """Return the first of the names in ``told`` that is any."""
    both = f"{told.get('given_name') or ''} {told.get('family_name') or ''}"
    said = (told.get("display_name"), told.get("formatted"), both, told["user_name"])
    return next((found for found in map(name_of, (one or "" for one in said)) if found), "")


def lowered(value: Any) -> dict[str, Any]:
    """Return an object by its attributes' names in lower case: SCIM's have no case."""
    if not isinstance(value, Mapping):
        raise wrong("An object is needed here.")
    return {str(name).lower(): one for name, one in value.items()}


def resource(body: Any, schema: str) -> dict[str, Any]:
    """Return the attributes of ``body``, which has to say that it is of ``schema``."""
    found = lowered(body)
    told = found.get("schemas")
    if not isinstance(told, list) or schema not in told:
        raise wrong(f"schemas has to name {schema}.", "invalidSyntax")
    return found


def text(value: Any, column: str) -> str:
    """Return an attribute that is kept as it is; "" where there is none."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong("A text is needed here.")
    found, most = value.strip(), LONGEST[column]
    if len(found) > most or not found.isprintable():
        raise wrong(f"At most {most} characters on one line are allowed.")
    return found


def shown(value: Any) -> str:
    """Return a name on one line; what does not fit is cut."""
    if value is not None and not isinstance(value, str):
        raise wrong("A text is needed here.")
    return name_of(value or "")


def flag(value: Any) -> bool:
    """Return whether somebody is active; Entra ID sends texts, as "False"."""
    if isinstance(value, bool):
        return value
    told = value.strip().lower() if isinstance(value, str) else None
    if told not in ("true", "false"):
        raise wrong("true or false are allowed here.")
    return told == "true"


def email(value: Any) -> str:
    """Return the address that is kept of several: the primary one, that for work, or the first."""
    listed = [value] if isinstance(value, (Mapping, str)) else value or []
    if not isinstance(listed, list):
        raise wrong("A list is needed here.")
    found = [{"value": one} if isinstance(one, str) else lowered(one) for one in listed]

    def rank(one: Mapping[str, Any]) -> int:
        return (
            0 if one.get("primary") in (True, "true", "True") else 1 + (one.get("type") != "work")
        )

    return text(min(found, key=rank).get("value"), "email") if found else ""


def names(value: Any) -> Changes:
    told = lowered({} if value is None else value)
    return {column: shown(told[name]) for name, column in NAMES.items() if name in told}


def user(body: Any) -> Changes:
    """Return all that is kept of a whole resource; ``active`` only where it is said."""
    told = resource(body, USER)
    empty = dict.fromkeys(NAMES.values(), "")
    found: Changes = {
        "user_name": needed(text(told.get("username"), "user_name"), "userName"),
        "external_id": text(told.get("externalid"), "external_id"),
        **empty,
        **names(told.get("name")),
        "display_name": shown(told.get("displayname")),
        "email": email(told.get("emails")),
    }
    return {**found, "active": flag(told["active"])} if "active" in told else found


def group(body: Any) -> tuple[Changes, frozenset[UUID]]:
    """Return all that is kept of a whole resource, and who is in it."""
    told = resource(body, GROUP)
    changes = {
        "display_name": needed(text(told.get("displayname"), "display_name"), "displayName"),
        "external_id": text(told.get("externalid"), "external_id"),
    }
    return changes, members(told.get("members"))


def members(value: Any) -> frozenset[UUID]:
    """Return who is named in a list of members, or in a single one."""
    listed: Any = [value] if isinstance(value, Mapping) else ([] if value is None else value)
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise wrong("A list of members is needed here.")
    if len(listed) > MOST_MEMBERS:
        raise too_many()
    return frozenset(member(lowered(one).get("value")) for one in listed)


def member(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise no_member() from None


def no_member() -> ScimError:
    """Return what is said of whoever is no user of this site, a group's id included."""
    return wrong("A member has to be a user of this site, by id.")


def too_many() -> ScimError:
    return ScimError("payload_too_large", f"At most {MOST_MEMBERS} of them in one request.")


def needed(value: str, name: str) -> str:
    if not value:
        raise wrong(f"{name} is needed.")
    return value
