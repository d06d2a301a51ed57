"""How much a machine serves: callers that ask again at once, ever more of them.

Capacity is what is served a second with as many callers as serve most while single predictions
still keep their objective; where they never do, with the fewest callers.
"""

from __future__ import annotations

from pathlib import Path

from loadtests import machine, mix
from loadtests.front import COMPONENTS, Front
from loadtests.machine import Measured
from loadtests.plan import Plan
from loadtests.report import Report, now
from loadtests.run import load
from loadtests.shapes import Rule
from loadtests.tally import Tally


def measure(front: Front, out: Path, guess: float) -> Measured:
    """Measure ``front``, which must be our own. Takes three to four minutes.

    ``guess`` is in requests a second: for so many images are made ahead. Raises
    :class:`~loadtests.run.RunError`.
    """
    plan = Plan(shape="capacity", rate=guess)
    tally = _run(plan, front, out)
    before = front.cpu_seconds()
    alone = Plan(shape="cost", rate=guess, only=("predict",))
    judged = _run(alone, front, out).over([0])
    after = front.cpu_seconds()
    return Measured(
        requests_per_second=round(_best(plan, tally), 2),
        images_per_second=round(judged.served / alone.seconds, 2),
        cpu_seconds_per_image={
            name: round((after[name] - before[name]) / judged.served, 5) for name in COMPONENTS
        },
        machine=machine.here(),
        measured_on=machine.today(),
    )


def _best(plan: Plan, tally: Tally) -> float:
    slo = mix.OBJECTIVES["predict"]
    steps = []
    for number, stage in enumerate(plan.stages):
        if stage.rule is Rule.WARM_UP:
            continue
        served = tally.over([number]).served / stage.seconds
        single = tally.over([number], [slo.name])
        kept = single.served and single.fast >= slo.latency_share * single.served
        steps.append((stage.callers, served, bool(kept)))
        print(
            f"  {stage.callers} callers: {served:.3g} requests a second, predictions "
            f"{'keep' if kept else 'do not keep'} their second",
            flush=True,
        )
    keeping = [served for _, served, kept in steps if kept]
    return max(keeping) if keeping else steps[0][1]


def _run(plan: Plan, front: Front, out: Path) -> Tally:
    begun = now()
    folder = out / f"{plan.shape}-{begun:%Y%m%d-%H%M%S}"
    tally = load(plan, front.url, folder)
    Report.of(plan, tally, begun, own=True).write(folder)
    return tally
