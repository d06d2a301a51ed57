"""Global average pooling and a linear layer, in the order that makes the heat map exact.

A linear layer on pooled features equals pooling the linear layer's map: with features f and weights
w, Σ_c w_c · mean_xy f_c = mean_xy Σ_c w_c · f_c. The head therefore applies w first, as a 1×1
convolution. Its output *is* the class activation map (Zhou et al., CVPR 2016), its mean plus the
bias *is* the logit, and both come from one forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers

from models.image.recipe import SIDE

Tensor = Any  # a symbolic Keras tensor: Keras publishes no type for it


def linear_head(features: Sequence[tuple[str, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return ``(logit, map)`` of the named feature maps, each (batch, height, width, channels).

    logit is (batch, 1); map is (batch, h, w, 1) with the resolution of the finest features. Coarser
    maps are repeated, which keeps their mean, so that mean(map) is the logit to rounding: the bias
    is spread over the map.
    """
    finest = max(int(tensor.shape[1]) for _, tensor in features)
    maps = []
    for index, (name, tensor) in enumerate(features):
        # In float32 under any policy: a sum of many terms that nearly cancel.
        evidence = layers.Conv2D(1, 1, use_bias=index == 0, dtype="float32", name=f"head_{name}")(
            tensor
        )
        factor = finest // int(tensor.shape[1])
        if factor > 1:
            evidence = layers.UpSampling2D(factor, dtype="float32", name=f"head_{name}_repeat")(
                evidence
            )
        maps.append(evidence)
    # No Reshape to drop the last axis: Keras's OpenVINO backend would fix the batch size in it.
    total = layers.Add(dtype="float32", name="map")(maps) if len(maps) > 1 else maps[0]
    logit = layers.GlobalAveragePooling2D(dtype="float32", name="logit")(total)
    return logit, total


def laid_out(heat: Tensor, side: int) -> Tensor:
    """Return ``heat`` (batch, h, w, 1), of the middle of an image, laid over the whole of it:
    (batch, side, side, 1), zero beside, and as much larger inside as keeps its mean.

    Raises ValueError where it cannot lie in the middle."""
    high, wide = int(heat.shape[1]), int(heat.shape[2])
    if (side - high) % 2 or (side - wide) % 2:
        raise ValueError(f"a map of {high}×{wide} does not lie in the middle of {side}×{side}")
    above, beside = (side - high) // 2, (side - wide) // 2
    if not above and not beside:
        return heat
    share = side * side / (high * wide)
    heat = layers.Rescaling(share, dtype="float32", name="map_share")(heat)
    padding = ((above, above), (beside, beside))
    return layers.ZeroPadding2D(padding, dtype="float32", name="map_beside")(heat)


def input_image() -> Tensor:
    """Return the input of every network: (batch, 224, 224, 1) float32, 0…255."""
    return layers.Input((SIDE, SIDE, 1), dtype="float32", name="image")
