from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.ports import free_port
from tests.service.integration.smart.ehr import SYSTEM, Ehr, ehr
from tests.service.kit.fronts import Front, front
from tests.service.kit.idp import CLIENT, SECRET
from tests.service.kit.runners import running

ROLES: Final = (
    '{"dxa-readers" = "clinician", "dxa-admins" = "administrator", "east" = "east:viewer"}'
)
PROVIDER: Final = "http://127.0.0.1:9/idp"
"""Of an identity provider that nobody asks here."""

Opening = Callable[..., AbstractAsyncContextManager[Front]]


@dataclass
class House:
    front: Front
    ehr: Ehr


def entry(record: Ehr, folder: Path, name: str = "ehr", **changes: Any) -> str:
    """Return the record's entry in the file; None takes a line out."""
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    lines: dict[str, Any] = {
        "name": name, "iss": record.iss, "issuer": record.issuer, "client_id": CLIENT,
        "client_secret_file": str(secret), "system": SYSTEM, **changes,
    }  # fmt: skip
    roles = lines.pop("roles", ROLES)
    told = [f"{key} = {json.dumps(value)}" for key, value in lines.items() if value is not None]
    return "\n".join(["[[record]]", *told, *([f"roles = {roles}"] if roles else []), ""])


def settings(folder: Path, *entries: str, **others: Any) -> dict[str, Any]:
    file = folder / "records.toml"
    file.write_text("\n".join(entries))
    port = free_port()
    return {
        "auth": "local",
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": PROVIDER,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_roles": json.dumps({"dxa-clinicians": "clinician"}),
        "smart_records": file,
        **others,
    }


@pytest.fixture(scope="module")
async def runners() -> AsyncIterator[Any]:
    async with running() as started:
        yield started


@pytest.fixture(scope="module")
async def house(runners: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A front and a record, which the tests of a module share."""
    folder = tmp_path_factory.mktemp("house")
    async with ehr() as record:
        chosen = await asyncio.to_thread(lambda: settings(folder, entry(record, folder)))
        async with front(folder / "var", runners, **chosen) as opened:
            yield House(opened, record)


@pytest.fixture
def door(house: House) -> Front:
    return house.front


@pytest.fixture
def record(house: House, request: pytest.FixtureRequest) -> Ehr:
    """Make the shared record honest again; whoever comes is somebody new each time."""
    shared = house.ehr
    mark = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    fresh = Ehr(
        issuer=shared.issuer,
        key=shared.key,
        sub=f"sub-{mark}",
        claims={"groups": ["dxa-readers"]},
    )
    vars(shared).update({**vars(fresh), "token_answer": shared._context})
    return shared


@pytest.fixture
def opening(runners: Any, tmp_path: Path) -> Opening:
    """Start a front of a test's own, with entries of its own."""

    @asynccontextmanager
    async def start(*entries: str, **others: Any) -> AsyncIterator[Front]:
        chosen = await asyncio.to_thread(lambda: settings(tmp_path, *entries, **others))
        async with front(tmp_path / "var", runners, **chosen) as started:
            yield started

    return start
