"""Runs against runs: is it worse than it was? Medians of at least three, on one machine.

A baseline is a file of medians, by shape, under ``var/load/baselines``: speed is a machine's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from loadtests.report import FORMAT

LEAST_RUNS: Final = 3
TOLERANCE: Final[Mapping[str, float]] = {"p50": 0.25, "p95": 0.4, "served": 0.02}
"""How much larger a latency, or smaller a share of served requests, may be."""
NOISE_SECONDS: Final = 0.01  # A latency that grew by less is none that anybody waits for
_SAME: Final = ("shape", "rate", "workers", "scale", "only")


class BaselineError(ValueError):
    """These runs cannot be compared; the message says why."""


@dataclass(frozen=True)
class Regression:
    endpoint: str
    figure: str
    before: float
    after: float

    @property
    def worse(self) -> bool:
        grown, tolerance = self.after - self.before, TOLERANCE[self.figure]
        if self.figure == "served":
            return grown < -tolerance
        return grown > self.before * tolerance and grown > NOISE_SECONDS

    def __str__(self) -> str:
        change = (self.after / self.before - 1) * 100 if self.before else float("inf")
        unit = "" if self.figure == "served" else " s"
        return (
            f"{self.endpoint}: {self.figure} is {self.after:.4g}{unit}, was "
            f"{self.before:.4g}{unit} ({change:+.0f} %)"
        )


def runs(folder: Path, shape: str) -> list[dict[str, Any]]:
    """Return the reports of ``shape`` below ``folder``, the oldest first."""
    reports = [json.loads(path.read_text("utf-8")) for path in folder.glob("*/report.json")]
    return sorted(
        (one for one in reports if one["format"] == FORMAT and one["plan"]["shape"] == shape),
        key=lambda one: str(one["begun"]),
    )


def summary(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the medians of runs that are alike. Raises :class:`BaselineError`."""
    if len(reports) < LEAST_RUNS:
        raise BaselineError(
            f"there are {len(reports)} runs to take medians of; {LEAST_RUNS} are needed"
        )
    first = reports[0]
    for other in reports[1:]:
        _alike(first, other)
    return {
        "runs": len(reports),
        "begun": [one["begun"] for one in reports],
        "plan": {key: first["plan"][key] for key in _SAME},
        "machine": first["machine"],
        "endpoints": {
            name: _medians([one["endpoints"][name] for one in reports])
            for name in first["endpoints"]
        },
    }


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Regression]:
    """Return what is worse in ``after``, both being summaries. Raises :class:`BaselineError`."""
    _alike(before, after)
    found = (
        Regression(name, figure, old[figure], after["endpoints"][name][figure])
        for name, old in before["endpoints"].items()
        for figure in TOLERANCE
    )
    # Where nothing was served there is no latency: the share tells.
    return [one for one in found if None not in (one.before, one.after) and one.worse]


def _medians(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    shares = (row["served"] / row["requests"] if row["requests"] else 0.0 for row in rows)
    figures: dict[str, float | None] = {"served": median(shares)}
    for figure in ("p50", "p95"):
        values = [row[figure] for row in rows if row[figure] is not None]
        figures[figure] = median(values) if values else None
    return figures


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    for key in _SAME:
        if one["plan"][key] != other["plan"][key]:
            raise BaselineError(
                f"runs differ in {key}: {one['plan'][key]} and {other['plan'][key]}; only runs "
                "of one plan can be compared"
            )
    if one["machine"] != other["machine"]:
        raise BaselineError("runs come from different machines; speed is each machine's own")
