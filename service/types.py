"""Names that more than one module speaks of."""

from __future__ import annotations

from typing import Final, Literal

from models.types import BASES, BaseName

__all__ = ["BASES", "RUNNERS", "Band", "BaseName", "Outcome", "RunnerName"]

Outcome = Literal["osteoporosis", "normal", "indeterminate", "refused"]

RunnerName = Literal["cnn", "vgg16", "resnet", "stack"]
"""Any runner; ``stack`` looks at the base runners' votes."""

RUNNERS: Final[tuple[RunnerName, ...]] = (*BASES, "stack")

Band = tuple[float, float]
"""Lower and upper end, both inside: between them the answer is ``indeterminate``."""
