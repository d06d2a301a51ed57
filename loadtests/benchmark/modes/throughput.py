"""Throughput at a p99 of a second, and what it costs: each contender, round after round."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from loadtests.benchmark.contender import Contender
from loadtests.benchmark.contenders import CONTENDERS, LIMIT
from loadtests.benchmark.measurement import Bench, Step
from loadtests.benchmark.modes.run import Run, say
from loadtests.benchmark.results import deciding
from loadtests.benchmark.search import search
from loadtests.benchmark.server import ServerError

SHY: Final = 0.85
"""Of what a server does for clients that wait, about what it does for those who do not."""

DRIFT: Final = 1.15
"""The faster of the paces before and after a step over the slower: beyond, it is done again."""

ATTEMPTS: Final = 3
"""Times that a step is done at most; the last one counts, whatever the pace did."""


def throughput(run: Run, names: Iterable[str]) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield contender's name → its figures, medians over the rounds so far, after each round.

    Rounds are interleaved, since a machine's pace drifts: all of ``names`` first, then, again and
    again, those that decide a ratio.
    """
    rounds: dict[str, list[dict[str, Any]]] = {}
    again = list(names)
    for turn in range(run.rounds):
        for name in again:
            earlier = rounds.setdefault(name, [])
            try:
                found = (
                    run.limit()
                    if name == LIMIT
                    else measured(run, CONTENDERS[name], _guess(earlier))
                )
            except (ServerError, subprocess.CalledProcessError) as error:
                # One that fails must not cost the others their figures; it is told in the results.
                say(f"{name}: {error}")
                found = {"error": str(error)}
            earlier.append(found)
            say(f"round {turn + 1}  {name:24} {_line(found)}")
        figures = {name: combined(found) for name, found in rounds.items()}
        yield figures
        again = deciding(figures)


def measured(run: Run, contender: Contender, guess: float | None) -> dict[str, Any]:
    """Return one round of ``contender``; ``guess`` is the share of the limit an earlier one found.

    What is sought is the highest share of the machine's pace that holds.
    """
    with run.on(contender) as (server, bench):
        guess = guess or SHY * bench.capacity() / bench.pace()
        steps: list[tuple[Step, float]] = []
        pace = bench.pace()

        def holds(share: float) -> bool:
            nonlocal pace
            step, around, pace = steady(bench, share, pace)
            steps.append((step, around))
            say(f"    {contender.name} {_step(step, around)}")
            return step.holds

        found = search(holds, guess)
        tried = zip(found.tried, steps, strict=True)
        best = next((one for (share, _), one in tried if share == found.best), None)
        half = bench.step(best[0].rate / 2, give_up=False) if best else None
        return {
            "images_per_second": best[0].rate if best else 0.0,
            "share_of_limit": best[0].rate / best[1] if best else 0.0,
            "at_best": best and best[0].record(),
            "at_half": half and half.record(),
            "peak_memory_bytes": server.memory.peak,
            "start_seconds": server.start_seconds,
            "checked": bench.checked.record(),
            "steps": [step.record() | {"pace": pace} for step, pace in steps],
        }


