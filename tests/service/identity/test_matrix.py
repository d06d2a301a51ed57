"""Every route asked as everybody, held against one table that was read by people: matrix.txt."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from service.app import create_app
from service.identity.actor import KEY_ROLES, ROLES
from service.identity.door import guard, routes
from service.identity.rules import RULES
from service.settings import Settings
from tests.service.kit.accounts import bearer, browser, key, person
from tests.service.kit.fronts import Front

pytestmark = pytest.mark.anyio

WHO = ("nobody", *KEY_ROLES)
MATRIX = Path(__file__).with_name("matrix.txt")


def matrix() -> Mapping[tuple[str, str], frozenset[str]]:
    """Return who is answered, by method and template."""
    lines = MATRIX.read_text().splitlines()
    assert lines[0].split() == ["method", "route", *WHO]
    found = {}
    for line in lines[1:]:
        method, route, *marks = line.split()
        assert len(marks) == len(WHO)
        assert set(marks) <= {"+", "-"}
        allowed = frozenset(who for who, mark in zip(WHO, marks, strict=True) if mark == "+")
        found[method, route] = allowed
    assert len(found) == len(lines) - 1
    return found


def test_the_matrix_has_every_route_and_no_other() -> None:
    app = create_app(Settings())
    served = {one for one in routes(app) if one[0] != "MOUNT"}
    assert matrix().keys() == served
    assert {one for one in RULES if one[0] == "MOUNT"} == routes(app) - served


def test_a_front_with_a_route_that_has_no_rule_does_not_start() -> None:
    app = FastAPI(openapi_url=None)

    @app.get("/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="GET /forgotten has no rule"):
        guard(app)


async def test_every_route_as_everybody(guarded: Front) -> None:
    expected = matrix()
    async with AsyncExitStack() as stack:
        clients = {"nobody": await stack.enter_async_context(browser(guarded))}
        for role in ROLES:
            somebody = await stack.enter_async_context(person(guarded, f"m-{role}", role))
            clients[role] = somebody.client
        # Signing out comes last.
        order = sorted(expected, key=lambda one: (one[1] == "/signout", one))
        wrong = []
        for method, route in order:
            for who, client in clients.items():
                answer = await client.request(method, filled(route))
                if is_let_in(answer) != (who in expected[method, route]):
                    wrong.append(f"{method} {route} as {who}: {answer.status_code}")
        assert wrong == []


async def test_every_route_with_a_key_of_every_role(guarded: Front) -> None:
    """A key is let in where a person of its role is, but where only people are."""
    wrong = []
    async with browser(guarded) as client:
        for role in KEY_ROLES:
            headers = bearer(await key(guarded, role))
            for (method, route), allowed in matrix().items():
                person_alone = RULES[method, route].whom == "person"
                answer = await client.request(method, filled(route), headers=headers)
                if is_let_in(answer) != (role in allowed and not person_alone):
                    wrong.append(f"{method} {route} with {role}: {answer.status_code}")
    assert wrong == []


async def test_attack_6_no_method_and_no_spelling_gets_more(guarded: Front) -> None:
    """Attack 6."""
    async with browser(guarded) as client:
        for asked in (
            ("HEAD", "/api/v1/predictions"),
            ("OPTIONS", "/api/v1/predictions"),
            ("GET", "//api/v1/predictions"),
            ("GET", "/api%2Fv1%2Fpredictions"),
            ("GET", "/api/v1/predictions/"),
            ("GET", "/API/v1/predictions"),
        ):
            answer = await client.request(*asked)
            assert answer.status_code in (303, 401, 404, 405), asked
        hidden = {"X-HTTP-Method-Override": "GET"}
        assert (await client.post("/people", headers=hidden)).status_code == 303


def filled(route: str) -> str:
    id = str(uuid4())
    for name, value in (("{id}", id), ("{key}", id), ("{model}", "cnn"), ("{name}", "roc")):
        route = route.replace(name, value)
    return route


def is_let_in(answer: httpx.Response) -> bool:
    if answer.status_code == 303 and answer.headers["location"].startswith("/signin"):
        path = answer.request.url.path
        # Without a password before it there is nothing to give a second factor to.
        return path == "/signin/second" or (path == "/signout" and "set-cookie" in answer.headers)
    if answer.status_code in (401, 403):
        # What these answer to an empty name and to no code is past the door.
        if answer.status_code == 401 and answer.url.path == "/account/second/confirm":
            return True
        return answer.url.path in ("/signin", "/welcome")
    return answer.status_code < 500
