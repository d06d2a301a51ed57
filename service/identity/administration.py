"""Pages of administrators: people with their roles, and keys of programs."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import RedirectResponse

from service.clock import now
from service.errors import ServiceError
from service.http.body import FormBody
from service.http.caching import NO_STORE
from service.http.dependencies import resource
from service.http.problems import Problem
from service.http.settings import Address
from service.identity import form, schemas
from service.identity.actor import Actor
from service.identity.contexts import (
    KeyRow,
    KeysPage,
    PeoplePage,
    PersonPage,
    PersonRow,
    SiteRow,
    SitesPage,
)
from service.identity.dependencies import Acting
from service.identity.entering import accounts, refused, trouble
from service.identity.form import Typed
from service.identity.people import People
from service.identity.programs import DAYS, Programs
from service.identity.schemas import AccountError, LastAdministratorError
from service.identity.services import PeopleDep, ProgramsDep, SitesDep
from service.identity.sites import Sites
from service.language.locale import N_
from service.web.dependencies import TemplatesDep
from service.web.templates import Templates

router = APIRouter(include_in_schema=False, dependencies=[Depends(accounts)])


async def _id(id: Annotated[str, Path()]) -> UUID:
    try:
        return UUID(id)
    except ValueError:
        raise _nobody() from None


Id = Annotated[UUID, Depends(_id)]


class PersonResponder:
    """Answers with the page of one person."""

    def __init__(
        self, request: Request, actor: Actor, people: People, templates: Templates, base: str
    ) -> None:
        self._request = request
        self._actor = actor
        self._people = people
        self._templates = templates
        self._base = base

    async def shown(self, id: UUID, *, token: str = "") -> Response:
        """``token``: of the link by which they set their password, which is shown once."""
        # A fragment is sent to nobody and stands in no log.
        link = f"{self._base.rstrip('/')}/welcome#{token}" if token else ""
        headers = {**NO_STORE, "Content-Location": f"/people/{id}"}
        return self._templates.respond(
            self._request, await self._page(id, link=link), headers=headers
        )

    async def changed(self, id: UUID, change: Awaitable[bool]) -> Response:
        """Answer with the page as it is after ``change``, which is False where nobody is found."""
        try:
            if not await change:
                raise _nobody()
        except LastAdministratorError as error:
            page = await self._page(id, trouble=trouble(error))
            return refused(self._templates, self._request, page, error)
        return RedirectResponse(f"/people/{id}", 303, NO_STORE)

    async def _page(self, id: UUID, *, link: str = "", trouble: str = "") -> PersonPage:
        found = await self._people.get(self._actor, id)
        if found is None:
            raise _nobody()
        return PersonPage(
            row=PersonRow.of(found),
            roles=form.roles(found.by_hand),
            elsewhere={
                site: form.roles(chosen, site)
                for site, chosen in (await self._people.elsewhere(self._actor, id)).items()
            },
            disabled=found.disabled_at is not None,
            link=link,
            trouble=trouble,
        )


async def _responder(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    templates: TemplatesDep,
    address: Annotated[Address, Depends(resource(Address))],
) -> PersonResponder:
    base = address.public_url or str(request.base_url)
    return PersonResponder(request, actor, people, templates, base)


PersonPageDep = Annotated[PersonResponder, Depends(_responder)]


@router.get("/people")
async def people_page(
    request: Request, actor: Acting, people: PeopleDep, templates: TemplatesDep
) -> Response:
    page = await _people(actor, people, {"role_clinician": "yes"})
    return templates.respond(request, page, headers=NO_STORE)


@router.post("/people")
async def add(
    request: Request,
    actor: Acting,
    people: PeopleDep,
    templates: TemplatesDep,
    page: PersonPageDep,
    sent: FormBody,
) -> Response:
    """Form fields: ``login``, ``name``, and a ``role_…`` for each role."""
    try:
        login, name = schemas.account(sent)
        made, token = await people.add(actor, login, name, form.roles_in(sent))
    except AccountError as error:
        return refused(templates, request, await _people(actor, people, sent, error), error)
    return await page.shown(made, token=token)


@router.get("/people/{id}")
async def person(id: Id, page: PersonPageDep) -> Response:
    return await page.shown(id)


@router.post("/people/{id}/roles")
async def set_roles(
    id: Id, actor: Acting, people: PeopleDep, page: PersonPageDep, sent: FormBody
) -> Response:
    """Form fields: a ``role_…`` for each role that they are to have; ``site``, if another."""
    change = people.set_roles(actor, id, form.roles_in(sent), sent.get("site"))
    return await page.changed(id, change)


@router.post("/people/{id}/disable")
async def disable(id: Id, actor: Acting, people: PeopleDep, page: PersonPageDep) -> Response:
    return await page.changed(id, people.disable(actor, id))


@router.post("/people/{id}/enable")
async def enable(id: Id, actor: Acting, people: PeopleDep, page: PersonPageDep) -> Response:
    return await page.changed(id, people.enable(actor, id))


@router.post("/people/{id}/link")
async def link(id: Id, actor: Acting, people: PeopleDep, page: PersonPageDep) -> Response:
    token = await people.link(actor, id)
    if token is None:
        raise _nobody()
    return await page.shown(id, token=token)


@router.post("/people/{id}/second/reset")
async def reset_second(id: Id, actor: Acting, people: PeopleDep, page: PersonPageDep) -> Response:
    return await page.changed(id, people.reset_second(actor, id))


@router.post("/sites/{site}/name")
async def rename_site(
    request: Request,
    site: str,
    actor: Acting,
    sites: SitesDep,
    templates: TemplatesDep,
    sent: FormBody,
) -> Response:
    """Form field: ``name``, what people call the site from now on."""
    try:
        if not await sites.rename(actor, site, schemas.site_name(sent.get("name", ""))):
            raise Problem("not_found", N_("There is no such site, or it is not yours to manage."))
    except AccountError as error:
        page = await _sites(actor, sites, {}, renaming=(site, sent, error))
        return refused(templates, request, page, error)
    return RedirectResponse("/sites", 303, NO_STORE)


@router.get("/sites")
async def sites_page(
    request: Request, actor: Acting, sites: SitesDep, templates: TemplatesDep
) -> Response:
    return templates.respond(request, await _sites(actor, sites, {}), headers=NO_STORE)


@router.post("/sites")
async def add_site(
    request: Request, actor: Acting, sites: SitesDep, templates: TemplatesDep, sent: FormBody
) -> Response:
    """Form field: ``site``. Whoever adds it is its first administrator."""
    try:
        await sites.add(actor, schemas.site(sent.get("site", "")), People.own(actor))
    except AccountError as error:
        return refused(templates, request, await _sites(actor, sites, sent, error), error)
    return RedirectResponse("/sites", 303, NO_STORE)


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
        return refused(templates, request, await _keys(actor, programs, sent, error), error)
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
    actor: Actor, people: People, typed: Typed, error: ServiceError | None = None
) -> PeoplePage:
    return PeoplePage(
        rows=tuple(PersonRow.of(one) for one in await people.all(actor)),
        fields=form.new_person(typed, error.faults if error else ()) if people.may_add else (),
        roles=form.roles(form.roles_in(typed)),
    )


async def _sites(
    actor: Actor,
    sites: Sites,
    typed: Typed,
    error: ServiceError | None = None,
    renaming: tuple[str, Typed, ServiceError] | None = None,
) -> SitesPage:
    """``renaming``: the site whose new name cannot be taken, and what was sent."""
    fields = form.new_site(typed, error.faults if error else ())
    names = await sites.names()
    managed = await sites.managed(actor)
    rows = []
    for code in await sites.all(actor):
        sent: Typed = {"name": names.get(code, "")}
        faults: form.Faults = ()
        if renaming is not None and renaming[0] == code:
            sent, faults = renaming[1], renaming[2].faults
        rows.append(
            SiteRow(
                code=code,
                name=names.get(code, ""),
                field=form.site_name(code, sent, faults) if code in managed else None,
            )
        )
    return SitesPage(sites=tuple(rows), fields=fields if sites.may_add(actor) else ())


async def _keys(
    actor: Actor,
    programs: Programs,
    typed: Typed | None = None,
    error: ServiceError | None = None,
    key: str = "",
) -> KeysPage:
    return KeysPage(
        rows=tuple(KeyRow.of(one, now()) for one in await programs.all(actor)),
        fields=form.new_key(typed or {"days": str(DAYS)}, error.faults if error else ()),
        key=key,
    )


def _nobody() -> Problem:
    return Problem("not_found", N_("Nobody has this number."))


def _no_key() -> Problem:
    return Problem("not_found", N_("No key that is good has this number."))
