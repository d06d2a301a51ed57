"""A residual network for CIFAR (He et al., 2016, section 4.2): features for the forest.

ResNet-56 has three stages of nine residual blocks; these are its first eleven blocks, over the
middle of the image. Shortcuts that change the width subsample and pad with zero channels (option
A), written as a fixed 1×1 convolution because every runtime has that. Names follow the weights
file: ``layer2_0_conv1`` and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np
from keras import initializers, layers
from numpy.typing import NDArray

from models.networks.head import Tensor, input_image
from models.recipe import SIDE

RGB_MEAN: Final = (0.485, 0.456, 0.406)
RGB_SD: Final = (0.229, 0.224, 0.225)
"""The normalisation that the pretrained weights were trained with (RGB, 0…1)."""

BLOCKS: Final = (9, 2)
"""Residual blocks a stage. Texture is told as well two blocks into the second stage as at the end
of the third: area under the curve of a forest on the pooled features, normal against osteoporosis
on 74 public scans, grouped folds, 0.92 after either and 0.81 to 0.90 in between. It is 0.41 of the
work. (At half the resolution, a quarter of it, the area is 0.76.)"""

COLUMNS: Final = 128
"""Columns in the middle that are looked at, of 224: the spine is there, the gate refuses a scan
where it is not, and what lies beside it costs time. The same area under the curve over 112 to 168
columns is 0.92 to 0.93; over 90 it is 0.83."""

MAP_SIDE: Final = 56


def build(
    blocks: Sequence[int] = BLOCKS, widths: Sequence[int] = (16, 32, 64), columns: int = COLUMNS
) -> keras.Model:
    """Return the network; ``blocks`` are those of each stage, as many stages as there are.

    Outputs ``features`` (batch, width of the last stage) and what they are the global average of,
    its feature maps (batch, 56, 56, width) laid over the whole image, zero beside the columns: the
    forest's evidence is drawn there. At most three stages.
    """
    image = input_image()
    beside = (SIDE - columns) // 2
    x = layers.Cropping2D(((0, 0), (beside, beside)), name="middle")(image)
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
    beside = beside * int(x.shape[1]) // SIDE
    x = layers.ZeroPadding2D(((0, 0), (beside, beside)), name="beside")(x)
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
