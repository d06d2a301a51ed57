"""A small convolutional network, trained from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
from keras import layers

from models.image.recipe import SIDE
from models.networks.head import Tensor, input_image, laid_out, linear_head

BESIDE: Final = 16
"""Pixels of 112 a side that are cut off all round: what is left holds L1–L4 and soft tissue."""


def build(
    widths: Sequence[int] = (16, 32, 64, 96), dropout: float = 0.3, beside: int = BESIDE
) -> keras.Model:
    """Return the network: one stage of two convolutions per width, each halving the resolution.

    Outputs ``logit`` (batch, 1) and ``map`` (batch, 7, 7, 1) for four widths.
    """
    image = input_image()
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    x = layers.AveragePooling2D(2, name="halve")(x)
    x = layers.Cropping2D(beside, name="column")(x)
    for stage, width in enumerate(widths, start=1):
        x = _stage(x, width, name=f"stage{stage}")
    x = layers.SpatialDropout2D(dropout, name="dropout")(x)
    logit, heat = linear_head([("features", x)])
    heat = laid_out(heat, SIDE // 2 ** (1 + len(widths)))
    return keras.Model(image, [logit, heat], name="cnn")


def _stage(x: Tensor, width: int, *, name: str) -> Tensor:
    for index in (1, 2):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_conv{index}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn{index}")(x)
        x = layers.ReLU(name=f"{name}_relu{index}")(x)
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x)
