"""Does the cost grow with the work and no faster? More clients, and more images."""

from __future__ import annotations

from typing import Any, Final

from loadtests.benchmark.answers import ANSWERED
from loadtests.benchmark.contenders import OSTEOSERVE
from loadtests.benchmark.generator import Plan
from loadtests.benchmark.measurement import Bench
from loadtests.benchmark.modes.run import Run, say
from loadtests.benchmark.percentiles import percentile
from models.runtime import usable_cpus

CLIENTS: Final = (1, 2, 4, 8)
PER_CLIENT: Final = 20
"""Images a client, and at least a step's length."""

IMAGES: Final = (100, 1000, 10_000)
AT_ONCE: Final = 500
"""Images whose bodies are made ahead together; the pause between is not counted."""

GROWTH: Final = 1.15
"""Cost of an image of the most over that of the fewest, at most."""


def linear(run: Run) -> dict[str, Any]:
    """Return a row for each number of clients that wait for answers, and of images.

    Costs are held together as shares of the bare runtime's: the longest row takes minutes, within
    which the machine's pace drifts.
    """
    with run.on(OSTEOSERVE) as (server, bench):
        rate = bench.capacity(clients=CLIENTS[-1])
        rows = [
            _sent(bench, server.url, clients, max(PER_CLIENT * clients, int(rate * run.seconds)))
            for clients in CLIENTS
        ]
        clients = [{"clients": n} | row for n, row in zip(CLIENTS, rows, strict=True)]
        for row in clients:
            say(f"{row['clients']:6} clients  {_line(row)}")
        images = []
        for count in IMAGES[:-1] if run.quick else IMAGES:
            images.append(_sent(bench, server.url, CLIENTS[-1], count))
            say(f"{count:6} images   {_line(images[-1])}")
        checked = bench.checked.record()
    kept = {
        "clients": clients[-1]["cost"] <= GROWTH * clients[0]["cost"],
        "images": images[-1]["cost"] <= GROWTH * images[0]["cost"],
    }
    return {"clients": clients, "images": images, "kept": kept, "checked": checked}


def _sent(bench: Bench, url: str, clients: int, count: int) -> dict[str, Any]:
    """Return what ``count`` unseen images cost, sent by ``clients`` that wait for each answer.

    ``cost`` is the CPU time of an image over what the bare runtime takes for it at the same time,
    with all CPUs.
    """
    seconds, cpu, times, latencies, answered = 0.0, 0.0, 0.0, [], 0
    before = bench.pace()
    for start in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - start)
        sent = bench.send(Plan(url, bench.take(size), clients=clients))
        spent, after = sum(bench.cost.values()), bench.pace()
        seconds += sent.seconds
        cpu += spent
        times += spent * (before + after) / 2 / usable_cpus()
        before = after
        latencies += [sample.latency for sample in sent.samples]
        answered += sum(sample.status in ANSWERED and sample.whole for sample in sent.samples)
    return {
        "images": count,
        "answered": answered,
        "seconds": seconds,
        "images_per_second": answered / seconds,
        "cpu_ms": 1000 * cpu / max(answered, 1),
        "cost": times / max(answered, 1),
        "p50_ms": 1000 * percentile(latencies, 0.5),
        "p99_ms": 1000 * percentile(latencies, 0.99),
    }


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['seconds']:7.1f} s  {row['images_per_second']:6.1f}/s  {row['cpu_ms']:6.1f} CPU ms "
        f"an image, {row['cost']:.3f} of the limit's  "
        f"p50 {row['p50_ms']:.0f} ms  p99 {row['p99_ms']:.0f} ms"
    )
