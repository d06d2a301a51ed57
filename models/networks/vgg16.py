"""VGG16 (Simonyan and Zisserman, 2015) under a linear head on its last three stages.

Layer names are those of Keras's official weights file. The head reads block3, block4 and block5:
on these scans the texture of trabecular bone is told better by the middle stages than by the last,
which was made for objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
from keras import layers

from models.networks.head import Tensor, input_image, linear_head

CONVOLUTIONS: Final = (2, 2, 3, 3, 3)
WIDTHS: Final = (64, 128, 256, 512, 512)
BGR_MEAN: Final = (103.939, 116.779, 123.68)
"""What ImageNet's images average to, subtracted before the first layer as in training (BGR)."""


def build(widths: Sequence[int] = WIDTHS, head: Sequence[int] = (3, 4, 5)) -> keras.Model:
    """Return the network; ``head`` names the blocks whose pooled output the head reads.

    Outputs ``logit`` (batch, 1) and ``map`` (batch, 28, 28, 1) for a head that starts at block 3.
    """
    image = input_image()
    x = layers.Concatenate(name="grey_to_bgr")([image, image, image])
    x = layers.Rescaling(1.0, offset=[-mean for mean in BGR_MEAN], name="centre")(x)
    pooled: dict[int, Tensor] = {}
    for block, (count, width) in enumerate(zip(CONVOLUTIONS, widths, strict=True), start=1):
        x = pooled[block] = _block(x, block, count, width)
    logit, heat = linear_head([(f"block{block}", pooled[block]) for block in head])
    return keras.Model(image, [logit, heat], name="vgg16")


def _block(x: Tensor, block: int, count: int, width: int) -> Tensor:
    for index in range(1, count + 1):
        name = f"block{block}_conv{index}"
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)
    return layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
