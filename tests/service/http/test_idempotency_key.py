"""The same request, sent again, makes one prediction; and a file seen a moment ago asks nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from tests.service.kit import images
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import Foreign, Honest, running
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio


async def send(opened: Front, data: bytes, key: str) -> object:
    response = await opened.client.post(API, content=data, headers={"Idempotency-Key": key})
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"{API}/{response.json()['id']}"
    return response.json()


async def test_the_same_key_and_file_make_one_prediction(shared: Front, png: bytes) -> None:
    key = str(uuid4())
    first = await send(shared, png, key)
    calls = shared.calls
    assert await send(shared, png, key) == first
    assert shared.calls == calls
    assert await send(shared, png, str(uuid4())) != first


async def test_sent_at_the_same_time_they_still_make_one(shared: Front, png: bytes) -> None:
    key = str(uuid4())
    found = await asyncio.gather(*(send(shared, png, key) for _ in range(8)))
    assert all(one == found[0] for one in found)


async def test_a_key_is_for_one_file(shared: Front, png: bytes) -> None:
    key = str(uuid4())
    await send(shared, png, key)
    headers = {"Idempotency-Key": key}
    other = await shared.client.post(API, content=images.unusable(), headers=headers)
    assert_problem(other, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_key_that_cannot_be_is_refused(shared: Front, png: bytes, key: str) -> None:
    response = await shared.client.post(API, content=png, headers={"Idempotency-Key": key})
    assert_problem(response, "idempotency_key_invalid")


async def test_a_deleted_prediction_frees_its_key(shared: Front, png: bytes) -> None:
    key = str(uuid4())
    first = await send(shared, png, key)
    assert isinstance(first, dict)
    assert (await shared.client.delete(f"{API}/{first['id']}")).status_code == 204
    assert await send(shared, png, key) != first


async def test_a_file_seen_a_moment_ago_is_a_prediction_of_its_own_and_asks_no_model(
    var: Path, png: bytes
) -> None:
    async with running() as runners, front(var, runners, cache_images=8) as opened:
        first, calls = (await opened.post(png)).json(), opened.calls
        again = (await opened.post(png)).json()
        assert opened.calls == calls
        assert again["id"] != first["id"]
        changing = {"id", "created_at", "timings_ms"}
        assert {k: v for k, v in again.items() if k not in changing} == {
            k: v for k, v in first.items() if k not in changing
        }
        assert (await opened.client.get(f"{API}/{again['id']}/image")).status_code == 200
        assert await opened.sample("osteoserve_cache_lookups_total", result="hit") == 1


async def test_an_answer_of_another_version_is_not_given_again(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners, cache_images=8) as opened:
        await opened.post(png)
        await runners["cnn"].stop()
        runners["cnn"].runner = Foreign("cnn")
        await runners["cnn"].start()
        # Another image, and the front learns of the version.
        await opened.post(images.png() + b"another")
        calls = opened.calls
        assert (await opened.post(png)).json()["degraded"]
        assert opened.calls > calls


async def test_a_degraded_answer_is_not_given_again(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners, cache_images=8) as opened:
        await runners["cnn"].stop()
        assert (await opened.post(png)).json()["missing"] == ["cnn"]
        await runners["cnn"].start()
        assert isinstance(runners["cnn"].runner, Honest)
        await opened.settled(lambda: opened.app.state.health.states["cnn"] == "ready")
        assert not (await opened.post(png)).json()["degraded"]
