"""Names that more than one module speaks of."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    "Seconds",
    "SecondsOrNone",
    "SettingsGroup",
    "Url",
]

Outcome = Literal["osteoporosis", "normal", "indeterminate", "refused"]

PartName = BaseName | Literal["stack"]
PARTS: Final[tuple[PartName, ...]] = (*BASES, "stack")
"""What an answer is made of, and can lack: it is degraded then."""

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SecondsOrNone = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")]


class SettingsGroup(BaseModel):
    """The settings of one room, each with its default and what it means."""

    model_config = ConfigDict(frozen=True)
