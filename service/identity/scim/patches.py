"""What a PATCH asks for, in the shapes of RFC 7644, Entra ID and Okta."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from service.identity.scim import filters, schemas
from service.identity.scim.errors import ScimError, wrong
from service.identity.scim.schemas import Changes

MESSAGE: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST: Final = 1000
LONGEST_PATH: Final = 500

Act = Literal["add", "replace", "remove"]

_PATH: Final = re.compile(r"([A-Za-z$][\w$-]*)(?:\[([^\[\]]*)\])?(?:\.([A-Za-z$][\w$-]*))?")


@dataclass(frozen=True, kw_only=True)
class Operation:
    act: Act
    attribute: str
    """In lower case, as ``sub`` is."""
    which: str | None
    sub: str | None
    value: Any
    by_path: bool


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Who is added to a group, taken out of it, or all that are in it."""

    act: Act
    people: frozenset[UUID]


def of_user(body: Any) -> Changes:
    """Return what is to be changed of somebody."""
    changes: Changes = {}
    for one in _operations(body, schemas.USER):
        changes.update(_of_user(one))
    return changes


def of_group(body: Any) -> tuple[Changes, tuple[Membership, ...]]:
    """Return what is to be changed of a group, and who is in it afterwards, step by step."""
    changes: Changes = {}
    steps: list[Membership] = []
    for one in _operations(body, schemas.GROUP):
        if one.attribute == "members":
            steps.append(_membership(one))
            if sum(len(step.people) for step in steps) > schemas.MOST_MEMBERS:
                raise schemas.too_many()
        elif one.attribute == "displayname":
            named = "" if one.act == "remove" else schemas.text(one.value, "display_name")
            changes["display_name"] = schemas.needed(named, "displayName")
        elif one.attribute == "externalid":
            said = None if one.act == "remove" else one.value
            changes["external_id"] = schemas.text(said, "external_id")
        else:
            _left_alone(one)
    return changes, tuple(steps)


_TEXTS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "active": ("active", schemas.flag),
    "username": (
        "user_name",
        lambda value: schemas.needed(schemas.text(value, "user_name"), "userName"),
    ),
    "externalid": ("external_id", lambda value: schemas.text(value, "external_id")),
    "displayname": ("display_name", schemas.shown),
}


def _of_user(one: Operation) -> Changes:
    value = None if one.act == "remove" else one.value
    changes: Changes = {}
    if one.attribute in _TEXTS and one.sub is None:
        column, read = _TEXTS[one.attribute]
        changes[column] = read(value)
    elif one.attribute == "emails":
        changes = _email(one, value)
    elif one.attribute != "name":
        _left_alone(one)
    elif one.sub is not None:
        # Of titles and middle names nothing is kept.
        column = schemas.NAMES.get(one.sub, "")
        changes = {column: schemas.shown(value)} if column else {}
    elif one.act == "remove":
        changes = dict.fromkeys(schemas.NAMES.values(), "")
    else:
        changes = schemas.names(value)
    return changes


def _email(one: Operation, value: Any) -> Changes:
    if one.which is not None:
        known = {"type": "type", "primary": "primary", "value": "value"}
        which = filters.parse(one.which, known, schemas.USER)
        # One address is kept: that for work, or the primary one.
        if ("type", "work") not in which and ("primary", True) not in which:
            return {}
    if one.sub not in (None, "value"):
        return {}
    return {"email": schemas.email(value)}


def _membership(one: Operation) -> Membership:
    if one.sub is not None:
        raise wrong("A path into members names nobody.", "invalidPath")
    if one.which is not None:
        found = filters.parse(one.which, {"value": "value"}, schemas.GROUP)
        if one.act != "remove" or len(found) != 1:
            raise wrong("Only remove goes with a filter of members, of one.", "invalidPath")
        return Membership(act="remove", people=frozenset({schemas.member(found[0][1])}))
    if one.act == "remove" and one.value is None:
        return Membership(act="replace", people=frozenset())
    return Membership(act=one.act, people=schemas.members(one.value))


def _left_alone(one: Operation) -> None:
    """Raise for what can be changed by nobody, or is not known."""
    if one.attribute == "password":
        raise wrong("No passwords are taken: the identity provider has them.", "mutability")
    if one.attribute in schemas.READ_ONLY:
        if one.by_path:
            raise wrong("This attribute is read alone.", "mutability")
    elif one.attribute not in schemas.IGNORED:
        raise wrong("No attribute has this path.", "invalidPath")


def _operations(body: Any, schema: str) -> Iterator[Operation]:
    found = schemas.resource(body, MESSAGE).get("operations")
    if not isinstance(found, list) or not found:
        raise wrong("Operations has to list one at least.", "invalidSyntax")
    if len(found) > MOST:
        raise ScimError("payload_too_large", f"At most {MOST} operations in one request.")
    for told in map(schemas.lowered, found):
        act, path, value = _act(told.get("op")), told.get("path"), told.get("value")
        if path:
            yield from _one(act, path, value, schema, by_path=True)
        elif act == "remove":
            raise wrong("remove needs a path.", "noTarget")
        else:
            if not isinstance(value, dict):
                raise wrong("Without a path the value is an object.")
            for name, one in value.items():
                yield from _one(act, name, one, schema, by_path=False)


def _act(said: Any) -> Act:
    match said.lower() if isinstance(said, str) else None:
        case "add":
            return "add"
        case "replace":
            return "replace"
        case "remove":
            return "remove"
    raise wrong("op is add, replace or remove.", "invalidSyntax")


def _one(act: Act, path: Any, value: Any, schema: str, *, by_path: bool) -> Iterator[Operation]:
    if not isinstance(path, str) or len(path) > LONGEST_PATH:
        raise wrong(f"A path has {LONGEST_PATH} characters at most.", "invalidPath")
    if path.lower().startswith(schemas.ENTERPRISE.lower()):
        return
    if path.lower().startswith(f"{schema.lower()}:"):
        path = path[len(schema) + 1 :]
    found = _PATH.fullmatch(path)
    if found is None:
        raise wrong("No attribute has this path.", "invalidPath")
    yield Operation(
        act=act,
        attribute=found[1].lower(),
        which=found[2],
        sub=None if found[3] is None else found[3].lower(),
        value=value,
        by_path=by_path,
    )
