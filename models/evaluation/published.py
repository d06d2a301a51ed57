"""Accuracies that others claim for such images, and why ours cannot be set against them."""

from __future__ import annotations

from typing import Final

from models.evaluation.schema import Claim
from models.types import BASES

UNTRACED: Final = "claimed for such images; no publication with its split was found"

CLAIMS: Final = (
    Claim(
        "CNN",
        "cnn",
        0.97,
        "Naeem et al., Front Comput Neurosci 2025, doi:10.3389/fncom.2025.1712896: 174 spine DXA "
        "images, multiplied by augmentation",
    ),
    Claim("VGG16", "vgg16", 0.90, UNTRACED),
    Claim("ResNet + random forest", "resnet", 0.87, UNTRACED),
    Claim("Stack", "+".join(BASES), 0.93, UNTRACED),
)

REASON: Final = (
    "These figures cannot be compared with ours. Where images are multiplied by augmentation and "
    "only then split at random, altered copies of one image stand on both sides, and a "
    "model is rewarded for recognising an image that it has seen. Where images of one patient, or "
    "images nearly alike, are not kept together, the same happens in a smaller way. Ours are split "
    "by group before anything else. None of the claims came to us with a split by patient, with "
    "images of another place or with intervals; and accuracy depends on how many of the images "
    "show osteoporosis."
)
