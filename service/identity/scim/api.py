"""``/scim/v2``: SCIM 2.0 for the hospital's directory, by a key of the role provisioner."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.errors import ServiceError
from service.http.caching import NO_STORE
from service.http.declared import essence
from service.http.dependencies import resource
from service.http.ids import path_id
from service.http.preconditions import IfMatch
from service.http.scim import MEDIA_TYPE, PREFIX
from service.http.upload import limited
from service.identity.dependencies import Acting
from service.identity.scim import descriptions, documents, filters, patches, schemas
from service.identity.scim.descriptions import MOST_LISTED
from service.identity.scim.directory import Directory, MaybeDirectory
from service.identity.scim.errors import ScimError, nobody, wrong
from service.identity.scim.filters import Filter
from service.identity.scim.schemas import Group, User

MOST_BYTES: Final = 2**20
MOST_QUERY: Final = 4000
_LARGEST: Final = 10**9
_TYPES: Final = frozenset({MEDIA_TYPE, "application/json"})

_USER_FILTERS: Final = {
    "id": "id", "username": "user_name", "externalid": "external_id", "active": "active",
    "emails": "email", "emails.value": "email",
}  # fmt: skip
_GROUP_FILTERS: Final = {
    "id": "id", "displayname": "display_name", "externalid": "external_id",
    "members": "members", "members.value": "members",
}  # fmt: skip


async def served(
    maybe: Annotated[MaybeDirectory, Depends(resource(MaybeDirectory))],
) -> Directory:
    """Return what serves the directory. Raises :class:`~service.errors.ServiceError`."""
    if maybe.directory is None:
        raise ScimError(
            "not_found",
            "SCIM needs OSTEOSERVE_OIDC_ISSUER, and a subject that externalId gives "
            "(OSTEOSERVE_OIDC_SUBJECT_CLAIMS): see docs/sign-in.md.",
        )
    return maybe.directory


DirectoryDep = Annotated[Directory, Depends(served)]
Id = Annotated[UUID, Depends(path_id(nobody))]

router = APIRouter(prefix=PREFIX, include_in_schema=False, dependencies=[Depends(served)])


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What of which resources is asked for."""

    which: Filter
    first: int
    most: int
    only: frozenset[str]
    without: frozenset[str]

    @property
    def members(self) -> bool:
        return "members" in self.only if self.only else "members" not in self.without


@router.get("/ServiceProviderConfig")
async def config(directory: DirectoryDep) -> Response:
    return _answer(descriptions.config(directory.base))


@router.get("/ResourceTypes")
async def types(directory: DirectoryDep) -> Response:
    return _all(descriptions.types(directory.base))


@router.get("/ResourceTypes/{name}")
async def one_type(name: str, directory: DirectoryDep) -> Response:
    return _named(descriptions.types(directory.base), name)


@router.get("/Schemas")
async def all_schemas(directory: DirectoryDep) -> Response:
    return _all(descriptions.schemas(directory.base))


@router.get("/Schemas/{name}")
async def one_schema(name: str, directory: DirectoryDep) -> Response:
    return _named(descriptions.schemas(directory.base), name)


@router.get("/Users")
async def users(request: Request, actor: Acting, directory: DirectoryDep) -> Response:
    asked = _asked(request, _USER_FILTERS, schemas.USER)
    total, found = await directory.users.page(actor, asked.which, asked.first - 1, asked.most)
    told = [documents.user(one, directory.base) for one in found]
    return _page(told, total, asked)


@router.post("/Users")
async def add_user(request: Request, actor: Acting, directory: DirectoryDep) -> Response:
    made = await directory.users.add(actor, schemas.user(await _body(request)))
    headers = {"Location": documents.location(directory.base, made)}
    return _user(request, made, directory, 201, headers)


@router.get("/Users/{id}")
async def user(request: Request, id: Id, actor: Acting, directory: DirectoryDep) -> Response:
    return _user(request, await directory.users.get(actor, id), directory)


@router.put("/Users/{id}")
async def replace_user(
    request: Request, id: Id, actor: Acting, tags: IfMatch, directory: DirectoryDep
) -> Response:
    told = schemas.user(await _body(request))
    changed = await directory.users.change(actor, id, told, tags, whole=True)
    return _user(request, changed, directory)


@router.patch("/Users/{id}")
async def change_user(
    request: Request, id: Id, actor: Acting, tags: IfMatch, directory: DirectoryDep
) -> Response:
    told = patches.of_user(await _body(request))
    return _user(request, await directory.users.change(actor, id, told, tags), directory)


@router.delete("/Users/{id}")
async def remove_user(id: Id, actor: Acting, tags: IfMatch, directory: DirectoryDep) -> Response:
    await directory.users.remove(actor, id, tags)
    return Response(None, 204, NO_STORE)


