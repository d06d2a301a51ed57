"""A small U-Net (Ronneberger et al., 2015) that outlines the lumbar vertebrae in a whole frame.

It works at half the frame's resolution and below, where a strided convolution brings the image and
a transposed one takes the maps back: at full resolution most of the time would go for nothing. At
the lowest step it sees the whole frame, which counting levels takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
from keras import layers

from models.networks.head import Tensor, input_image

CLASSES: Final = 6
"""Background, L1–L4, another vertebra."""

WIDTHS: Final = (16, 24, 40, 64, 96)
"""Channels at 112, 56, 28, 14 and 7 pixels a side."""


def build(widths: Sequence[int] = WIDTHS) -> keras.Model:
    """Return the network: one output ``maps`` (batch, 224, 224, 8) of logits.

    Channels 0–5 are the classes (softmax), 6 is graphics drawn on the image and 7 the boundary
    between two vertebrae (sigmoid each).
    """
    image = input_image()
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    x = layers.Conv2D(widths[0], 4, strides=2, padding="same", use_bias=False, name="halve")(x)
    x = _normalised(x, name="halve")
    skips: list[Tensor] = []
    for step, width in enumerate(widths):
        if step:
            x = layers.MaxPooling2D(2, name=f"down{step}")(x)
        x = _block(x, width, 1 if step == 0 else 2, name=f"encode{step}")
        skips.append(x)
    for step in range(len(widths) - 2, -1, -1):
        x = layers.Conv2D(widths[step], 1, name=f"narrow{step}")(x)
        x = layers.UpSampling2D(2, interpolation="bilinear", name=f"up{step}")(x)
        x = layers.Concatenate(name=f"join{step}")([x, skips[step]])
        x = _block(x, widths[step], 2 if step else 1, name=f"decode{step}")
    maps = layers.Conv2DTranspose(
        CLASSES + 2, 4, strides=2, padding="same", dtype="float32", name="maps"
    )(x)
    return keras.Model(image, maps, name="vertebrae")


def _block(x: Tensor, width: int, count: int, *, name: str) -> Tensor:
    for index in range(1, count + 1):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_conv{index}")(x)
        x = _normalised(x, name=f"{name}_{index}")
    return x


def _normalised(x: Tensor, *, name: str) -> Tensor:
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
