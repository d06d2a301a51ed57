from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from service.identity.actor import DEFAULT_SITE
from service.settings import Settings
from tests.service.identity.oidc.conftest import settings as oidc_settings
from tests.service.identity.scim.client import Client
from tests.service.kit.accounts import bearer, key
from tests.service.kit.fronts import Front, front
from tests.service.kit.idp import Idp, idp
from tests.service.kit.runners import running

Opened = Callable[..., AbstractAsyncContextManager[Front]]


@pytest.fixture(scope="module")
async def runners() -> AsyncIterator[Any]:
    async with running() as started:
        yield started


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[Idp]:
    async with idp() as started:
        yield started


@pytest.fixture(scope="module")
async def door(
    runners: Any, provider: Idp, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Front]:
    """A front with an identity provider, which the tests of a module share."""
    var = tmp_path_factory.mktemp("var")
    async with front(var, runners, **oidc_settings(provider)) as opened:
        yield opened


@pytest.fixture
async def scim(door: Front) -> AsyncIterator[Client]:
    """The hospital's directory, with a key of the default site."""
    async with await directory(door) as client:
        yield client


@pytest.fixture
async def north(door: Front) -> AsyncIterator[Client]:
    """The directory of another site."""
    async with await directory(door, "north") as client:
        yield client


async def directory(opened: Front, site: str = DEFAULT_SITE) -> Client:
    return Client(opened, bearer(await key(opened, "provisioner", site)))


@pytest.fixture
def on_either(provider: Idp, runners: Any, settings: Settings, tmp_path: Path) -> Opened:
    """Start a front of a test's own, on SQLite and on PostgreSQL."""
    url = settings.database_url

    @asynccontextmanager
    async def start(**others: Any) -> AsyncIterator[Front]:
        chosen = {"database_url": None if url is None else url.get_secret_value(), **others}
        async with front(tmp_path, runners, **oidc_settings(provider, **chosen)) as started:
            yield started

    return start
