"""A base runner around a toy scorer: the real BentoML service, queue and wire."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from bentos.base import BaseModel
from bentos.runner import PREDICTS, make_runner
from bentos.wire import Question
from models.image import recipe
from models.inference import base
from models.inference.bone import Measured
from protocol.answers import BasePrediction, Measurement
from tests.bentos.serving import served

pytestmark = [
    pytest.mark.anyio,
    # BentoML's own.
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]

SICK = 13
"""An image that begins with this grey breaks the toy."""


class ToyScorer:
    """Answers an image with its first pixel over 255, and keeps how many came together."""

    version = "sha256:" + "7" * 64
    recipe = recipe.NAME
    threshold = 0.5
    band = (0.4, 0.6)
    auroc = 0.9

    def __init__(self, measured: tuple[Measured, ...] = ()) -> None:
        self.sizes: list[int] = []
        self._measured = measured

    def score(
        self, images: NDArray[np.uint8], explained: Sequence[int] = ()
    ) -> list[base.BasePrediction]:
        self.sizes.append(len(images))
        if (images[:, 0, 0] == SICK).any():
            raise ValueError("sick")
        return [
            base.BasePrediction(
                float(image[0, 0]) / 255,
                np.array([[0.123456, -1.0]], np.float32) if n in explained else None,
                self._measured,
            )
            for n, image in enumerate(images)
        ]


def image(grey: int) -> NDArray[np.uint8]:
    return np.full((recipe.SIDE, recipe.SIDE), grey, np.uint8)


def test_a_model_is_made_warm_in_every_size() -> None:
    scorer = ToyScorer()
    BaseModel(scorer, 6)
    assert scorer.sizes == [1, 2, 4, 6, 1]


def test_no_more_are_computed_together_than_allowed_and_each_gets_its_own() -> None:
    scorer = ToyScorer()
    model = BaseModel(scorer, 2)
    scorer.sizes.clear()

    answers = model.predict([Question(image(51 * n), with_map=n == 2) for n in range(5)])

    assert scorer.sizes == [2, 2, 1]
    assert [one.probability for one in answers] == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert [one.map for one in answers] == [None, None, ((0.1235, -1.0),), None, None]
    assert {one.measurements for one in answers} == {None}


def test_what_was_measured_is_told() -> None:
    model = BaseModel(ToyScorer((Measured("bone_to_noise", 2.0, -0.5),)), 2)
    (answer,) = model.predict([Question(image(0), with_map=False)])
    assert answer.measurements == (Measurement(name="bone_to_noise", value=2.0, contribution=-0.5),)


async def test_a_call_is_answered_image_by_image_and_one_at_fault_fails_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    runner = make_runner("cnn", lambda _: BaseModel(ToyScorer(), 8), [PREDICTS])

    async def ask(client: httpx.AsyncClient, path: str, *greys: int) -> httpx.Response:
        pixels = recipe.pack([image(grey) for grey in greys])
        return await client.post(path, content=pixels, headers={"X-Recipe": recipe.NAME})

    async with served(runner) as client:
        answer = await ask(client, "/predict", 0, SICK, 255)
        mapped = await ask(client, "/predict?map=true", 255)
        metrics = (await client.get("/metrics")).text

    assert answer.status_code == 200
    first, dropped, last = answer.json()
    assert dropped == {"dropped": "failed"}
    assert (first["probability"], last["probability"]) == (0.0, 1.0)
    assert list(first) == list(BasePrediction.model_fields)
    assert mapped.json()[0]["map"] == [[0.1235, -1.0]]
    assert 'osteoserve_runner_images_total{result="failed",runner="cnn"} 1.0' in metrics
