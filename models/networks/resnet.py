"""A residual network for CIFAR (He et al., 2016, section 4.2): features for the forest.

``blocks`` residual blocks in each of three stages; 9 makes ResNet-56. Shortcuts that change the
width subsample and pad with zero channels (option A), written as a fixed 1×1 convolution because
every runtime has that. Names follow the weights file: ``layer2_0_conv1`` and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np
from keras import initializers, layers
from numpy.typing import NDArray

from models.networks.head import Tensor, input_image

RGB_MEAN: Final = (0.485, 0.456, 0.406)
RGB_SD: Final = (0.229, 0.224, 0.225)
"""The normalisation that the pretrained weights were trained with (RGB, 0…1)."""


def build(blocks: int = 9, widths: Sequence[int] = (16, 32, 64)) -> keras.Model:
    """Return the network.

    Outputs ``features`` (batch, widths[-1]) and what they are the global average of, the last
    feature maps (batch, 56, 56, widths[-1]) for three widths: the forest's evidence is drawn there.
    """
    image = input_image()
    x = layers.Concatenate(name="grey_to_rgb")([image, image, image])
    x = layers.Rescaling(
        [1 / (255 * sd) for sd in RGB_SD],
        offset=[-mean / sd for mean, sd in zip(RGB_MEAN, RGB_SD, strict=True)],
        name="normalise",
    )(x)
    x = _normalised(_convolution(x, widths[0], 1, name="conv1"), name="bn1")
    x = layers.ReLU(name="relu1")(x)
    for stage, width in enumerate(widths, start=1):
        for block in range(blocks):
            stride = 2 if stage > 1 and block == 0 else 1
            x = _residual(x, width, stride, name=f"layer{stage}_{block}")
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
