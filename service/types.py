"""Names that more than one module speaks of."""

from __future__ import annotations

from typing import Final, Literal

Outcome = Literal["osteoporosis", "normal", "indeterminate", "refused"]

BaseName = Literal["cnn", "vgg16", "resnet"]
"""A base runner: it looks at the image."""

RunnerName = Literal["cnn", "vgg16", "resnet", "stack"]
"""Any runner; ``stack`` looks at the base runners' votes."""

BASES: Final[tuple[BaseName, ...]] = ("cnn", "vgg16", "resnet")
RUNNERS: Final[tuple[RunnerName, ...]] = (*BASES, "stack")

Band = tuple[float, float]
"""Lower and upper end, both inside: between them the answer is ``indeterminate``."""
