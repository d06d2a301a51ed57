from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import artifact, parity
from models.artifact import ArtifactError
from models.base import Scorer, load_model
from models.calibration import Calibration
from models.runtime import CHOICES, Files, parse_name, runtime_name
from models.training import export
from models.types import BASES
from tests.models import tiny


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (5, 224, 224), dtype=np.uint8)


@pytest.mark.parametrize("name", BASES)
def test_every_runtime_is_allowed_or_refused_with_its_difference(
    tiny_artifacts: Path, name: str
) -> None:
    manifest = artifact.load(name, tiny_artifacts).manifest

    assert {"keras-f32", "openvino-f32", "litert-f32"} <= manifest["runtimes"].keys()
    tables = ("runtimes", "refused_runtimes", "unchecked_runtimes")
    told = [runtime for table in tables for runtime in manifest[table]]
    assert sorted(told) == sorted(runtime_name(*choice) for choice in CHOICES)
    assert "openvino-int8" in manifest["runtimes"] | manifest["refused_runtimes"]
    for facts in manifest["runtimes"].values():
        assert 0 <= facts["max_difference"] <= parity.WHEN_BUILT
    for facts in manifest["refused_runtimes"].values():
        assert facts["max_difference"] > parity.WHEN_BUILT or facts["changed"] > 0
    assert (Files.INT8 in manifest["files"]) == ("openvino-int8" in manifest["runtimes"])


@pytest.mark.parametrize("name", BASES)
def test_allowed_runtimes_answer_alike_in_any_batch(
    tiny_artifacts: Path, name: str, images: np.ndarray
) -> None:
    model = artifact.load(name, tiny_artifacts)
    calibration = Calibration(**model.manifest["calibration"])
    expected = None

    for runtime in ("keras-f32", "openvino-f32", "litert-f32"):
        opened = load_model(model, *parse_name(runtime))
        together = calibration.probability(opened.raw_logits(images)[0])
        alone = [calibration.probability(opened.raw_logits(i[None])[0])[0] for i in images]
        expected = together if expected is None else expected
        assert together == pytest.approx(alone, abs=2e-3)
        assert together == pytest.approx(expected, abs=parity.LARGEST)


@pytest.mark.parametrize("name", BASES)
def test_maps_are_made_for_those_that_ask(
    tiny_artifacts: Path, name: str, images: np.ndarray
) -> None:
    scorer = Scorer(artifact.load(name, tiny_artifacts), "openvino", "f32")

    votes = scorer.score(images, explained=[1, 3])

    assert [vote.map is not None for vote in votes] == [False, True, False, True, False]
    alone = scorer.score(images[3:4], explained=[0])[0]
    assert votes[3].map == pytest.approx(alone.map, abs=1e-2)


def test_what_this_machine_does_not_have_is_neither_allowed_nor_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "supported", lambda _, precision: precision == "f32")
    images = tiny.phantoms(3)

    done = export.export(
        tiny.fitted("cnn", images), Calibration(slope=0.1, intercept=0.0), tiny.POINT, images
    )

    assert done.unchecked == ["openvino-bf16", "openvino-int8"]
    assert done.runtimes.keys() == {"keras-f32", "openvino-f32", "litert-f32"}
    assert not done.refused
    assert Files.INT8 not in done.files


def test_a_runtime_that_was_not_shown_to_answer_alike_is_refused(tiny_artifacts: Path) -> None:
    model = artifact.load("cnn", tiny_artifacts)
    table = {"keras-f32": {"max_difference": 0.0}}
    narrower = artifact.Artifact(
        model.name, model.version, model.folder, {**model.manifest, "runtimes": table}
    )

    with pytest.raises(ArtifactError, match=r"openvino-f32.*allowed are keras-f32"):
        Scorer(narrower, "openvino", "f32")


def test_a_changed_decision_is_no_parity_however_small_the_difference() -> None:
    expected = np.array([0.1, 0.4999, 0.9])

    found = parity.difference(expected + 0.0002, expected, threshold=0.5)

    assert found.changed == 1
    assert found.largest == pytest.approx(0.0002)
    assert not found.holds()
    assert parity.difference(expected + 0.0002, expected, threshold=0.6).holds()
    assert not parity.difference(expected + 0.02, expected, threshold=0.6).holds()
