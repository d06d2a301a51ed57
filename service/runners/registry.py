"""The runners that there are: one entry each, from which everything else is made.

Settings take addresses from it, the supervisor processes, Prometheus' rules and the chart's schema
names, pages what models are called. Beside it a runner has its folder in ``bentos/``, its models'
names in ``protocol.runners``, and an entry in the chart's values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, create_model

from service.types import ModelName, RunnerName, SettingsGroup, Url

Role = Literal["outlines", "votes", "combines"]
"""``outlines``: finds vertebrae, without which no image is answered; ``votes``: has base models and
nothing else; ``combines``: makes one answer of the votes."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    name: RunnerName
    role: Role
    port: int
    """Where it answers on this machine, unless its setting says otherwise."""
    models: Mapping[ModelName, str]
    """The models that it holds, by the names that pages call them."""
    quick: bool = False
    """Whether it answers in less than half of VGG16's time on the same CPUs."""
    about: str = ""
    """What the help text of its address adds."""

    @property
    def setting(self) -> str:
        """The front's setting that says where it answers."""
        return f"{self.name}_url"


REGISTRY: Final[tuple[Runner, ...]] = (
    Runner(name="cnn", role="votes", port=8101, models={"cnn": "CNN"}, quick=True),
    Runner(name="vgg16", role="votes", port=8102, models={"vgg16": "VGG16"}),
    Runner(
        name="resnet", role="votes", port=8103, models={"resnet": "ResNet + forest"}, quick=True
    ),
    Runner(
        name="vertebrae",
        role="outlines",
        port=8105,
        models={"bone": "Bone", "vertebrae": "Vertebrae"},
        quick=True,
        about=", which also holds the base model bone",
    ),
    Runner(name="stack", role="combines", port=8104, models={"stack": "Stack"}),
)

BY_NAME: Final[Mapping[RunnerName, Runner]] = {one.name: one for one in REGISTRY}

MODEL_NAMES: Final[Mapping[ModelName, str]] = {
    model: name for one in REGISTRY for model, name in one.models.items()
}
"""What pages call each model."""


def _address(runner: Runner) -> tuple[Any, Any]:
    text = f"Where the {runner.name} runner answers{runner.about}."
    return Url, Field(f"http://127.0.0.1:{runner.port}", description=text)


if TYPE_CHECKING:

    class RunnerUrls(SettingsGroup):
        """A setting for each runner's address."""

else:
    # Types know no fields that are made of a table.
    RunnerUrls = create_model(
        "RunnerUrls", __base__=SettingsGroup, **{one.setting: _address(one) for one in REGISTRY}
    )
