"""A residual network for CIFAR (He et al., 2016, section 4.2): features for the forest.

ResNet-56 has three stages of nine residual blocks; these are its first twenty-four blocks, over the
middle of the image at half its resolution. Shortcuts that change the width subsample and pad with
zero channels (option A), written as a fixed 1×1 convolution because every runtime has that. Names
follow the weights file: ``layer2_0_conv1`` and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np
from keras import initializers, layers
from numpy.typing import NDArray

from models.image.recipe import SIDE
from models.networks.head import Tensor, input_image

RGB_MEAN: Final = (0.485, 0.456, 0.406)
RGB_SD: Final = (0.229, 0.224, 0.225)
"""The normalisation that the pretrained weights were trained with (RGB, 0…1)."""

BLOCKS: Final = (9, 9, 6)
"""Residual blocks a stage. Area under the curve of a forest on the pooled features, normal against
osteoporosis on 74 public scans as sent and on altered copies, grouped folds: 0.82 and 0.76 after
six blocks of the third stage at half the resolution, 0.64 to 0.79 and 0.65 to 0.75 elsewhere; at
the whole resolution, in four times the work, 0.83 and 0.78 after all blocks. (On images that were
not smoothed two blocks of the second stage had 0.92, by texture that no other export keeps.)"""

COLUMNS: Final = 128
ROWS: Final = 160
"""Pixels in the middle that are looked at, of 224: the recipe lays L1–L4 there."""

REDUCE: Final = 2
"""Canonical pixels a side that the network's first layer sees as one."""

MAP_SIDE: Final = 56


def build(
    blocks: Sequence[int] = BLOCKS,
    widths: Sequence[int] = (16, 32, 64),
    columns: int = COLUMNS,
    rows: int = ROWS,
    reduce: int = REDUCE,
) -> keras.Model:
    """Return the network; ``blocks`` are those of each stage, as many stages as there are.

    Outputs ``features`` (batch, width of the last stage) and what they are the global average of,
    its feature maps (batch, 28, 28, width) laid over the whole image, zero beside the middle: the
    forest's evidence is drawn there. At most three stages.
    """
    image = input_image()
    beside, above = (SIDE - columns) // 2, (SIDE - rows) // 2
    x = layers.Cropping2D(((above, above), (beside, beside)), name="middle")(image)
    if reduce > 1:
        x = layers.AveragePooling2D(reduce, name="reduce")(x)
    x = layers.Concatenate(name="grey_to_rgb")([x, x, x])
    x = layers.Rescaling(
        [1 / (255 * sd) for sd in RGB_SD],
        offset=[-mean / sd for mean, sd in zip(RGB_MEAN, RGB_SD, strict=True)],
        name="normalise",
    )(x)
    x = _normalised(_convolution(x, widths[0], 1, name="conv1"), name="bn1")
    x = layers.ReLU(name="relu1")(x)
    for stage, (count, width) in enumerate(zip(blocks, widths, strict=False), start=1):
        for block in range(count):
            stride = 2 if stage > 1 and block == 0 else 1
            x = _residual(x, width, stride, name=f"layer{stage}_{block}")
    step = rows // int(x.shape[1])  # canonical pixels a feature's
    padding = ((above // step, above // step), (beside // step, beside // step))
    x = layers.ZeroPadding2D(padding, name="beside")(x)
    if int(x.shape[1]) > MAP_SIDE:
        x = layers.AveragePooling2D(int(x.shape[1]) // MAP_SIDE, name="map")(x)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(image, [features, x], name="resnet")


def _residual(x: Tensor, width: int, stride: int, *, name: str) -> Tensor:
    y = _normalised(_convolution(x, width, stride, name=f"{name}_conv1"), name=f"{name}_bn1")
    y = layers.ReLU(name=f"{name}_relu1")(y)
    y = _normalised(_convolution(y, width, 1, name=f"{name}_conv2"), name=f"{name}_bn2")
    if stride > 1:
        x = layers.Conv2D(
            width,
            1,
            strides=stride,
            use_bias=False,
            trainable=False,
            kernel_initializer=initializers.Constant(_zero_padding(int(x.shape[-1]), width)),
            name=f"{name}_shortcut",
        )(x)
    return layers.ReLU(name=f"{name}_relu2")(layers.Add(name=f"{name}_add")([x, y]))


def _convolution(x: Tensor, width: int, stride: int, *, name: str) -> Tensor:
    # Padded explicitly: Keras's "same" pads a strided convolution on the far side only, and the
    # pretrained weights expect one pixel on each.
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    return layers.Conv2D(width, 3, strides=stride, use_bias=False, name=name)(x)


def _normalised(x: Tensor, *, name: str) -> Tensor:
    return layers.BatchNormalization(epsilon=1e-5, name=name)(x)


def _zero_padding(source: int, target: int) -> NDArray[np.float32]:
    """Return a (1, 1, source, target) kernel that copies channels and pads equally around them."""
    kernel = np.zeros((1, 1, source, target), np.float32)
    before = (target - source) // 2
    for channel in range(source):
        kernel[0, 0, channel, before + channel] = 1.0
    return kernel
