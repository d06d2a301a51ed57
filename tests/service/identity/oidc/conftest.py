from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.service.kit.fronts import Front, front
from tests.service.kit.idp import CLIENT, SECRET, Idp, idp
from tests.service.kit.runners import running

ROLES = {
    "dxa-viewers": "viewer",
    "dxa-clinicians": "clinician",
    "dxa-admins": ["administrator"],
    "north": "north:clinician",
}
PROGRAMS = {"pacs-router": "integrator", "reports": "north:viewer"}

Opened = Callable[..., AbstractAsyncContextManager[Front]]


@pytest.fixture(scope="module")
async def runners() -> AsyncIterator[Any]:
    async with running() as started:
        yield started


def settings(provider: Idp, **others: Any) -> dict[str, Any]:
    port = others.get("port") or free_port()
    return {
        "auth": "local",
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_name": "Klinikum",
        "oidc_contact": "the service desk, 4711",
        "oidc_roles": json.dumps(ROLES),
        "oidc_audience": "dxa-api",
        "oidc_programs": json.dumps(PROGRAMS),
        **others,
    }


@pytest.fixture(scope="module")
async def house(
    runners: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Front, Idp]]:
    """A front and its provider, which the tests of a module share."""
    async with idp() as started:
        var = tmp_path_factory.mktemp("var")
        async with front(var, runners, **settings(started)) as opened:
            yield opened, started


@pytest.fixture
def door(house: tuple[Front, Idp]) -> Front:
    return house[0]


@pytest.fixture
def provider(house: tuple[Front, Idp], request: pytest.FixtureRequest) -> Idp:
    """Make the shared provider honest again; whoever signs in is somebody new each time."""
    shared = house[1]
    mark = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    fresh = Idp(
        issuer=shared.issuer,
        key=shared.key,
        sub=f"sub-{mark}",
        sid=f"sid-{mark}",
        claims={"groups": ["dxa-clinicians"]},
    )
    vars(shared).update(vars(fresh))
    return shared


@pytest.fixture
async def own() -> AsyncIterator[Idp]:
    """A provider of a test's own, whose keys and whose silence bother no other test."""
    async with idp(claims={"groups": ["dxa-clinicians"]}) as started:
        yield started


@pytest.fixture
def opened(own: Idp, runners: Any, tmp_path: Path) -> Opened:
    """Start a front of a test's own; settings may be others, and it may be a second one."""

    @asynccontextmanager
    async def start(**others: Any) -> AsyncIterator[Front]:
        async with front(tmp_path, runners, **settings(own, **others)) as started:
            yield started

    return start