@router.get("/Groups")
async def groups(request: Request, actor: Acting, directory: DirectoryDep) -> Response:
    asked = _asked(request, _GROUP_FILTERS, schemas.GROUP)
    total, found = await directory.groups.page(
        actor, asked.which, asked.first - 1, asked.most, members=asked.members
    )
    told = [documents.group(one, directory.base) for one in found]
    if not asked.members:
        # It is not known without who is in it.
        for one in told:
            del one["meta"]["version"]
    return _page(told, total, asked)


@router.post("/Groups")
async def add_group(request: Request, actor: Acting, directory: DirectoryDep) -> Response:
    told, people = schemas.group(await _body(request))
    made = await directory.groups.add(actor, told, people)
    headers = {"Location": documents.location(directory.base, made)}
    return _group(request, made, directory, 201, headers)


@router.get("/Groups/{id}")
async def group(request: Request, id: Id, actor: Acting, directory: DirectoryDep) -> Response:
    return _group(request, await directory.groups.get(actor, id), directory)


@router.put("/Groups/{id}")
async def replace_group(
    request: Request, id: Id, actor: Acting, tags: IfMatch, directory: DirectoryDep
) -> Response:
    told, people = schemas.group(await _body(request))
    steps = (patches.Membership(act="replace", people=people),)
    return _group(request, await directory.groups.change(actor, id, told, steps, tags), directory)


@router.patch("/Groups/{id}")
async def change_group(
    request: Request, id: Id, actor: Acting, tags: IfMatch, directory: DirectoryDep
) -> Response:
    """Answer without the group: it may have thousands of members."""
    told, steps = patches.of_group(await _body(request))
    changed = await directory.groups.change(actor, id, told, steps, tags)
    return Response(None, 204, {**NO_STORE, **_tag(changed)})


@router.delete("/Groups/{id}")
async def remove_group(id: Id, actor: Acting, tags: IfMatch, directory: DirectoryDep) -> Response:
    await directory.groups.remove(actor, id, tags)
    return Response(None, 204, NO_STORE)


async def _body(request: Request) -> Any:
    if essence(request.headers.get("content-type", "")) not in _TYPES:
        raise ServiceError("unsupported_media_type", f"{MEDIA_TYPE} is taken here.")
    body = b"".join([chunk async for chunk in limited(request, MOST_BYTES, MOST_BYTES)])
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise wrong("The body is no JSON object in UTF-8.", "invalidSyntax") from None


def _no_number(_name: str) -> float:
    raise ValueError("NaN and Infinity are not JSON")


def _asked(request: Request, known: dict[str, str], schema: str) -> Asked:
    """Return what the query asks for. Raises :class:`~service.identity.scim.errors.ScimError`."""
    query = request.query_params
    only, without = _chosen(request, schema)
    said = query.get("filter")
    return Asked(
        which=() if said is None else filters.parse(said, known, schema),
        first=max(1, _number(query.get("startIndex"), 1)),
        most=min(MOST_LISTED, max(0, _number(query.get("count"), MOST_LISTED))),
        only=only,
        without=without,
    )


def _chosen(request: Request, schema: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the attributes that are asked for, and those that are not wanted."""
    query = request.query_params
    found = []
    for said in (query.get("attributes", ""), query.get("excludedAttributes", "")):
        if len(said) > MOST_QUERY:
            raise wrong(f"At most {MOST_QUERY} characters are allowed.")
        names = (one.strip().lower().removeprefix(f"{schema.lower()}:") for one in said.split(","))
        found.append(frozenset(one.partition(".")[0] for one in names if one))
    return found[0], found[1]


def _number(said: str | None, default: int) -> int:
    if said is None:
        return default
    digits = said.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise wrong("startIndex and count are whole numbers.")
    most = min(_LARGEST, int(digits[:10]))
    return -most if said.startswith("-") else most


def _user(
    request: Request,
    one: User,
    directory: Directory,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    told = documents.chosen(documents.user(one, directory.base), *_chosen(request, schemas.USER))
    return _answer(told, status, {**(headers or {}), **_tag(one)})


def _group(
    request: Request,
    one: Group,
    directory: Directory,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    told = documents.chosen(documents.group(one, directory.base), *_chosen(request, schemas.GROUP))
    return _answer(told, status, {**(headers or {}), **_tag(one)})


def _tag(one: User | Group) -> dict[str, str]:
    return {"ETag": f'W/"{documents.version(one)}"'}


def _page(told: list[dict[str, Any]], total: int, asked: Asked) -> Response:
    cut = [documents.chosen(one, asked.only, asked.without) for one in told]
    return _answer(documents.listed(cut, total, asked.first))


def _all(found: dict[str, dict[str, Any]]) -> Response:
    return _answer(documents.listed(list(found.values()), len(found), 1))


def _named(found: dict[str, dict[str, Any]], name: str) -> Response:
    if name not in found:
        raise nobody()
    return _answer(found[name])


def _answer(
    told: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    body = json.dumps(told, ensure_ascii=False).encode()
    return Response(body, status, {**NO_STORE, **(headers or {})}, media_type=MEDIA_TYPE)
