"""VGG16 (Simonyan and Zisserman, 2015) under a linear head on some of its stages.

Layer names are those of Keras's official weights file. On these scans the texture of trabecular
bone is told better by the middle stages than by the last, which was made for objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
from keras import layers

from models.image.recipe import SIDE as CANONICAL_SIDE
from models.networks.head import Tensor, input_image, laid_out, linear_head

CONVOLUTIONS: Final = (2, 2, 3, 3, 3)
WIDTHS: Final = (64, 128, 256, 512, 512)
BGR_MEAN: Final = (103.939, 116.779, 123.68)
"""What ImageNet's images average to, subtracted before the first layer as in training (BGR)."""

SIDE: Final = 112
"""Pixels a side that a canonical image is reduced to, a multiple of 16."""

BESIDE: Final = (8, 24)
"""Of those, rows above and below and columns left and right that are cut off, multiples of 8. What
is left, 96×64, holds L1–L4 and the soft tissue beside them."""

HEAD: Final = (3, 4, 5)
"""Blocks 3 and 4 for texture; block 5 because it is the one that is fine-tuned. Frozen features
under a linear head that was penalised for what moves among copies, normal against osteoporosis on
74 public scans, grouped folds: area under the curve 0.93 from block 4 alone and 0.96 from both, and
the mean change of the probability over 29 kinds of copies 0.063 and 0.051. Of 160 pixels a side,
twice the work, both have 0.97 and 0.055; a stack over either answers alike. (These folds chose it:
of other scans expect less.)"""


def build(
    widths: Sequence[int] = WIDTHS,
    head: Sequence[int] = HEAD,
    side: int = SIDE,
    beside: Sequence[int] = BESIDE,
) -> keras.Model:
    """Return the network; ``head`` names the blocks whose pooled output the head reads.

    Outputs ``logit`` (batch, 1) and ``map`` (batch, side / 8, side / 8, 1) for a head that starts
    at block 3; what is cut off has no evidence.
    """
    image = x = input_image()
    # In float32 under any policy, as engines do it: in bfloat16 a centred pixel is off by up to
    # half a grey level, the same for the whole image.
    if side != CANONICAL_SIDE:
        x = layers.Resizing(side, side, interpolation="bilinear", dtype="float32", name="resize")(x)
    rows, columns = beside
    x = layers.Cropping2D(((rows, rows), (columns, columns)), dtype="float32", name="column")(x)
    x = layers.Concatenate(dtype="float32", name="grey_to_bgr")([x, x, x])
    x = layers.Rescaling(1.0, offset=[-mean for mean in BGR_MEAN], dtype="float32", name="centre")(
        x
    )
    pooled: dict[int, Tensor] = {}
    for block, (count, width) in enumerate(zip(CONVOLUTIONS, widths, strict=True), start=1):
        x = pooled[block] = _block(x, block, count, width)
    logit, heat = linear_head([(f"block{block}", pooled[block]) for block in head])
    heat = laid_out(heat, side // 2 ** min(head))
    return keras.Model(image, [logit, heat], name="vgg16")


def _block(x: Tensor, block: int, count: int, width: int) -> Tensor:
    for index in range(1, count + 1):
        name = f"block{block}_conv{index}"
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)
    return layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
