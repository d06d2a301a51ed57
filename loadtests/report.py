"""What is kept of a run: ``report.json`` for programs, ``report.html`` to be read, beside Locust's.

Locust's own page and its figures include the warm-up; those here do not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from loadtests import gate, machine, mix
from loadtests.gate import Failure
from loadtests.plan import Plan
from loadtests.shapes import Rule
from loadtests.tally import Count, Tally

FORMAT: Final = 1
"""Of ``report.json``; one more when a field changes its meaning."""

_COUNTED: Final = (Rule.OBJECTIVES, Rule.SHEDDING, Rule.RECOVERY)


@dataclass(frozen=True)
class Report:
    """One run: its plan, what was counted, and what speaks against it."""

    plan: Plan
    begun: datetime
    own: bool
    tally: Tally
    failures: tuple[Failure, ...]

    @classmethod
    def of(cls, plan: Plan, tally: Tally, begun: datetime, *, own: bool) -> Report:
        return cls(plan, begun, own, tally, tuple(gate.judge(plan, tally)))

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def judged(self) -> list[int]:
        """Stages by which endpoints are told: those with objectives, or without any all."""
        return gate.stages(self.plan, Rule.OBJECTIVES) or gate.stages(self.plan, *_COUNTED)

    def document(self) -> dict[str, Any]:
        lateness = self.tally.over(self.judged).lateness
        return {
            "format": FORMAT,
            "begun": self.begun.isoformat(),
            "passed": self.passed,
            "failures": [asdict(failure) for failure in self.failures],
            "plan": {**asdict(self.plan), "seconds": self.plan.seconds},
            # Whose it was, not where: an address may be nobody's business.
            "target": "own" if self.own else "given",
            "machine": machine.here(),
            "endpoints": {ask.slo: self._endpoint(ask.slo) for ask in self.plan.asks},
            "stages": [self._stage(number) for number in range(len(self.plan.stages))],
            "generator": {
                "lateness_p50": _rounded(lateness.quantile(0.5)),
                "lateness_p99": _rounded(lateness.quantile(0.99)),
                "images": self.tally.images,
                "images_late": self.tally.images_late,
                "seconds_per_image": _rounded(
                    self.tally.image_seconds / self.tally.images if self.tally.images else None
                ),
            },
            "counts": self.tally.document(),
        }

    def write(self, folder: Path) -> None:
        text = json.dumps(self.document(), indent=1) + "\n"
        (folder / "report.json").write_text(text, "utf-8")
        (folder / "report.html").write_text(self.page(), "utf-8")

    def lines(self) -> list[str]:
        """Return the report for a terminal."""
        rows = [("endpoint", "requests", "served", "shed", "fast", "p50", "p95", "p99", "")]
        failed = {failure.endpoint for failure in self.failures}
        for name, one in self.document()["endpoints"].items():
            verdict = "FAIL" if gate.title(name) in failed else "ok"
            rows.append((name, *_cells(one), verdict))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if column in (0, 8) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        lines += [f"FAIL {failure}" for failure in self.failures]
        lines.append(
            f"{'passed' if self.passed else 'failed'}: {self.plan.shape} at "
            f"{self.plan.rate:.3g} requests a second"
        )
        return lines

    def page(self) -> str:
        document = self.document()
        head = ("endpoint", "requests", "served", "shed", "fast", "p50", "p95", "p99")
        failed = {failure.endpoint for failure in self.failures}
        endpoints = [
            (
                ("FAIL " if gate.title(name) in failed else "") + gate.title(name),
                *_cells(one),
            )
            for name, one in document["endpoints"].items()
        ]
        stages = [
            (
                f"{one['rule']}, {one['seconds']:g} s",
                f"{one['planned_per_second']:.3g}" if one["planned_per_second"] else "closed",
                f"{one['requests']}",
                f"{one['served_per_second']:.3g}",
                f"{one['shed']}",
                f"{one['failed'] + one['wrong']}",
            )
            for one in document["stages"]
        ]
        against = "".join(f"<li>{escape(str(failure))}</li>" for failure in self.failures)
        generator = document["generator"]
        return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Load test: {escape(self.plan.shape)}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: auto; padding: 1rem }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
th, td {{ padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ccc }}
th, td {{ white-space: nowrap }}
th:first-child, td:first-child {{ text-align: left; white-space: normal }}
</style>
<h1>{"Passed" if self.passed else "Failed"}: {escape(self.plan.shape)}</h1>
<p>{escape(self.plan.goals.meaning.capitalize())}, which was {self.plan.rate:.4g} requests a second.
Begun {self.begun:%Y-%m-%d %H:%M} UTC; processes that asked: {self.plan.workers}. The warm-up is not
counted; <a href="locust.html">Locust's own page</a> has it in its figures.</p>
<ul>{against}</ul>
<h2>Endpoints</h2>
{_table(head, endpoints)}
<h2>Stages</h2>
{_table(("stage", "planned/s", "requests", "served/s", "shed", "failed"), stages)}
<p>Requests were sent {_seconds(generator["lateness_p50"])} (median) and
{_seconds(generator["lateness_p99"])} (99th percentile) after their time, which latencies include.
{generator["images"]} images were made ahead, at {_seconds(generator["seconds_per_image"])} each,
and {generator["images_late"]} during the load.</p>
</html>
"""

    def _endpoint(self, name: str) -> dict[str, Any]:
        count = self.tally.over(self.judged, [name])
        return {**_counted(count), "slo": asdict(mix.OBJECTIVES[name])}

    def _stage(self, number: int) -> dict[str, Any]:
        stage = self.plan.stages[number]
        count = self.tally.over([number])
        return {
            "rule": stage.rule.value,
            "seconds": stage.seconds,
            "callers": stage.callers,
            "planned_per_second": None
            if stage.callers is not None
            else self.plan.rate * stage.mean,
            "served_per_second": count.served / stage.seconds,
            **_counted(count),
        }


def _counted(count: Count) -> dict[str, Any]:
    return {
        "requests": count.requests,
        "served": count.served,
        "shed": count.shed,
        "failed": count.failed,
        "wrong": count.wrong,
        "fast": count.fast,
        "degraded": count.degraded,
        "refused": count.refused,
        "faults": dict(count.faults),
        **{
            f"p{round(share * 100)}": _rounded(count.durations.quantile(share))
            for share in (0.5, 0.95, 0.99)
        },
    }


def _cells(one: dict[str, Any]) -> tuple[str, ...]:
    fast = f"{one['fast'] / one['served'] * 100:.4g} %" if one["served"] else ""
    return (
        str(one["requests"]),
        str(one["served"]),
        str(one["shed"]),
        fast,
        *(_seconds(one[name]) for name in ("p50", "p95", "p99")),
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "\n".join(["<table>", line(head, "th"), *(line(row, "td") for row in rows), "</table>"])


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def now() -> datetime:
    return datetime.now(UTC)
