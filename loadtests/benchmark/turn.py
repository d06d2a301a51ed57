"""One system's part of a round: started, checked, measured alone and together, ended."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

from loadtests.benchmark import reference
from loadtests.benchmark.clients import LONGEST_SECONDS, Window, send
from loadtests.benchmark.reference import FIRST, Expected, Images
from loadtests.benchmark.server import Server, serving
from loadtests.benchmark.systems import System
from loadtests.processes import NotReadyError

CLIENTS: Final = 8  # As many as a batch has images: each waits, so that no more are ever there
CHECKED_WITHIN: Final = 3
"""Times that the first images are sent at most: some batchers refuse what they have not learnt."""
WARM_UP: Final = 0.2
ALONE: Final = 0.3  # Of a step's seconds: before its window, and for one client alone


def turn(system: System, images: Images, expected: Expected, seconds: float) -> dict[str, Any]:
    """Return what one start of ``system`` did; of one that failed, ``error``.

    Answers of the first images warm it up. A step with a fault counts no throughput.
    """
    try:
        with serving(system) as server:
            _warm(system, server, images)
            unseen = ((number, images.png(number)) for number in count(FIRST))
            alone, many = (
                send(server.url, unseen, one, server.cpu_seconds, WARM_UP * one.seconds)
                for one in (Window(1, ALONE * seconds), Window(CLIENTS, seconds))
            )
            memory = server.memory_bytes()
    except NotReadyError as error:
        return {"error": str(error)}
    before, after = many.marks
    answered = max(many.images_per_second * many.seconds, 1.0)
    checks = reference.checked([*alone.answers, *many.answers], expected)
    faults = dict(alone.faults + many.faults)
    return {
        "images_per_second": 0.0 if faults or not checks["holds"] else many.images_per_second,
        "p50_ms": many.quantile_ms(0.5),
        "p99_ms": many.quantile_ms(0.99),
        "alone_p50_ms": alone.quantile_ms(0.5),
        "cpu_seconds_per_image": {
            name: (spent - before.get(name, 0.0)) / answered for name, spent in after.items()
        },
        "memory_bytes": memory,
        "start_seconds": server.start_seconds,
        "checked": checks,
        "faults": faults,
    }


def _warm(system: System, server: Server, images: Images) -> None:
    for _ in range(CHECKED_WITHIN):
        first = ((number, images.png(number)) for number in range(FIRST))
        sent = send(server.url, first, Window(CLIENTS // 2, LONGEST_SECONDS), server.cpu_seconds)
        if not sent.faults:
            return
    raise NotReadyError(f"{system.name}: of {FIRST} images were not answered: {dict(sent.faults)}")
