"""What was last seen of each runner, for pages and probes."""

from __future__ import annotations

from typing import Literal

from service.types import RUNNERS, RunnerName

RunnerState = Literal["unknown", "ready", "down"]


class RunnerStates(dict[RunnerName, RunnerState]):
    """The state of every runner. Health's probes (:mod:`service.operations.health`) write it."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(RUNNERS, "unknown"))

    @property
    def down(self) -> frozenset[RunnerName]:
        return frozenset(name for name, state in self.items() if state == "down")
