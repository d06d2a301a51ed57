"""Cross-layer equalisation and GPTQ: convolutions made ready for 8 bits.

Both leave what NNCF does afterwards as it is; without them all but the last layers of VGG16 would
have to stay in float32.

- A tensor's 256 levels reach as far as its widest channel; in VGG16 half the channels use less
  than 0.25 to 0.46 of them. What is divided out of a channel is multiplied into the next layer,
  which a ReLU or a maximum does not notice (Nagel et al., ICCV 2019: cross-layer equalization;
  Xiao et al., ICML 2023, for the exponent).
- Each weight's rounding error is made good by those not yet rounded, as far as the layer's inputs
  go together (Frantar et al., ICLR 2023: GPTQ).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as opset

from models.runtime.engine import as_input

EXPONENT: Final = 0.75
"""Of a channel's share of the range: 1 makes all alike and the next layer's weights uneven. With
all of VGG16 but its first layer in 8 bits, the six after it evened out, probabilities are off by
0.018, 0.016 and 0.020 at most for 0.5, 0.75 and 1; by 0.035 with ranges as they are."""

LEAST: Final = 0.1
"""A channel's share of the range counts as no smaller: what images to come do with a channel that
these hardly use is not known. 0.010 instead of 0.016 in the same place, 0.013 for 0.2."""

PLACES: Final = 400
"""Of each image where a layer's inputs are looked at: 23 000 in all, for 4608 inputs at most."""

DAMPING: Final = 0.01
"""Added to the inputs' mean square, as a share of it (GPTQ)."""

LEVELS: Final = 127
"""NNCF rounds weights to -127…127, the largest of an output's becoming 127."""

BLOCK: Final = 128
"""Weights whose errors are carried on to the rest together: one large product, not many small."""

CHANNELWISE: Final = frozenset({"Relu", "MaxPool"})

Floats = NDArray[np.float64]


class Layer(NamedTuple):
    """Of one convolution: ``weights`` and ``rounded`` (outputs, inputs, height, width), bias."""

    weights: Floats
    rounded: Floats
    bias: Floats


def layers(
    graph: openvino.Model, convolutions: Sequence[openvino.Node], images: NDArray[np.uint8]
) -> list[Layer]:
    """Return what each of ``convolutions`` becomes, all of them with a bias added to.

    What they meet comes from ``images`` (n, 224, 224) uint8. ``graph`` gets outputs by it.
    """
    weights = [constant(one.input_value(1)) for one in convolutions]
    biases = [constant(_bias(one)) for one in convolutions]
    producers = [_producer(one, convolutions) for one in convolutions]
    moments, peaks = _met(graph, convolutions, images)
    for place, producer in enumerate(producers):
        if producer is not None:
            share = np.maximum(peaks[place] / peaks[place].max(), LEAST) ** EXPONENT
            weights[producer] = weights[producer] / share[:, None, None, None]
            biases[producer] = biases[producer] / share[:, None, None]
            weights[place] = weights[place] * share[:, None, None]
            spread = np.repeat(share, weights[place][0, 0].size)
            moments[place] = moments[place] / (spread[:, None] * spread)
    return [
        Layer(exact, rounded(exact, moment), bias)
        for exact, moment, bias in zip(weights, moments, biases, strict=True)
    ]


def apply(convolutions: Sequence[openvino.Node], found: Sequence[Layer], first: int) -> None:
    """Give ``convolutions`` the weights of ``found``, rounded from the ``first`` on.

    All become float32: NNCF neither stores other weights in 8 bits nor knows their biases as such.
    """
    for place, (one, layer) in enumerate(zip(convolutions, found, strict=True)):
        weights = layer.rounded if place >= first else layer.weights
        bias = _bias(one)
        for value, target in ((weights, one.input(1)), (layer.bias, *bias.get_target_inputs())):
            target.replace_source_output(opset.constant(value.astype(np.float32)).output(0))


