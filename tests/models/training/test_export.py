from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import pytest

from models import artifact
from models.artifact import ArtifactError
from models.commands import verify
from models.inference.base import Scorer, load_model
from models.inference.calibration import Calibration
from models.runtime import CHOICES, Files, parse_name, runtime_name, supported
from models.training import parity
from models.training.export import conversion, export
from models.types import BASES, MAPPED
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
    if name == "bone":
        assert "openvino-int8" not in told, "8 bits of a network this small win nothing"
        return
    assert sorted(told) == sorted(runtime_name(*choice) for choice in CHOICES)
    assert ("openvino-int8" in manifest["unchecked_runtimes"]) != supported("openvino", "int8")
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


@pytest.mark.parametrize("name", MAPPED)
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


@pytest.mark.parametrize(("first", "quantised"), [(0.0, 12), (0.5, 6), (1.0, 0)])
def test_8_bits_are_for_the_later_convolutions_alone(
    tiny_artifacts: Path, tmp_path: Path, first: float, quantised: int
) -> None:
    network = artifact.load("vgg16", tiny_artifacts).path(Files.TFLITE).read_bytes()

    (files,) = conversion.int8(network, tiny.phantoms(2), [first])

    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    graph = openvino.Core().read_model(tmp_path / Files.INT8)
    operations = graph.get_ordered_ops()
    into = {
        target.get_node().get_type_name()
        for one in operations
        if one.get_type_name() == "FakeQuantize"
        for target in one.output(0).get_target_inputs()
    }
    # Neither the grey levels' scaling nor a head's sum: ranges stand before a convolution, or
    # before the pooling in front of one.
    assert into <= {"Convolution", "MaxPool"}
    # Weights of 8 bits are scaled by their channel's range.
    narrow = [
        one.input_value(1).get_node().get_type_name() == "Multiply"
        for one in operations
        if one.get_type_name() == "Convolution" and one.get_output_partial_shape(0)[1] != 1
    ]
    assert narrow == [False] * (13 - quantised) + [True] * quantised


@pytest.mark.parametrize("name", MAPPED)
def test_8_bits_made_anew_leave_all_else_as_it_was(tiny_artifacts: Path, name: str) -> None:
    model = artifact.load(name, tiny_artifacts)

    done = export.quantised(model, verify.reference(model), tiny.phantoms(6))

    for found, table in ((done.runtimes, "runtimes"), (done.refused, "refused_runtimes")):
        told = model.manifest[table]
        assert found.keys() == told.keys()
        # Its own reference is read back from a file of half precision.
        assert found.pop("openvino-int8", None) == pytest.approx(
            told.get("openvino-int8"), abs=2e-3
        )
        assert found == {name: told[name] for name in found}
    assert done.unchecked == model.manifest["unchecked_runtimes"]
    assert done.files.keys() == model.manifest["files"].keys()
    for file in done.files.keys() - {Files.INT8, Files.INT8_WEIGHTS}:
        assert done.files[file] == model.path(file).read_bytes()


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
