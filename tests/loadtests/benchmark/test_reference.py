from __future__ import annotations

import asyncio
from functools import cache

import numpy as np
import pytest

from loadtests.benchmark.clients import Answer
from loadtests.benchmark.reference import Images, checked
from loadtests.benchmark.servers import shared
from models.gate import quality
from models.image.recipe import frame
from models.inference import preparation
from models.inference.ensemble import Ensemble
from models.reading import read

EXPECTED = {7: (0.50, "indeterminate"), 8: (0.1, "normal")}


@pytest.fixture(scope="module")
def images() -> Images:
    return Images()


def test_the_reference_s_answer_holds() -> None:
    found = checked([Answer(7, 0.509, "indeterminate"), Answer(9, 0.9, "normal")], EXPECTED)
    assert (found["answers"], found["holds"]) == (1, True)
    assert found["largest"] == pytest.approx(0.009)


@pytest.mark.parametrize(
    "answer", [Answer(7, 0.52, "indeterminate"), Answer(8, 0.1, "osteoporosis")],
    ids=["far off", "another outcome"],
)  # fmt: skip
def test_a_wrong_answer_does_not(answer: Answer) -> None:
    assert not checked([answer], EXPECTED)["holds"]


def test_nothing_checked_is_not_right() -> None:
    assert not checked([Answer(9, 0.9, "normal")], EXPECTED)["holds"]


def test_no_two_images_are_the_same_and_each_is_always_the_same(images: Images) -> None:
    assert len({images.png(number) for number in range(40)}) == 40
    assert Images().png(3) == images.png(3)
    difference = np.abs(frame(read(images.png(3))).astype(int) - frame(read(images.png(15))))
    assert 0 < difference.mean() < 3


def test_the_systems_answer_as_the_models_do_in_one_process(images: Images) -> None:
    model = cache(shared.model)

    async def call(name: str, item: bytes) -> bytes:
        (said,) = model(name)([item])
        return said

    gate, ensemble = quality.served_gate(), Ensemble()
    (ready,) = preparation.prepare([read(images.png(5))], ensemble.outliner.outline)
    assert ready.canonical is not None
    (verdict,) = ensemble.predict(ready.canonical[None])

    said = asyncio.run(shared.predict(images.png(5), gate, call))
    assert said == shared.dumped(shared.answer(verdict))
