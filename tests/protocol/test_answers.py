"""The contract between front and runners, byte for byte, and what is no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from models.image import recipe
from models.vertebrae.geometry import Outlined
from models.vertebrae.nominal import nominal
from protocol.answers import (
    BasePrediction,
    Dropped,
    EnsemblePrediction,
    EnsembleRequest,
    Measurement,
    NoEnsemblePrediction,
    Outline,
)

VERSION = "sha256:" + "0" * 64

BASE = BasePrediction(
    probability=0.75,
    version=VERSION,
    recipe=recipe.NAME,
    threshold=0.5,
    band=(0.25, 0.5),
    auroc=0.875,
    map=((0.5, -1.0),),
    measurements=(Measurement(name="bone_to_noise", value=2.0, contribution=-0.25),),
)
ENSEMBLE = EnsemblePrediction(
    probability=0.75,
    threshold=0.5,
    band=(0.25, 0.5),
    contributions={"cnn": 0.5, "vgg16": 1.0, "bone": -0.25},
    intercept=-0.125,
    used=("cnn", "vgg16", "bone"),
    missing=("resnet",),
    version=VERSION,
    recipe=recipe.NAME,
)
NONE = NoEnsemblePrediction(
    missing=("cnn", "vgg16", "resnet", "bone"), version=VERSION, recipe=recipe.NAME
)


def test_base_predictions_are_these_bytes() -> None:
    written = TypeAdapter(list[BasePrediction | Dropped]).dump_json(
        [
            BASE,
            BASE.model_copy(update={"map": None, "measurements": None}),
            Dropped(dropped="expired"),
        ]
    )
    head = (
        f'{{"probability":0.75,"version":"{VERSION}","recipe":"spine-224/2","threshold":0.5,'
        '"band":[0.25,0.5],"auroc":0.875,'
    )
    assert written.decode() == (
        f'[{head}"map":[[0.5,-1.0]],"measurements":'
        '[{"name":"bone_to_noise","value":2.0,"contribution":-0.25}]},'
        f'{head}"map":null,"measurements":null}},'
        '{"dropped":"expired"}]'
    )


def test_ensemble_predictions_are_these_bytes() -> None:
    written = TypeAdapter(list[EnsemblePrediction | NoEnsemblePrediction | Dropped]).dump_json(
        [ENSEMBLE, NONE, Dropped(dropped="failed")]
    )
    foot = f'"version":"{VERSION}","recipe":"spine-224/2"}},'
    assert written.decode() == (
        '[{"probability":0.75,"threshold":0.5,"band":[0.25,0.5],'
        '"contributions":{"cnn":0.5,"vgg16":1.0,"bone":-0.25},"intercept":-0.125,'
        '"used":["cnn","vgg16","bone"],"missing":["resnet"],'
        f"{foot}"
        '{"probability":null,"threshold":null,"band":null,"contributions":{},"intercept":null,'
        '"used":[],"missing":["cnn","vgg16","resnet","bone"],'
        f"{foot}"
        '{"dropped":"failed"}]'
    )


def test_the_stack_is_asked_with_these_words() -> None:
    assert EnsembleRequest.of([{"cnn": BASE}, {}]).model_dump() == {
        "votes": [{"cnn": {"probability": 0.75, "version": VERSION}}, {}]
    }


def test_an_outline_goes_out_to_a_tenth_of_a_pixel_and_comes_back() -> None:
    mask = np.eye(224, dtype=bool)
    sides = (((70.0, 3.5), (71.0, 5.5)), ((150.0, 3.5), (152.0, 5.5)))
    spine = replace(nominal(), sides=sides).scaled(1.0, 0.977)
    sent = Outline.from_outlined(Outlined(spine, mask), VERSION)
    found = Outline.model_validate_json(sent.model_dump_json(), strict=True).to_outlined()
    assert found.spine is not None
    assert np.array_equal(found.graphics, mask)
    assert np.abs(np.subtract(found.spine.sides, spine.sides)).max() <= 0.05
    older = sent.model_dump(exclude={"sides"})
    without = Outline.model_validate(older).to_outlined().spine
    assert without is not None
    assert without.sides == ((), ())
    for one, level in zip(found.spine.levels, nominal().scaled(1.0, 0.977).levels, strict=True):
        assert (one.centre, one.area, one.confidence) == (
            level.centre, level.area, level.confidence
        )  # fmt: skip
        assert np.abs(np.subtract(one.outline, level.outline)).max() <= 0.05
    nothing = Outline.from_outlined(Outlined(None, mask), VERSION)
    assert nothing.levels == ()


def changed(answer: BasePrediction | EnsemblePrediction, **fields: Any) -> dict[str, Any]:
    return {**answer.model_dump(mode="json"), **fields}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"probability": 1.5}, "probability"),
        ({"band": [0.5, 0.25]}, "not two probabilities in order"),
        ({"version": "latest"}, "version"),
        ({"map": [[0.0, 1.0], [0.0]]}, "not all of one length"),
        ({"map": []}, "map"),
    ],
)
def test_what_is_no_base_prediction(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        BasePrediction.model_validate(changed(BASE, **fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"missing": []},
        {"used": ["cnn", "vgg16"]},
        {"contributions": {"cnn": 0.5}},
        {"used": [], "contributions": {}, "missing": ["cnn", "vgg16", "resnet", "bone"]},
    ],
)
def test_an_ensemble_prediction_names_every_base_model_once(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EnsemblePrediction.model_validate(changed(ENSEMBLE, **fields))


def test_what_a_runner_learns_to_say_is_ignored() -> None:
    assert BasePrediction.model_validate(changed(BASE, seconds=0.1)) == BASE
