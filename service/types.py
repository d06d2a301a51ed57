"""Names that more than one module speaks of."""

from __future__ import annotations

from typing import Final, Literal

from models.types import BASES, MAPPED, MODELS, BaseName, ModelName
from protocol.answers import Band
from protocol.runners import RUNNER_OF, RUNNERS, RunnerName

__all__ = [
    "BASES",
    "MAPPED",
    "MODELS",
    "PARTS",
    "RUNNERS",
    "RUNNER_OF",
    "Band",
    "BaseName",
    "ModelName",
    "Outcome",
    "PartName",
    "RunnerName",
]

Outcome = Literal["osteoporosis", "normal", "indeterminate", "refused"]

PartName = BaseName | Literal["stack"]
PARTS: Final[tuple[PartName, ...]] = (*BASES, "stack")
"""What an answer is made of, and can lack: it is degraded then."""
