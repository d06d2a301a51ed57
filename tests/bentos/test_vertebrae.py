"""The real vertebrae runner in this process: outlines on one path, votes on another, one queue."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from uvicorn.lifespan.on import LifespanOn

from bentos.rehearsal import CALLS
from bentos.wire import OutlineAnswer, VoteAnswer
from models import phantom
from models.artifact import load
from models.image import recipe
from models.phantom import Artefact
from models.vertebrae import graphics
from models.vertebrae.measurements import NAMES

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
        app = importlib.import_module("bentos.vertebrae.service").Runner.to_asgi(is_main=True)
        lifespan = LifespanOn(uvicorn.Config(app, log_config=None))
        await lifespan.startup()
        assert not lifespan.should_exit
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://runner") as client:
            yield client
        await lifespan.shutdown()


async def ask(runner: httpx.AsyncClient, path: str, made_by: str, *images: Any) -> httpx.Response:
    return await runner.post(path, content=recipe.pack(images), headers={"X-Recipe": made_by})


async def test_a_frame_is_outlined_and_noise_is_no_spine(runner: httpx.AsyncClient) -> None:
    answer = await ask(runner, "/outline", recipe.FRAME, FRAME, NOTHING)
    assert answer.status_code == 200
    spine, nothing = (OutlineAnswer.model_validate(one) for one in answer.json())
    assert [one.level for one in spine.levels] == ["L1", "L2", "L3", "L4"]
    assert {
        round(value, 1) for one in spine.levels for point in one.outline for value in point
    } == {value for one in spine.levels for point in one.outline for value in point}
    assert nothing.levels == []
    for one in (spine, nothing):
        assert (one.version, one.recipe) == (load("vertebrae").version, recipe.FRAME)
        assert graphics.decode(one.graphics).shape == FRAME.shape


async def test_bone_votes_and_says_what_it_measured(runner: httpx.AsyncClient) -> None:
    answer = await ask(runner, "/predict?map=true", recipe.NAME, FRAME)
    (vote,) = (VoteAnswer.model_validate(one) for one in answer.json())
    assert vote.version == load("bone").version
    assert vote.map is None
    assert vote.measurements is not None
    assert {one.name for one in vote.measurements} == set(NAMES)
    weights = [abs(one.contribution) for one in vote.measurements]
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


async def test_both_paths_were_rehearsed_and_are_counted_in_one_line(
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
