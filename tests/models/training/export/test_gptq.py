"""What is done to weights before they are stored in 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import pytest
from numpy.typing import NDArray

from models import artifact
from models.runtime.engine import Files, as_input
from models.training.export import gptq
from tests.models import tiny

Floats = NDArray[np.float64]


@pytest.fixture
def weights() -> Floats:
    return (
        np.random.default_rng(1).normal(size=(6, 3, 3, 3))
        * np.linspace(0.1, 3, 6)[:, None, None, None]
    )


@pytest.fixture
def inputs() -> Floats:
    """Return (1000, 27) that go together: neighbours of an image do."""
    found = np.random.default_rng(2)
    return found.normal(size=(1000, 4)) @ found.normal(size=(4, 27)) + 0.1


def steps(weights: Floats) -> Floats:
    return np.abs(weights).max((1, 2, 3), keepdims=True) / gptq.LEVELS


def test_rounded_weights_lie_on_the_grid_that_their_largest_spans(
    weights: Floats, inputs: Floats
) -> None:
    found = gptq.rounded(weights, inputs.T @ inputs)

    levels = found / steps(weights)
    assert np.abs(levels - np.rint(levels)).max() < 1e-6
    largest = np.abs(weights).reshape(6, -1).argmax(1)
    for one, exact, place in zip(found, weights, largest, strict=True):
        assert one.ravel()[place] == pytest.approx(exact.ravel()[place])
    assert np.abs(levels).max() == pytest.approx(gptq.LEVELS)


def test_inputs_that_go_together_make_errors_good(weights: Floats, inputs: Floats) -> None:
    plain = np.rint(weights / steps(weights)) * steps(weights)

    def off(found: Floats) -> float:
        return float(np.square(inputs @ (found - weights).reshape(6, -1).T).mean())

    assert off(gptq.rounded(weights, inputs.T @ inputs)) < 0.2 * off(plain)


def test_inputs_that_have_nothing_to_do_with_each_other_leave_the_nearest(
    weights: Floats,
) -> None:
    found = gptq.rounded(weights, np.eye(27))

    assert np.abs(found - weights).max() <= 0.5 * steps(weights).max() + 1e-9
    assert found == pytest.approx(np.rint(weights / steps(weights)) * steps(weights))


@pytest.mark.parametrize("moment", [np.zeros((27, 27)), np.ones((27, 27))])
def test_inputs_that_say_nothing_do_no_harm(weights: Floats, moment: Floats) -> None:
    found = gptq.rounded(weights, moment)

    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", ["cnn", "vgg16", "resnet"])
def test_evened_ranges_change_no_answer(tiny_artifacts: Path, name: str) -> None:
    file = artifact.load(name, tiny_artifacts).path(Files.TFLITE)
    images = tiny.phantoms(4)
    core = openvino.Core()

    def read() -> tuple[openvino.Model, list[openvino.Node]]:
        graph = core.read_model(file)
        return graph, [
            one for one in graph.get_ordered_ops()
            if one.get_type_name() == "Convolution" and one.get_output_partial_shape(0)[1] != 1
        ]  # fmt: skip

    def answers(graph: openvino.Model) -> list[NDArray[np.float32]]:
        hints = {"INFERENCE_PRECISION_HINT": "f32"}
        return list(core.compile_model(graph, "CPU", hints)(as_input(images)).values())

    found = gptq.layers(*read(), images)
    graph, convolutions = read()
    before = [gptq.constant(one.input_value(1)) for one in convolutions]
    gptq.apply(convolutions, found, len(convolutions))

    for one, expected in zip(answers(graph), answers(read()[0]), strict=True):
        assert one == pytest.approx(expected, rel=1e-3, abs=1e-4)
    changed = [not np.allclose(b, f.weights) for b, f in zip(before, found, strict=True)]
    assert any(changed)