def steady(bench: Bench, share: float, pace: float) -> tuple[Step, float, float]:
    """Offer ``share`` of ``pace``, the machine's just now.

    Return the step, the mean of the paces before and after it, and that after it. A step during
    which the pace moved says nothing of the contender, and is done again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        before = pace
        step = bench.step(share * before)
        pace = bench.pace()
        if attempt == ATTEMPTS or max(before, pace) <= DRIFT * min(before, pace):
            break
        say(f"    the pace went from {before:.1f}/s to {pace:.1f}/s: again")
    return step, (before + pace) / 2, pace


def combined(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return medians over those rounds that went well, and all ``rounds`` as they were."""
    good = [one for one in rounds if "error" not in one]
    if not good:
        return {"error": rounds[-1]["error"], "rounds": rounds}
    if "networks" in good[0]:
        return {
            "share_of_limit": 1.0,
            "images_per_second": _median(one["networks"]["images_per_second"] for one in good),
            "images_per_second_from_files": _median(
                one["whole"]["images_per_second"] for one in good
            ),
            "cpu_seconds_per_image": {
                "total": _median(one["networks"]["cpu_seconds_per_image"] for one in good)
            },
            "cpu_seconds_per_image_from_files": _median(
                one["whole"]["cpu_seconds_per_image"] for one in good
            ),
            "peak_memory_mb": max(one["peak_memory_bytes"] for one in good) / 1e6,
            "start_seconds": _median(one["start_seconds"] for one in good),
            "batch": good[-1]["batch"],
            "runtimes": good[-1]["runtimes"],
            "one_ms": {
                name: _median(one["one_ms"][name] for one in good) for name in good[0]["one_ms"]
            },
            "checked": _checked(good),
            "rounds": rounds,
        }
    held = [one for one in good if one["at_best"]]
    return {
        "share_of_limit": _median(one["share_of_limit"] for one in good),
        "images_per_second": _median(one["images_per_second"] for one in good),
        "p50_ms_at_half": _median(one["at_half"]["p50_ms"] for one in held) if held else None,
        "p99_ms_at_half": _median(one["at_half"]["p99_ms"] for one in held) if held else None,
        "cpu_seconds_per_image": _cpu([one["at_best"]["cpu_seconds"] for one in held]),
        "generator_cpus": _median(one["at_best"]["generator"] for one in held) if held else None,
        "peak_memory_mb": max(one["peak_memory_bytes"] for one in good) / 1e6,
        "start_seconds": _median(one["start_seconds"] for one in good),
        "checked": _checked(good),
        "rounds": rounds,
    }


def _guess(earlier: list[dict[str, Any]]) -> float | None:
    """Return the share that the last round that went well found."""
    found = [one["share_of_limit"] for one in earlier if one.get("share_of_limit")]
    return found[-1] if found else None


def _cpu(spent: list[Mapping[str, float]]) -> dict[str, float]:
    """Return component → median, and ``total``."""
    components = sorted({name for one in spent for name in one})
    total = {"total": _median(sum(one.values()) for one in spent)} if spent else {}
    return total | {name: _median(one.get(name, 0.0) for one in spent) for name in components}


def _checked(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    found = [one["checked"] for one in rounds]
    return {
        "answers": sum(one["answers"] for one in found),
        "largest": max(one["largest"] for one in found),
        "changed": sum(one["changed"] for one in found),
        "missing": sum(one["missing"] for one in found),
        "holds": all(one["holds"] for one in found),
    }


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))


def _step(step: Step, pace: float) -> str:
    p99 = "given up" if step.p99_ms is None else f"p99 {step.p99_ms:.0f} ms"
    return (
        f"{step.rate:7.2f}/s of {pace:.1f}/s  {'holds' if step.holds else 'fails':5}  {p99:14}  "
        f"{step.refused} refused, {step.failed} failed, {step.degraded} degraded, "
        f"{1000 * sum(step.cpu_seconds.values()):.1f} CPU ms an image, "
        f"generator {100 * step.generator:.0f} % of a CPU"
    )


def _line(found: Mapping[str, Any]) -> str:
    if "error" in found:
        return "failed"
    if "networks" in found:
        return (
            f"{found['networks']['images_per_second']:.1f}/s from canonical images, "
            f"{found['whole']['images_per_second']:.1f}/s from files"
        )
    checked = found["checked"]
    return (
        f"{found['images_per_second']:.1f}/s, {found['share_of_limit']:.3f} of the limit, "
        f"{found['peak_memory_bytes'] / 1e9:.2f} GB, "
        f"ready after {found['start_seconds']:.1f} s, {checked['answers']} answers checked: "
        f"{'right' if checked['holds'] else 'WRONG'}, off by {checked['largest']:.4f} at most"
    )
