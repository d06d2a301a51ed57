"""Names that more than one module speaks of."""

from __future__ import annotations

from typing import Final, Literal, get_args

Label = Literal["normal", "osteopenia", "osteoporosis"]
LABELS: Final[tuple[Label, ...]] = get_args(Label)
"""Classes of bone density (domain.md §1.1), from dense to thin."""

BaseName = Literal["cnn", "vgg16", "resnet", "bone"]
BASES: Final[tuple[BaseName, ...]] = get_args(BaseName)
"""The base models, in the order that the stack, documents and pages list them."""

MAPPED: Final[tuple[BaseName, ...]] = ("cnn", "vgg16", "resnet")
"""Those that can draw a heat map; ``bone`` says its measurements instead."""

ModelName = BaseName | Literal["vertebrae", "stack"]
MODELS: Final[tuple[ModelName, ...]] = (*BASES, "vertebrae", "stack")
"""Every model that answers, each with an artefact and a version of its own."""
