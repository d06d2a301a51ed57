"""Whether a contender's answer is right, by ``models.training.parity``'s rule on the stack's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from loadtests.benchmark.generator import Sample
from models.training import parity

ANSWERED: Final = (200, 201)
REFUSED: Final = (429, 503)
"""Statuses of a server that says that it has too much to do."""


@dataclass(frozen=True)
class Expected:
    """Keras's word on one image: float32, nothing compiled."""

    probability: float
    outcome: str


@dataclass
class Checked:
    """What came of holding answers against their reference.

    ``changed`` counts other outcomes, ``missing`` answers without a probability. Answers of some
    models alone are ``degraded``: not wrong, but no step that has one holds.
    """

    answers: int = 0
    largest: float = 0.0
    changed: int = 0
    missing: int = 0
    degraded: int = 0

    @property
    def holds(self) -> bool:
        return not self.changed and not self.missing and self.largest <= parity.LARGEST

    def add(self, samples: Iterable[Sample], expected: Mapping[int, Expected]) -> None:
        """Hold those of ``samples`` that were answered; only some have an expectation."""
        for sample in samples:
            if sample.status not in ANSWERED:
                continue
            if sample.whole:
                self.hold(sample.number, sample.probability, sample.outcome, expected)
            else:
                self.degraded += 1

    def hold(
        self,
        number: int,
        probability: float | None,
        outcome: str | None,
        expected: Mapping[int, Expected],
    ) -> None:
        if probability is None:
            self.missing += 1
        elif (one := expected.get(number)) is not None:
            self.answers += 1
            self.largest = max(self.largest, abs(probability - one.probability))
            self.changed += outcome != one.outcome

    def record(self) -> dict[str, Any]:
        return {**vars(self), "holds": self.holds}