def rounded(weights: Floats, moment: Floats) -> Floats:
    """Return ``weights`` (outputs, …) on a grid of :data:`LEVELS` either side, each output its own.

    ``moment`` (n, n) is the sum of the products of the n inputs of an output. Inputs that vary most
    are rounded first. An output's largest weight stays what it is, and with it the grid.
    """
    rows = weights.reshape(len(weights), -1)
    step = np.maximum(np.abs(rows).max(1), np.finfo(np.float32).tiny) / LEVELS
    count = rows.shape[1]
    order = np.argsort(-np.diag(moment), kind="stable")
    rest = rows[:, order].copy()
    largest = np.abs(rest).argmax(1)
    damped = moment[np.ix_(order, order)]
    damped = damped + np.eye(count) * (DAMPING * np.diag(damped).mean() + np.finfo(float).tiny)
    # Upper triangle: how the error of each weight is spread over those behind it.
    spread = np.linalg.cholesky(np.linalg.inv(damped)).T
    found = np.empty_like(rest)
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        errors = np.empty((len(rest), end - begin))
        for place in range(begin, end):
            level = np.clip(np.rint(rest[:, place] / step), -LEVELS, LEVELS)
            top = largest == place
            level[top] = np.copysign(LEVELS, rows[top, order[place]])
            found[:, place] = level * step
            error = (rest[:, place] - found[:, place]) / spread[place, place]
            rest[:, place + 1 : end] -= np.outer(error, spread[place, place + 1 : end])
            errors[:, place - begin] = error
        rest[:, end:] -= errors @ spread[begin:end, end:]
    back = np.empty_like(found)
    back[:, order] = found
    return back.reshape(weights.shape)


def constant(value: openvino.Output) -> Floats:
    """Return the numbers behind ``value``, whatever precision and shape they are stored in.

    Raises ValueError where it is computed from more than a constant.
    """
    node = value.get_node()
    while node.get_type_name() in {"Convert", "Unsqueeze", "Reshape"}:
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Constant":
        raise ValueError(f"{value.get_node().get_friendly_name()} is no constant")
    return np.asarray(node.data, np.float64).reshape(tuple(value.get_shape()))


def _bias(convolution: openvino.Node) -> openvino.Output:
    """Return what is added to the output of ``convolution``."""
    (target,) = convolution.output(0).get_target_inputs()
    (other,) = {0, 1} - {target.get_index()}
    return target.get_node().input_value(other)


def _producer(convolution: openvino.Node, convolutions: Sequence[openvino.Node]) -> int | None:
    """Return the place of the convolution whose channels ``convolution`` alone meets, if any."""
    node = convolution.input_value(0).get_node()
    while len(node.output(0).get_target_inputs()) == 1:
        if node.get_type_name() in CHANNELWISE:
            node = node.input_value(0).get_node()
            continue
        for place, one in enumerate(convolutions):
            (target,) = one.output(0).get_target_inputs()
            if target.get_node().get_friendly_name() == node.get_friendly_name():
                return place
        return None
    return None


def _met(
    graph: openvino.Model, convolutions: Sequence[openvino.Node], images: NDArray[np.uint8]
) -> tuple[list[Floats], list[Floats]]:
    """Return, of each convolution's input: the sums of products (n, n), n of them for an output,
    and the largest of each channel.
    """
    count = len(graph.outputs)
    graph.add_outputs([one.input_value(0) for one in convolutions])
    compiled = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    places = np.random.default_rng(0)
    shapes = [tuple(one.input_value(1).get_shape()) for one in convolutions]
    moments = [np.zeros((np.prod(shape[1:]),) * 2) for shape in shapes]
    peaks = [np.zeros(shape[1]) for shape in shapes]
    for image in images:
        inputs = list(compiled(as_input(image[None])).values())[count:]
        for place, (one, (found,)) in enumerate(zip(convolutions, inputs, strict=True)):
            rows = _patches(found, one, places)
            moments[place] += rows.T @ rows
            peaks[place] = np.maximum(peaks[place], np.abs(found).max((1, 2)))
    return moments, peaks


def _patches(
    found: NDArray[np.float32], convolution: openvino.Node, places: np.random.Generator
) -> NDArray[np.float32]:
    """Return (:data:`PLACES`, n): what ``convolution`` meets here and there in ``found``."""
    attributes = convolution.get_attributes()
    margins = zip(attributes["pads_begin"], attributes["pads_end"], strict=True)
    padded = np.pad(found, ((0, 0), *margins))
    size = tuple(convolution.input_value(1).get_shape())[2:]
    down, right = attributes["strides"]
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, (1, 2))[:, ::down, ::right]
    rows, columns = (places.integers(0, side, PLACES) for side in windows.shape[1:3])
    return windows[:, rows, columns].swapaxes(0, 1).reshape(PLACES, -1)
