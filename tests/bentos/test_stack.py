"""The stack runner on the shipped artefact."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from bentos.stack.service import StackModel
from bentos.warm_up import CALLS
from models import artifact
from models.types import BASES
from protocol.answers import BaseProbability, EnsemblePrediction, NoEnsemblePrediction
from tests.bentos.serving import served


def predictions(*names: str, version: str | None = None) -> dict[str, BaseProbability]:
    versions = artifact.served(artifact.FOLDER)
    return {
        name: BaseProbability(probability=0.7, version=version or versions[name]) for name in names
    }


def test_each_set_is_answered_by_those_that_are_there() -> None:
    stored = artifact.load("stack", artifact.FOLDER)
    model = StackModel(stored)

    whole, two, none, foreign = model.combine(
        [
            predictions(*BASES),
            predictions("cnn", "bone"),
            {},
            predictions("cnn", version="sha256:other"),
        ]
    )

    assert isinstance(whole, EnsemblePrediction)
    assert (whole.used, whole.missing) == (BASES, ())
    assert isinstance(two, EnsemblePrediction)
    assert (two.used, two.missing) == (("cnn", "bone"), ("vgg16", "resnet"))
    nothing = NoEnsemblePrediction(
        missing=BASES, version=stored.version, recipe=str(stored.manifest["recipe"])
    )
    assert [none, foreign] == [nothing, nothing]


# BentoML's own.
@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211")
@pytest.mark.anyio
async def test_a_real_runner_starts_warm_and_combines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    runner = importlib.import_module("bentos.stack.service").Runner
    cnn = {name: one.model_dump() for name, one in predictions("cnn").items()}

    async with served(runner) as client:
        metrics = (await client.get("/metrics")).text
        answer = await client.post("/combine", json={"votes": [cnn, {}]}, headers={"X-Count": "2"})

    assert f'osteoserve_runner_images_total{{result="ok",runner="stack"}} {CALLS}.0' in metrics
    one, nothing = answer.json()
    assert one["used"] == ["cnn"]
    assert (nothing["probability"], nothing["used"]) == (None, [])
