"""``/api/v1/predictions/{id}/maps/{model}``, with runners that draw, do not, or are another."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.image import recipe
from service.types import BASES, MAPPED
from tests.service.kit import images
from tests.service.kit.fronts import API, Front, front
from tests.service.kit.runners import MAP, Broken, Down, Foreign, Honest, running, version
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio

JSON = {"Accept": "application/json"}


async def made(opened: Front, png: bytes) -> str:
    response = await opened.post(png)
    assert response.status_code == 201
    return str(response.headers["location"])


def honest(opened: Front, name: Any) -> Honest:
    runner = opened.runners[name].runner
    assert isinstance(runner, Honest)
    return runner


@pytest.mark.parametrize("name", MAPPED)
async def test_a_map_is_a_picture_or_numbers(shared: Front, png: bytes, name: str) -> None:
    link = f"{await made(shared, png)}/maps/{name}"
    picture = await shared.client.get(link)
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["cache-control"] == "no-store"
    with Image.open(io.BytesIO(picture.content)) as image:
        assert (image.size, image.mode) == ((224, 224), "RGBA")
        assert image.getpixel((112, 112))[3] > image.getpixel((0, 0))[3]  # type: ignore[index]
    numbers = await shared.client.get(link, headers=JSON)
    assert numbers.json() == {"model": name, "version": version(name), "rows": MAP}
    assert "accept" in numbers.headers["vary"].lower()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "image/png"),
        ("image/avif,image/webp,image/png,image/*;q=0.8,*/*;q=0.5", "image/png"),
        ("image/png, application/json", "image/png"),
        ("Application/JSON;q=0.9", "application/json"),
    ],
)
async def test_who_gets_what(shared: Front, png: bytes, accept: str, kind: str) -> None:
    link = f"{await made(shared, png)}/maps/cnn"
    response = await shared.client.get(link, headers={"Accept": accept})
    assert response.headers["content-type"] == kind


async def test_a_prediction_asks_for_no_map_and_the_second_look_asks_nobody(
    shared: Front, png: bytes
) -> None:
    location = await made(shared, png)
    runner = honest(shared, "cnn")
    before = len(runner.calls)
    first = await shared.client.get(f"{location}/maps/cnn")
    assert len(runner.calls) == before + 1
    stored = (await shared.client.get(f"{location}/image")).content
    assert np.array_equal(runner.calls[-1], [recipe.decode(stored)])
    again = await shared.client.get(f"{location}/maps/cnn")
    assert again.content == first.content
    assert len(runner.calls) == before + 1


async def test_another_version_s_map_is_never_shown(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        location = await made(opened, png)
        await runners["cnn"].stop()
        runners["cnn"].runner = Foreign("cnn")
        await runners["cnn"].start()
        assert_problem(await opened.client.get(f"{location}/maps/cnn"), "model_changed")
        # Its neighbours are as they were.
        assert (await opened.client.get(f"{location}/maps/vgg16")).status_code == 200


async def test_a_kept_map_outlives_its_model(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        location = await made(opened, png)
        first = await opened.client.get(f"{location}/maps/cnn")
        await runners["cnn"].stop()
        again = await opened.client.get(f"{location}/maps/cnn")
    assert again.content == first.content


async def test_a_model_that_takes_another_recipe_has_changed(var: Path, png: bytes) -> None:
    cnn = Honest("cnn")
    async with running(cnn) as runners, front(var, runners) as opened:
        location = await made(opened, png)
        cnn.recipe = "dxa-224/2"
        assert_problem(await opened.client.get(f"{location}/maps/cnn"), "model_changed")


@pytest.mark.parametrize("kind", [Down, Broken])
async def test_a_model_that_does_not_answer_now(var: Path, png: bytes, kind: type[Any]) -> None:
    async with running() as runners, front(var, runners) as opened:
        location = await made(opened, png)
        await runners["cnn"].stop()
        runners["cnn"].runner = kind("cnn")
        await runners["cnn"].start()
        assert_problem(await opened.client.get(f"{location}/maps/cnn"), "model_unavailable")


async def test_a_model_that_draws_none(var: Path, png: bytes) -> None:
    async with running(Honest("resnet", map=None)) as runners, front(var, runners) as opened:
        location = await made(opened, png)
        assert_problem(await opened.client.get(f"{location}/maps/resnet"), "no_heat_map")


@pytest.mark.parametrize("rows", [[[0.0], [0.0, 1.0]], [], [["high"]], 7])
async def test_what_is_no_map_is_no_answer(var: Path, png: bytes, rows: Any) -> None:
    cnn = Honest("cnn")
    async with running(cnn) as runners, front(var, runners) as opened:
        location = await made(opened, png)
        cnn.map = rows
        assert_problem(await opened.client.get(f"{location}/maps/cnn"), "model_unavailable")


async def test_a_model_that_did_not_vote_has_none(var: Path, png: bytes) -> None:
    async with running(Down("cnn")) as runners, front(var, runners) as opened:
        location = await made(opened, png)
        assert_problem(await opened.client.get(f"{location}/maps/cnn"), "no_heat_map")


async def test_bone_measures_and_draws_none(shared: Front, png: bytes) -> None:
    runner = honest(shared, "vertebrae")
    location = await made(shared, png)
    before = len(runner.calls)
    assert_problem(await shared.client.get(f"{location}/maps/bone"), "no_heat_map")
    assert len(runner.calls) == before


async def test_a_refused_image_has_none(shared: Front) -> None:
    location = await made(shared, images.unusable())
    for name in BASES:
        assert_problem(await shared.client.get(f"{location}/maps/{name}"), "no_heat_map")


@pytest.mark.parametrize("name", ["stack", "CNN", "vgg19", "%2e%2e"])
async def test_other_names_are_not_found(shared: Front, png: bytes, name: str) -> None:
    assert_problem(await shared.client.get(f"{await made(shared, png)}/maps/{name}"), "not_found")


async def test_no_prediction_no_map(shared: Front) -> None:
    link = f"{API}/7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43/maps/cnn"
    assert_problem(await shared.client.get(link), "prediction_not_found")
