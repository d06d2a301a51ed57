"""Pages of administrators: people with their roles, and keys of programs."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import RedirectResponse

from service.clock import now
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.dependencies import resource
from service.http.problem_types import KINDS
from service.http.problems import Problem
from service.http.settings import Address
from service.identity import schemas
from service.identity.actor import ROLES, Actor, Role
from service.identity.contexts import (
    KeyRow,
    KeysPage,
    PeoplePage,
    PersonPage,
    PersonRow,
    choices,
    said,
)
from service.identity.dependencies import Acting
from service.identity.pages import accounts
from service.identity.people import People
from service.identity.programs import DAYS, Programs
from service.identity.schemas import AccountError, LastAdministratorError
from service.identity.services import PeopleDep, ProgramsDep
from service.language.locale import N_, _
from service.web.dependencies import TemplatesDep
from service.web.templates import Templates

router = APIRouter(include_in_schema=False, dependencies=[Depends(accounts)])

_PREFIX = "role_"
"""Of the checkboxes of a form: a name each, since a field counts once."""


async def _id(id: Annotated[str, Path()]) -> UUID:
    try:
        return UUID(id)
    except ValueError:
        raise _nobody() from None


Id = Annotated[UUID, Depends(_id)]


@router.get("/people")
async def people_page(
    request: Request, actor: Acting, people: PeopleDep, templates: TemplatesDep
) -> Response:
    return templates.respond(request, await _people(actor, people), headers=NO_STORE)


@router.post("/people")
async def add(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    templates: TemplatesDep,
    address: Annotated[Address, Depends(resource(Address))],
    sent: FormBody,
) -> Response:
    """Form fields: ``login``, ``name``, and a ``role_…`` for each role."""
    try:
        login, name = schemas.account(sent)
        made, token = await people.add(actor, login, name, _roles(sent))
    except AccountError as error:
        page = await _people(actor, people, sent, error)
        return templates.respond(request, page, 422, NO_STORE)
    return await _person(
        request, actor, people, templates, made, link=_link(request, address, token)
    )


@router.get("/people/{id}")
async def person(
    request: Request, id: Id, actor: Acting, people: PeopleDep, templates: TemplatesDep
) -> Response:
    return await _person(request, actor, people, templates, id)


@router.post("/people/{id}/roles")
async def set_roles(
    request: Request,
    id: Id,
    actor: Acting,
    people: PeopleDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    return await _changed(
        request, actor, people, templates, id, people.set_roles(actor, id, _roles(sent))
    )


@router.post("/people/{id}/disable")
async def disable(
    request: Request, id: Id, actor: Acting, people: PeopleDep, templates: TemplatesDep
) -> Response:
    return await _changed(request, actor, people, templates, id, people.disable(actor, id))


@router.post("/people/{id}/enable")
async def enable(
    request: Request, id: Id, actor: Acting, people: PeopleDep, templates: TemplatesDep
) -> Response:
    return await _changed(request, actor, people, templates, id, people.enable(actor, id))


@router.post("/people/{id}/link")
async def link(
    request: Request,
    id: Id,
    actor: Acting,
    people: PeopleDep,
    templates: TemplatesDep,
    address: Annotated[Address, Depends(resource(Address))],
) -> Response:
    token = await people.link(actor, id)
    if token is None:
        raise _nobody()
    return await _person(request, actor, people, templates, id, link=_link(request, address, token))


@router.get("/keys")
async def keys_page(
    request: Request, actor: Acting, programs: ProgramsDep, templates: TemplatesDep
) -> Response:
    return templates.respond(request, await _keys(actor, programs), headers=NO_STORE)


@router.post("/keys")
async def add_key(
    request: Request, actor: Acting, programs: ProgramsDep, templates: TemplatesDep, sent: FormBody
) -> Response:
    """Form fields: ``name``, ``role``, ``days``."""
    try:
        name = schemas.key_name(sent.get("name", ""))
        role = schemas.role(sent.get("role", ""))
        days = schemas.key_days(sent.get("days", str(DAYS)))
    except AccountError as error:
        page = await _keys(actor, programs, sent, error)
        return templates.respond(request, page, 422, NO_STORE)
    _made, key = await programs.add(actor, name, role, days)
    return templates.respond(request, await _keys(actor, programs, key=key), headers=NO_STORE)


@router.post("/keys/{id}/rotate")
async def rotate(
    request: Request, id: Id, actor: Acting, programs: ProgramsDep, templates: TemplatesDep
) -> Response:
    key = await programs.renew(actor, id)
    if key is None:
        raise _no_key()
    return templates.respond(request, await _keys(actor, programs, key=key), headers=NO_STORE)


@router.post("/keys/{id}/revoke")
async def revoke(id: Id, actor: Acting, programs: ProgramsDep) -> Response:
    if not await programs.revoke(actor, id):
        raise _no_key()
    return RedirectResponse("/keys", 303, NO_STORE)


async def _people(
    actor: Actor,
    people: People,
    typed: Mapping[str, str] | None = None,
    error: AccountError | None = None,
) -> PeoplePage:
    return PeoplePage(
        rows=tuple(PersonRow.of(one) for one in await people.all(actor)),
        offered=choices(_roles(typed or {"role_clinician": "on"})),
        typed=typed or {},
        faults=said(error.faults) if error else {},
    )


async def _person(
    request: Request,
    actor: Actor,
    people: People,
    templates: Templates,
    id: UUID,
    *,
    link: str = "",
    trouble: str = "",
    status: int = 200,
) -> Response:
    found = await people.get(actor, id)
    if found is None:
        raise _nobody()
    page = PersonPage(
        row=PersonRow.of(found),
        offered=choices(found.by_hand),
        disabled=found.disabled_at is not None,
        link=link,
        trouble=trouble,
    )
    headers = {**NO_STORE, "Content-Location": f"/people/{id}"}
    return templates.respond(request, page, status, headers)


async def _changed(
    request: Request,
    actor: Actor,
    people: People,
    templates: Templates,
    id: UUID,
    change: Awaitable[bool],
) -> Response:
    try:
        if not await change:
            raise _nobody()
    except LastAdministratorError as error:
        kind = KINDS[error.code]
        return await _person(
            request, actor, people, templates, id, trouble=_(kind.help), status=kind.status
        )
    return RedirectResponse(f"/people/{id}", 303, NO_STORE)


async def _keys(
    actor: Actor,
    programs: Programs,
    typed: Mapping[str, str] | None = None,
    error: AccountError | None = None,
    key: str = "",
) -> KeysPage:
    return KeysPage(
        rows=tuple(KeyRow.of(one, now()) for one in await programs.all(actor)),
        offered=choices({(typed or {}).get("role", "integrator")}),
        typed=typed or {"days": str(DAYS)},
        faults=said(error.faults) if error else {},
        key=key,
    )


def _roles(sent: Mapping[str, str]) -> set[Role]:
    return {role for role in ROLES if f"{_PREFIX}{role}" in sent}


def _link(request: Request, address: Address, token: str) -> str:
    """Return where a password is set. A fragment is sent to nobody and stands in no log."""
    base = address.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/welcome#{token}"


def _nobody() -> Problem:
    return Problem("not_found", N_("Nobody has this number."))


def _no_key() -> Problem:
    return Problem("not_found", N_("No key that is good has this number."))
