"""Service level objectives of each endpoint, in one table.

From it come the buckets of request durations, the metrics that tell the targets, recorded burn
rates and alerts (``python -m k8s``), dashboards and the load tests' gate. It says what a clinician
or an integrator may expect of an installation that is sized for its traffic, counted over
:data:`WINDOW_DAYS` days, for the service as a whole and not for one process.

A request is *available* unless it is answered with a 5xx, a shed request's 503 included; a 4xx is
the sender's. It is *fast* when its answer begins within the threshold, counted from the request's
head: receiving the file belongs to it, the lines of a batch that follow do not.

A prediction has a second: 99 % of answers are within it. Half a second is as long as
a page may take before a person notices waiting for it; what a program reads by id has half of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WINDOW_DAYS: Final = 30
"""Days over which an objective is to hold, and an error budget lasts."""


@dataclass(frozen=True, kw_only=True)
class SLO:
    """One objective.

    ``name`` is a stable slug; ``route`` is the template as in the metrics' label, never a path.
    ``availability`` is the least share of requests that are not answered with a 5xx;
    ``latency_share`` is the least share that are answered within ``latency_seconds``.
    """

    name: str
    method: str
    route: str
    availability: float = 0.999
    latency_seconds: float
    latency_share: float = 0.99


SLOS: Final[tuple[SLO, ...]] = (
    SLO(name="predict", method="POST", route="/api/v1/predictions", latency_seconds=1.0),
    SLO(name="analyse", method="POST", route="/", latency_seconds=1.0),
    SLO(name="prediction", method="GET", route="/api/v1/predictions/{id}", latency_seconds=0.25),
    SLO(name="result-page", method="GET", route="/results/{id}", latency_seconds=0.5),
    SLO(
        name="heat-map",
        method="GET",
        route="/api/v1/predictions/{id}/maps/{model}",
        availability=0.99,  # a runner that is away or has been replaced has no map to give
        latency_seconds=1.0,
        latency_share=0.95,
    ),
    SLO(
        name="report",
        method="GET",
        route="/results/{id}/report.pdf",
        latency_seconds=2.5,
        latency_share=0.95,
    ),
    SLO(name="predictions", method="GET", route="/api/v1/predictions", latency_seconds=0.5),
    SLO(name="history-page", method="GET", route="/history", latency_seconds=0.5),
    SLO(
        # Received and begun: how long the work takes depends on the number of images.
        name="batch",
        method="POST",
        route="/api/v1/batches",
        availability=0.995,
        latency_seconds=10.0,
        latency_share=0.95,
    ),
    SLO(
        name="batch-page",
        method="POST",
        route="/bulk",
        availability=0.995,
        latency_seconds=10.0,
        latency_share=0.95,
    ),
    SLO(name="batch-progress", method="GET", route="/api/v1/batches/{id}", latency_seconds=0.25),
    SLO(name="front-page", method="GET", route="/", latency_seconds=0.5),
    SLO(name="faq-page", method="GET", route="/faq", latency_seconds=0.5),
    SLO(name="treatment-page", method="GET", route="/treatment", latency_seconds=0.5),
    SLO(name="treatment", method="POST", route="/treatment", latency_seconds=0.5),
    SLO(name="considerations", method="POST", route="/api/v1/considerations", latency_seconds=0.25),
    SLO(name="models-page", method="GET", route="/models", latency_seconds=0.5),
)
