"""A directory as Entra ID and Okta are: what they send, and what they are answered."""

from __future__ import annotations

import itertools
import json
from types import TracebackType
from typing import Any, Self

import httpx

from service.identity.scim.patches import MESSAGE
from service.identity.scim.schemas import GROUP, USER
from tests.service.kit.accounts import browser
from tests.service.kit.fronts import Front
from tests.service.kit.idp import Idp, through

V2 = "/scim/v2"
MEDIA_TYPE = "application/scim+json"

_numbers = itertools.count(1)


def mark() -> str:
    """Return what nobody else is called."""
    return f"p{next(_numbers)}"


def user(name: str, /, **others: Any) -> dict[str, Any]:
    """Return somebody as Okta sends them, a password included."""
    return {
        "schemas": [USER],
        "userName": f"{name}@clinic.example",
        "externalId": f"sub-{name}",
        "name": {"givenName": "Ann", "familyName": name.title()},
        "emails": [
            {"value": f"{name}@home.example", "type": "home"},
            {"value": f"{name}@clinic.example", "type": "work", "primary": True},
        ],
        "displayName": f"Ann {name.title()}",
        "locale": "en-US",
        "password": "1mz050nq",
        "active": True,
        **others,
    }


def group(name: str, /, *members: str, **others: Any) -> dict[str, Any]:
    listed = [{"value": id} for id in members]
    return {"schemas": [GROUP], "displayName": name, "members": listed, **others}


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [MESSAGE], "Operations": list(operations)}


class Client:
    def __init__(self, opened: Front, headers: dict[str, str]) -> None:
        self.opened = opened
        self._client = browser(opened, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            named = {"Content-Type": MEDIA_TYPE, **named}
        return await self._client.request(method, V2 + path, content=content, headers=named)

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        answer = await self.ask("POST", path, body)
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-type"] == MEDIA_TYPE
        made: dict[str, Any] = answer.json()
        assert answer.headers["location"] == made["meta"]["location"]
        assert answer.headers["etag"] == made["meta"]["version"]
        return made

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def changed(self, path: str, *operations: dict[str, Any]) -> dict[str, Any]:
        """Return a resource after a PATCH."""
        answer = await self.ask("PATCH", path, patch(*operations))
        assert answer.status_code in (200, 204), answer.text
        found = await self.get(path)
        assert answer.headers["etag"] == found["meta"]["version"]
        return found


def refused(answer: httpx.Response, status: int, kind: str | None = None) -> None:
    """Check that ``answer`` is a refusal in SCIM's form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    told = answer.json()
    assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert told["status"] == str(status)
    assert told.get("scimType") == kind, told
    assert told["detail"]


async def arrives(provider: Idp, client: httpx.AsyncClient, name: str, *groups: str) -> int:
    """Sign somebody in at the provider; return the status of their way back."""
    provider.sub, provider.sid = f"sub-{name}", f"sid-{name}"
    provider.claims = {"groups": list(groups), "name": f"Ann {name}"}
    return (await through(client)).status_code
