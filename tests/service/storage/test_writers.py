"""Many people who write at once, the same and different results, over two fronts on one database.

``pytest tests/service/storage -m crowd``: two and forty of them for a minute, on a machine that
does nothing else, with a front's own limits.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from service.settings import Settings
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

LEAST = 6
"""Things that each of them does, however long it takes."""


@dataclass
class Told:
    """What the fronts have said, to be held against what they keep."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    reviews: dict[str, list[str]] = field(default_factory=dict)
    replaced: list[tuple[str, str]] = field(default_factory=list)
    """Versions of facts that a writer was told to have replaced, each with its result."""
    deleted: set[str] = field(default_factory=set)


class Person:
    def __init__(self, name: str, clients: Sequence[httpx.AsyncClient], told: Told) -> None:
        self.name = name
        self.told = told
        self._clients = clients
        self._random = random.Random(name)  # noqa: S311 - what is tried must be the same each time
        self._count = 0

    async def writes(self, shared: Sequence[str], png: bytes, end: float) -> None:
        # A machine that is busy with other things does not make it a smaller crowd.
        while time.monotonic() < end or self._count < LEAST:
            self._count += 1
            id = self._random.choice(shared)
            await self._random.choice((self.reviews, self.enters, self.enters, self.deletes))(
                id, png
            )

    async def enters(self, id: str, _: bytes) -> None:
        """Change what is there; whoever was slower is told, reads and tries again."""
        address = f"{API}/{id}/study"
        seen = (await self._ask("GET", address)).headers["etag"]
        # Few patients, so that they are made, shared and let go all the time.
        facts = {
            "patient_reference": f"patient {self._random.randrange(4)}",
            "scanner": {"vendor": self.name, "serial": str(self._count)},
        }
        response = await self._ask("PUT", address, json=facts, headers={"If-Match": seen})
        if response.status_code == 200:
            self.told.replaced.append((id, seen))
        else:
            assert response.json()["kept"]["scanner"]["vendor"]

    async def reviews(self, id: str, _: bytes) -> None:
        said = f"{self.name}/{self._count}"
        sent = {"action": "sign", "reviewer": said}
        response = await self._ask("POST", f"{API}/{id}/reviews", json=sent)
        if response.status_code == 201:
            self.told.reviews.setdefault(id, []).append(said)

    async def deletes(self, _: str, png: bytes) -> None:
        """Make one of one's own with a shared patient, and take it away."""
        made = (await self._ask("POST", API, content=own(png, self.name))).json()["id"]
        facts = {"patient_reference": f"patient {self._random.randrange(4)}"}
        await self._ask("PUT", f"{API}/{made}/study", json=facts)
        await self._ask("DELETE", f"{API}/{made}")
        self.told.deleted.add(made)
        for method, path, sent in (
            ("PUT", "study", facts),
            ("POST", "reviews", {"action": "sign", "reviewer": self.name}),
        ):
            gone = await self._ask(method, f"{API}/{made}/{path}", json=sent)
            assert gone.status_code == 404, gone.text

    async def _ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        client = self._random.choice(self._clients)
        response = await client.request(method, path, **sent)
        self.told.statuses[method, response.status_code] += 1
        assert response.status_code in (200, 201, 204, 404, 412), response.text
        return response


def client(opened: Front) -> httpx.AsyncClient:
    """A client that never sends over a connection that the front is about to close."""
    limits = httpx.Limits(keepalive_expiry=1)
    url = opened.client.base_url
    return httpx.AsyncClient(base_url=url, trust_env=False, limits=limits, timeout=60)


async def written(
    settings: Settings, png: bytes, people: int, seconds: float, **limits: float
) -> Told:
    told = Told()
    options: dict[str, Any] = {"cache_images": 256, **limits}
    if settings.database_url is not None:
        options["database_url"] = settings.database_url
    async with (
        running() as runners,
        front(settings.var, runners, **options) as one,
        front(settings.var, runners, **options) as other,
        AsyncExitStack() as held,
    ):
        shared = [(await one.post(own(png, f"shared {n}"))).json()["id"] for n in range(3)]
        clients = [await held.enter_async_context(client(front)) for front in (one, other)]
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for number in range(people):
                person = Person(f"person {number}", clients, told)
                group.create_task(person.writes(shared, png, end))
            judged = group.create_task(batch(clients[0], png, 30))
        assert judged.result() == [1] * 30
        await kept(one, shared, told)
    return told


def own(png: bytes, name: str) -> bytes:
    """Return ``png`` as a file that is not the others': facts are entered about a file."""
    return png + name.encode()


async def batch(client: httpx.AsyncClient, png: bytes, count: int) -> list[int]:
    """Have ``count`` images judged beside everybody else; 1 for each that has a result."""
    files = [("file", ("a.png", png + number.to_bytes(2, "big"))) for number in range(count)]
    answer = await client.post("/api/v1/batches", files=files)
    *lines, closing = map(json.loads, answer.text.splitlines())
    assert closing["batch"]["state"] == "finished", answer.text
    return [int(line["problem"] is None) for line in lines]


async def kept(opened: Front, shared: Sequence[str], told: Told) -> None:
    """Assert that what was acknowledged is there, and nothing else."""
    for id in shared:
        reviews = (await opened.client.get(f"{API}/{id}/reviews")).json()
        assert [one["number"] for one in reviews] == list(range(1, len(reviews) + 1))
        assert sorted(one["reviewer"] for one in reviews) == sorted(told.reviews.get(id, []))
    # Nobody took the place of facts that somebody else had taken the place of before.
    assert [twice for twice, times in Counter(told.replaced).items() if times > 1] == []
    for id in told.deleted:
        assert (await opened.client.get(f"{API}/{id}")).status_code == 404


@pytest.mark.parametrize("people", [2, 12])
async def test_nobody_is_turned_away_and_nothing_is_lost_unsaid(
    settings: Settings, png: bytes, people: int
) -> None:
    # Storage waits as long as it ever does; what is not asked here is how fast images are judged.
    limits = {"deadline_seconds": 60.0, "queue_seconds": 60.0}
    told = await written(settings, png, people, 2.5, **limits)
    assert told.statuses["PUT", 200] > people
    assert told.statuses["POST", 201] > people
    if people > 2:
        assert told.statuses["PUT", 412] > 0


@pytest.mark.crowd
@pytest.mark.parametrize("people", [2, 40])
async def test_people_for_a_minute(settings: Settings, png: bytes, people: int) -> None:
    told = await written(settings, png, people, 60)
    print(people, dict(told.statuses))
    assert sum(told.statuses.values()) > 1000
