"""Whether images and scores are noticed to look otherwise, and nothing is said too soon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from models import artifact
from models.drift.reference import Bins, Reference
from service.predictions.drift import SCORE, Drift, Window, served_reference
from service.predictions.metrics import PredictionMetrics
from service.predictions.schemas import EXAMPLE, Prediction
from service.predictions.settings import DriftSettings

REFERENCE = Reference(
    stack="sha256:" + "a" * 64,
    outcomes=(40, 20, 40),
    images={"brightness": Bins((0.2, 0.3), (30, 40, 30))},
)


def made(**changes: Any) -> Prediction:
    example = Prediction.model_validate(EXAMPLE)
    usual = {"version": REFERENCE.stack, "degraded": False, "missing": ()}
    return example.model_copy(update={**usual, **changes})


def drift(
    reference: Reference | None = REFERENCE, **settings: Any
) -> tuple[Drift, CollectorRegistry]:
    registry = CollectorRegistry()
    chosen = DriftSettings(**{"drift_enough": 20, **settings})
    return Drift(chosen, PredictionMetrics(registry), reference), registry


def index(registry: CollectorRegistry, statistic: str) -> float | None:
    return registry.get_sample_value("osteoserve_drift_stability_index", {"statistic": statistic})


def images(registry: CollectorRegistry, statistic: str) -> float | None:
    return registry.get_sample_value("osteoserve_drift_window_images", {"statistic": statistic})


def test_nothing_is_said_before_there_are_enough_images() -> None:
    watched, registry = drift()

    for _ in range(19):
        watched.image({"brightness": 0.25})

    assert index(registry, "brightness") is None
    assert images(registry, "brightness") == 19
    watched.image({"brightness": 0.25})
    assert index(registry, "brightness") is not None


def test_images_like_those_of_the_reference_are_no_drift_and_others_are() -> None:
    watched, registry = drift()
    rng = np.random.default_rng(2)

    for value in rng.choice([0.1, 0.25, 0.4], 500, p=[0.3, 0.4, 0.3]):
        watched.image({"brightness": float(value)})
    alike = index(registry, "brightness")
    for _ in range(300):
        watched.image({"brightness": 0.4})
    otherwise = index(registry, "brightness")

    assert alike is not None
    assert alike < 0.05
    assert otherwise is not None
    assert otherwise > 0.25


def test_what_lies_long_back_is_forgotten() -> None:
    watched, registry = drift(drift_images=50)

    for place, count in (("normal", 200), ("osteoporosis", 200)):
        for _ in range(count):
            watched.prediction(made(outcome=place))
    end = index(registry, SCORE)

    alone = Window(REFERENCE.outcomes, 50)
    for _ in range(50):
        alone.add(2)
    assert end == pytest.approx(alone.index)
    assert images(registry, SCORE) == 50


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "refused", "probability": None},
        {"degraded": True, "missing": ("cnn",)},
        {"version": "sha256:" + "b" * 64},
    ],
    ids=["refused", "degraded", "another stack"],
)
def test_scores_that_cannot_be_compared_are_left_out(changes: dict[str, Any]) -> None:
    watched, registry = drift()

    watched.prediction(made(**changes))

    assert images(registry, SCORE) == 0


def test_without_a_reference_images_are_counted_and_nothing_is_compared() -> None:
    watched, registry = drift(None)

    watched.image({"brightness": 0.25})
    watched.prediction(made())

    assert registry.get_sample_value("osteoserve_image_brightness_ratio_count") == 1
    assert images(registry, "brightness") is None


def test_artefacts_without_a_reference_are_said_so_and_are_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert served_reference() is not None
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))
    assert served_reference() is None

    stack = artifact.load("stack", artifact.FOLDER)
    (tmp_path / "stack").symlink_to(stack.folder.parent)
    artifact.serve(tmp_path, {"stack": stack.version})
    found = served_reference()

    assert found is not None
    assert found.images == {}
    assert sum(found.outcomes) == 114
