"""How much a machine serves: users that send again at once, ever more of them.

Capacity is the most that is served a second while single predictions keep their objective.
"""

from __future__ import annotations

from pathlib import Path

from loadtests import machine, mix
from loadtests.machine import Measured, now
from loadtests.plan import Plan
from loadtests.report import Report
from loadtests.run import load
from loadtests.shapes import Rule
from loadtests.stats import RunStats
from loadtests.target import COMPONENTS, Target


def measure(target: Target, out: Path, guess: float) -> Measured:
    """Measure ``target``, a local instance. Takes three to four minutes.

    ``guess`` is in requests a second: for so many images are made ahead.
    """
    plan = Plan(shape="capacity", rate=guess)
    stats = _run(plan, target, out)
    before = target.cpu_seconds()
    alone = Plan(shape="cost", rate=guess, only=("predict",))
    judged = _run(alone, target, out).over([0])
    after = target.cpu_seconds()
    return Measured(
        requests_per_second=round(_best(plan, stats), 2),
        images_per_second=round(judged.served / alone.seconds, 2),
        cpu_seconds_per_image={
            name: round((after[name] - before[name]) / judged.served, 5) for name in COMPONENTS
        },
        machine=machine.here(),
        measured_on=f"{now():%Y-%m-%d}",
    )


def _best(plan: Plan, stats: RunStats) -> float:
    slo, steps = mix.OBJECTIVES["predict"], []
    for number, stage in enumerate(plan.stages):
        if stage.rule is Rule.WARM_UP:
            continue
        served = stats.over([number]).served / stage.seconds
        single = stats.over([number], [slo.name])
        kept = bool(single.served) and single.counts["fast"] >= slo.latency_share * single.served
        steps.append((served, kept))
        keep = "keep" if kept else "do not keep"
        print(f"  {stage.users} users: {served:.3g}/s, predictions {keep} their second", flush=True)
    return max((served for served, kept in steps if kept), default=steps[0][0])


def _run(plan: Plan, target: Target, out: Path) -> RunStats:
    begun = now()
    folder = out / f"{plan.shape}-{begun:%Y%m%d-%H%M%S}"
    stats = load(plan, target.url, folder)
    Report.of(plan, stats, begun, local=True).write(folder)
    return stats
