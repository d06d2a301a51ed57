"""What is kept of a run: ``report.json`` for programs, ``report.txt`` as the terminal shows it.

The figures of Locust's own page, ``locust.html``, include the warm-up; those here do not.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from loadtests import gate, machine, mix
from loadtests.gate import Failure
from loadtests.plan import Plan
from loadtests.shapes import Rule
from loadtests.stats import RunStats, Stats
from loadtests.table import Table

FORMAT: Final = 2  # Of ``report.json``; one more when a field changes its name or meaning
_COUNTED: Final = (Rule.OBJECTIVES, Rule.SHEDDING, Rule.RECOVERY)
_COUNTS: Final = ("served", "shed", "failed", "wrong", "fast", "degraded", "refused")
_HEAD: Final = ("endpoint", "requests", "served", "shed", "fast", "p50", "p95", "p99", "verdict")
_STAGES: Final = ("stage", "planned/s", "served/s", "requests", "shed", "failed", "wrong")


@dataclass(frozen=True)
class Report:
    """One run: its plan, its statistics, and what speaks against it."""

    plan: Plan
    begun: datetime
    local: bool
    stats: RunStats
    failures: tuple[Failure, ...]

    @classmethod
    def of(cls, plan: Plan, stats: RunStats, begun: datetime, *, local: bool) -> Report:
        return cls(plan, begun, local, stats, tuple(gate.judge(plan, stats)))

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def judged(self) -> list[int]:
        """Stages by which endpoints are told: those with objectives, or without any all."""
        return gate.stages(self.plan, Rule.OBJECTIVES) or gate.stages(self.plan, *_COUNTED)

    def document(self) -> dict[str, Any]:
        delays = self.stats.over(self.judged).send_delays
        images = self.stats.images
        return {
            "format": FORMAT,
            "begun": self.begun.isoformat(),
            "passed": self.passed,
            "failures": [asdict(failure) for failure in self.failures],
            "plan": {**asdict(self.plan), "seconds": self.plan.seconds},
            # Whose it was, not where: an address may be nobody's business.
            "target": "local" if self.local else "given",
            "machine": machine.here(),
            "endpoints": {
                kind.slo: {
                    **_figures(self.stats.over(self.judged, [kind.slo])),
                    "slo": asdict(mix.OBJECTIVES[kind.slo]),
                }
                for kind in self.plan.kinds
            },
            "stages": [self._stage(number) for number in range(len(self.plan.stages))],
            "generator": {
                "send_delay_p50": _rounded(delays.quantile(0.5)),
                "send_delay_p99": _rounded(delays.quantile(0.99)),
                "images": images,
                "images_late": self.stats.images_late,
                "seconds_per_image": _rounded(self.stats.image_seconds / max(images, 1)),
            },
            "stats": self.stats.document(),
        }

    def write(self, folder: Path) -> None:
        text = json.dumps(self.document(), indent=1) + "\n"
        (folder / "report.json").write_text(text, "utf-8")
        (folder / "report.txt").write_text("\n".join(self.lines()) + "\n", "utf-8")

    def lines(self) -> list[str]:
        """Return the report for a terminal."""
        verdict = "passed" if self.passed else "failed"
        document = self.document()
        failed = {failure.endpoint for failure in self.failures}
        endpoints = [
            (name, *_cells(one), "FAIL" if gate.title(name) in failed else "ok")
            for name, one in document["endpoints"].items()
        ]
        stages = [
            (
                f"{one['rule']}, {one['seconds']:g} s",
                f"{one['planned_per_second']:.3g}" if one["planned_per_second"] else "closed",
                f"{one['served_per_second']:.3g}",
                *(f"{one[name]}" for name in ("requests", "shed", "failed", "wrong")),
            )
            for one in document["stages"]
        ]
        return [
            *Table(_HEAD, endpoints).text(),
            *Table(_STAGES, stages).text(),
            *(f"FAIL {failure}" for failure in self.failures),
            f"{verdict}: {self.plan.shape} at {self.plan.rate:.3g} requests a second",
        ]

    def _stage(self, number: int) -> dict[str, Any]:
        stage = self.plan.stages[number]
        stats = self.stats.over([number])
        return {
            "rule": stage.rule.value,
            "seconds": stage.seconds,
            "users": stage.users,
            "planned_per_second": None if stage.users else self.plan.rate * stage.mean,
            "served_per_second": stats.served / stage.seconds,
            **_figures(stats),
        }


def _figures(stats: Stats) -> dict[str, Any]:
    return {
        "requests": stats.requests,
        **{name: stats.counts[name] for name in _COUNTS},
        "faults": dict(stats.faults),
        **{f"p{n}": _rounded(stats.durations.quantile(n / 100)) for n in (50, 95, 99)},
    }


def _cells(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        *(str(one[name]) for name in ("requests", "served", "shed")),
        f"{one['fast'] / one['served'] * 100:.4g} %" if one["served"] else "",
        *(_seconds(one[name]) for name in ("p50", "p95", "p99")),
    )


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
