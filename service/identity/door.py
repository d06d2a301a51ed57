"""The one way in: who asks, and whether the table of rules lets them.

A dependency of the whole app, before any other: what it refuses has read no body and looked up
nothing. A person comes with a cookie, a program with ``Authorization: Bearer``; both at once are
refused, since nobody could say who it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route

from service.errors import ServiceError
from service.http.caching import NO_STORE
from service.http.client import address, is_forwarded
from service.http.cookies import sent
from service.http.dependencies import STATE
from service.http.problems import Problem, wants_page
from service.http.security import SameOrigin
from service.identity.actor import Actor
from service.identity.cookie import SessionCookie
from service.identity.dependencies import ACTOR
from service.identity.events import Denied, WasRead
from service.identity.guests import Guests
from service.identity.oidc.programs import ProviderPrograms
from service.identity.programs import Programs
from service.identity.reading import Reading
from service.identity.refusals import Refusals
from service.identity.rules import RULES, Rule, gaps
from service.identity.sessions import Sessions
from service.identity.settings import IdentitySettings
from service.language.locale import N_
from service.resources import Resources
from service.storage.errors import StorageError
from service.storage.transaction import Transactions

SIGN_IN: Final = "/signin"
_UNWATCHED: Final = "/health/"
"""Probes ask again and again and touch nothing but what they are about."""


class SignInNeededError(Exception):
    """A page was asked for by somebody who has not signed in; ``back``: where they would go."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


def to_sign_in(_: Request, error: Exception) -> RedirectResponse:
    """Answer :class:`SignInNeededError`."""
    back = error.back if isinstance(error, SignInNeededError) else ""
    query = f"?next={quote(back, safe='/')}" if back not in ("", "/") else ""
    return RedirectResponse(SIGN_IN + query, 303, NO_STORE)


class Door:
    """Lets in, or raises; leaves the :class:`~service.identity.actor.Actor` in the scope."""

    def __init__(
        self, settings: IdentitySettings, cookie: SessionCookie, same_origin: SameOrigin
    ) -> None:
        self._open = settings.auth == "none"
        self._proxies = settings.proxies
        self._cookie = cookie
        self._same_origin = same_origin

    async def __call__(self, request: Request) -> None:
        if self._open:
            self._same_origin.check(request)
            request.scope[ACTOR] = Actor.anonymous()
            return
        # A route that was added later and has no rule is nobody's.
        rule = RULES[request.method, request.scope["route"].path]
        resources: Resources = getattr(request.state, STATE)
        came_from = address(request, self._proxies)
        actor = await self._actor(request, rule, resources, came_from)
        request.scope[ACTOR] = actor
        try:
            self._from_here(request, resources)
        except ServiceError as error:
            await self._denied(request, resources, actor, error.code)
            raise
        if rule.whom == "anybody" or (rule.whom == "monitoring" and not is_forwarded(request)):
            return
        if actor.id is None:
            refused = self._unknown(request)
            if isinstance(refused, Problem):
                await self._denied(request, resources, actor, refused.code)
            raise refused
        if not rule.allows(actor):
            await self._denied(request, resources, actor, "forbidden")
            raise ServiceError(
                "forbidden",
                N_("This is not among what your role may do.")
                if actor.roles
                else N_("This account has no role yet: ask whoever manages accounts."),
            )
        if rule.reads is not None:
            await resources.get(Reading).note(
                WasRead(
                    actor=actor,
                    what=rule.reads,
                    id=_named(request.path_params),
                    route=request.scope["route"].path,
                )
            )

    async def _actor(
        self, request: Request, rule: Rule, resources: Resources, came_from: str | None
    ) -> Actor:
        nobody = Actor(address=came_from)
        if request.url.path.startswith(_UNWATCHED):
            return nobody
        cookies, key = sent(request.scope, self._cookie.name), _bearer(request)
        if len(cookies) > 1 or (cookies and key is not None):
            raise ServiceError(
                "bad_request", N_("The request comes with more than one sign-in or key.")
            )
        try:
            if cookies:
                # A page that has lain idle asks by itself whether it may go on.
                counts = request.url.path != SIGN_IN or request.method != "GET"
                found = await resources.get(Sessions).find(cookies[0], came_from, counts=counts)
            elif key is not None:
                found = await self._program(request, key, resources, came_from)
            else:
                found = None
        except (StorageError, ServiceError):
            # What anybody may see needs nobody's name.
            if rule.whom == "anybody":
                return nobody
            raise
        return nobody if found is None else found

    @staticmethod
    async def _program(
        request: Request, key: str, resources: Resources, came_from: str | None
    ) -> Actor | None:
        found = await resources.get(Programs).find(key, came_from)
        guests, path = resources.get(Guests), request.url.path
        if found is None and guests.has(path):
            # A token for one address is none of the identity provider's.
            url = str(request.url.replace(query=None, fragment=None))
            return await guests.find(key, came_from, url, path)
        if found is None:
            found = await resources.get(ProviderPrograms).find(key, came_from)
        return found

    def _from_here(self, request: Request, resources: Resources) -> None:
        """Raise where a browser sends this for a page of another site that may not call here."""
        origin, path = request.headers.get("origin"), request.url.path
        # Without a cookie nobody's sign-in is used that a page could not show by itself.
        is_bare = not sent(request.scope, self._cookie.name)
        if not (is_bare and resources.get(Guests).may_come_from(origin, path)):
            self._same_origin.check(request)

    def _unknown(self, request: Request) -> Exception:
        if not wants_page(request) or _bearer(request) is not None:
            return Problem(
                "sign_in",
                N_("Send a key as Authorization: Bearer, or sign in."),
                {"WWW-Authenticate": "Bearer"},
            )
        query = f"?{request.url.query}" if request.url.query else ""
        return SignInNeededError(request.url.path + query if request.method == "GET" else "")

    async def _denied(
        self, request: Request, resources: Resources, actor: Actor, code: str
    ) -> None:
        """Leave a row in the trail; of strangers a few a minute."""
        event = Denied(
            actor=actor, method=request.method, route=request.scope["route"].path, code=code
        )
        if actor.id is None:
            await resources.get(Refusals).note(event)
        else:
            await resources.get(Transactions).emit(event)


def _bearer(request: Request) -> str | None:
    """Return the key in Authorization; what else it may hold is for a proxy in front of us."""
    found = request.headers.getlist("authorization")
    scheme, _, key = (found[0] if len(found) == 1 else "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _named(parameters: Mapping[str, Any]) -> str | None:
    """Return what the address names; text that is no id of ours is not kept."""
    found = next((str(parameters[name]) for name in ("id", "key") if name in parameters), None)
    return None if found is None else found.lower()[:36] if _is_id(found) else "?"


def _is_id(text: str) -> bool:
    return len(text) <= 36 and all(one in "0123456789abcdefABCDEF-" for one in text)


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """Return all that ``app`` answers: method and template, or MOUNT and path."""
    return set(_routes(app.routes))


def _routes(found: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    for one in found:
        router = getattr(one, "original_router", None)
        if router is not None:
            yield from _routes(router.routes)
        elif isinstance(one, Mount):
            yield "MOUNT", one.path
        elif isinstance(one, Route):
            yield from ((method, one.path) for method in (one.methods or set()) - {"HEAD"})
        else:
            yield "?", repr(one)


def guard(app: FastAPI) -> None:
    """Raise where a route of ``app`` has no rule, or a rule no route."""
    found = list(gaps(routes(app)))
    if found:
        raise RuntimeError("; ".join(found))
