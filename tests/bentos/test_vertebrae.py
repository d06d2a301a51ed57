"""The real vertebrae runner in this process: two paths, one queue."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest

from bentos.warm_up import CALLS
from models import phantom
from models.artifact import load
from models.image import recipe
from models.phantom import Artefact
from models.vertebrae.measurements import NAMES
from protocol import mask
from protocol.answers import BasePrediction, Outline
from tests.bentos.serving import served

pytestmark = [
    pytest.mark.anyio,
    # BentoML's own.
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]

FRAME = recipe.frame(phantom.draw(np.random.default_rng(5), artefact=Artefact.NONE).scan)
NOTHING = np.random.default_rng(1).integers(0, 256, FRAME.shape, np.uint8)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bentoml")))
        async with served(importlib.import_module("bentos.vertebrae.service").Runner) as client:
            yield client


async def ask(runner: httpx.AsyncClient, path: str, made_by: str, *images: Any) -> httpx.Response:
    return await runner.post(path, content=recipe.pack(images), headers={"X-Recipe": made_by})


async def test_a_frame_is_outlined_and_noise_is_no_spine(runner: httpx.AsyncClient) -> None:
    answer = await ask(runner, "/outline", recipe.FRAME, FRAME, NOTHING)
    assert answer.status_code == 200
    spine, nothing = (Outline.model_validate(one) for one in answer.json())
    assert [one.level for one in spine.levels] == ["L1", "L2", "L3", "L4"]
    assert {
        round(value, 1) for one in spine.levels for point in one.outline for value in point
    } == {value for one in spine.levels for point in one.outline for value in point}
    assert nothing.levels == ()
    for one in (spine, nothing):
        assert (one.version, one.recipe) == (load("vertebrae").version, recipe.FRAME)
        assert mask.decode(one.graphics).shape == FRAME.shape


async def test_bone_predicts_and_says_what_it_measured(runner: httpx.AsyncClient) -> None:
    answer = await ask(runner, "/predict?map=true", recipe.NAME, FRAME)
    (bone,) = (BasePrediction.model_validate(one) for one in answer.json())
    assert bone.version == load("bone").version
    assert bone.map is None
    assert bone.measurements is not None
    assert {one.name for one in bone.measurements} == set(NAMES)
    weights = [abs(one.contribution) for one in bone.measurements]
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize(
    ("path", "made_by"), [("/outline", recipe.NAME), ("/predict", recipe.FRAME)]
)
async def test_each_path_takes_its_own_recipe_alone(
    runner: httpx.AsyncClient, path: str, made_by: str
) -> None:
    answer = await ask(runner, path, made_by, FRAME)
    assert answer.status_code == 400
    assert "another recipe" in answer.text


async def test_both_paths_were_warmed_up_and_are_counted_in_one_queue(
    runner: httpx.AsyncClient,
) -> None:
    async def count() -> float:
        text = (await runner.get("/metrics")).text
        (line,) = [
            one
            for one in text.splitlines()
            if one.startswith('osteoserve_runner_images_total{result="ok",runner="vertebrae"}')
        ]
        return float(line.rpartition(" ")[2])

    before = await count()
    assert before >= 2 * CALLS
    await asyncio.gather(
        ask(runner, "/outline", recipe.FRAME, FRAME, FRAME),
        ask(runner, "/predict", recipe.NAME, FRAME),
    )
    assert await count() == before + 3
