"""What somebody should know of that is no burning budget, or not yet.

Each alert's threshold has its reason here and its runbook in ``k8s/runbooks``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from bentos.metrics import IMAGES, QUEUE_WAIT
from k8s.rules.burn import DAY, HOUR, MINUTE
from k8s.rules.rule import Alert, Group
from k8s.rules.scope import Scope
from service.flow.metrics import SHEDS
from service.identity.oidc.metrics import SEALED, SIGN_INS, UP
from service.predictions.metrics import FILES_UNREADABLE, PREDICTIONS, STABILITY_INDEX
from service.runners.metrics import CIRCUIT_OPEN, RUNNER_READY
from service.storage.metrics import STORAGE_FREE, STORAGE_SIZE, STORAGE_UP
from service.types import BASES, RUNNER_OF, RUNNERS

DEGRADED_SHARE: Final = 0.05
"""A runner that restarts makes a few answers degraded; one in twenty over minutes is no restart."""

WAIT_SECONDS: Final = 0.25
"""A quarter of a prediction's second spent waiting in a queue: the rest is no longer enough."""

LATE_SHARE: Final = 0.01
"""Of a runner's images, shed or expired: as many as may miss a prediction's second."""

SHED_SHARE: Final = 0.02
"""Of what was asked for. Twice what the latency objective leaves, so that it is no accident."""

REFUSED_SHARE: Final = 0.2
REFUSED_LEAST: Final = 10
"""Images in an hour. The gate refused none of 114 spine scans and 1.5 % of phantoms: a fifth is a
scanner's new export or somebody's wrong folder."""

DRIFT_INDEX: Final = 0.25
"""By custom a significant change; without any it is exceeded once in a thousand at 200 images."""

DISK_SHARE: Final = 0.1
DISK_SOON: Final = 4 * DAY
"""Full in four days at the pace of six hours: it is seen on a Friday, and mended by Monday."""


def groups(scope: Scope) -> Iterator[Group]:
    yield Group(name="availability", rules=list(_availability(scope)))
    yield Group(name="load", rules=list(_load(scope)))
    yield Group(name="clinical", rules=list(_clinical(scope)))
    yield Group(name="storage", rules=list(_storage(scope)))
    yield Group(name="identity", rules=list(_identity(scope)))


def _availability(scope: Scope) -> Iterator[Alert]:
    front = scope.of("up", 'component="front"')
    every = scope.of("up", _any("component", "front", "gateway", *RUNNERS))
    voting = dict.fromkeys(RUNNER_OF[base] for base in BASES)
    bases = scope.of(RUNNER_READY, _any("runner", *voting))
    outlining = scope.of(RUNNER_READY, _any("runner", RUNNER_OF["vertebrae"]))
    ready = f"max by (runner) ({scope.of(RUNNER_READY)})"
    yield Alert(
        name="OsteoserveFrontDown",
        expr=f"absent({front} == 1)",
        seconds=2 * MINUTE,
        severity="critical",
        summary="No front answers.",
        description="No front has been scraped for 2 minutes, so no scan can be sent.",
    )
    yield Alert(
        name="OsteoserveNoModels",
        expr=f"max({bases}) == 0 or max({outlining}) == 0",
        seconds=MINUTE,
        severity="critical",
        summary="No vertebrae are found, or no model votes: every prediction is a 503.",
        description="For a minute no front has found the vertebrae runner ready, or none of those "
        "that vote.",
    )
    yield Alert(
        name="OsteoserveRunnerDown",
        expr=f"{ready} == 0",
        seconds=2 * MINUTE,
        severity="warning",
        summary="Answers are degraded: {{ $labels.runner }} is not ready.",
        description="No front has found {{ $labels.runner }} ready for 2 minutes.",
    )
    yield Alert(
        name="OsteoserveTargetDown",
        expr=f"{every} == 0",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $labels.component }} at {{ $labels.instance }} cannot be scraped.",
        description="{{ $labels.component }} at {{ $labels.instance }} has not answered Prometheus "
        "for 5 minutes; what it does is not seen.",
    )
    yield Alert(
        name="OsteoserveCircuitOpen",
        expr=f"max by (runner) ({scope.of(CIRCUIT_OPEN)}) == 1",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $labels.runner }} is not asked any more, since it kept failing.",
        description="A front's circuit to {{ $labels.runner }} has been open for 5 minutes.",
    )
    judged = scope.of(PREDICTIONS, 'outcome!="refused"')
    degraded = scope.of(PREDICTIONS, 'degraded="true"')
    window = f"[{scope.span(10 * MINUTE)}]"
    yield Alert(
        name="OsteoserveDegraded",
        expr=f"sum(rate({degraded}{window})) / sum(rate({judged}{window})) > {DEGRADED_SHARE}",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $value | humanizePercentage }} of answers lack a model.",
        description=f"More than {DEGRADED_SHARE:.0%} of answers over 10 minutes were degraded.",
    )


def _load(scope: Scope) -> Iterator[Alert]:
    window = f"[{scope.span(5 * MINUTE)}]"

    def rate(metric: str, *matchers: str) -> str:
        return f"rate({scope.of(metric, *matchers)}{window})"

    wait = QUEUE_WAIT
    yield Alert(
        name="OsteoserveQueueSaturated",
        expr=f"sum by (runner) ({rate(f'{wait}_sum')}) / sum by (runner) ({rate(f'{wait}_count')}) "
        f"> {WAIT_SECONDS}",
        seconds=5 * MINUTE,
        severity="warning",
        summary="Images wait {{ $value | humanizeDuration }} for {{ $labels.runner }}.",
        description="Images have waited more than "
        f"{WAIT_SECONDS} s on average in the queue of {{{{ $labels.runner }}}} for 5 minutes.",
    )
    images = IMAGES
    late = rate(images, 'result=~"shed|expired"')
    yield Alert(
        name="OsteoserveRunnerLate",
        expr=f"sum by (runner) ({late}) / sum by (runner) ({rate(images)}) > {LATE_SHARE}",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $labels.runner }} gives up {{ $value | humanizePercentage }} of its images.",
        description="{{ $labels.runner }} has shed images, or let them expire, for 5 minutes: it "
        "is asked for more than it can do in time.",
    )
    sheds = f"sum({rate(SHEDS)})"
    done = f"sum({rate(PREDICTIONS)})"
    yield Alert(
        name="OsteoserveShedding",
        expr=f"{sheds} / ({sheds} + {done}) > {SHED_SHARE}",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $value | humanizePercentage }} of predictions are turned away.",
        description="Fronts have turned predictions away with a 503 for 5 minutes: there is more "
        "to do than can be done in time.",
    )


def _clinical(scope: Scope) -> Iterator[Alert]:
    window = f"[{scope.span(HOUR)}]"

    def count(metric: str, *matchers: str) -> str:
        return f"sum(increase({scope.of(metric, *matchers)}{window}))"

    refused = count(PREDICTIONS, 'outcome="refused"')
    judged = count(PREDICTIONS)
    yield Alert(
        name="OsteoserveRefusals",
        expr=f"{refused} / {judged} > {REFUSED_SHARE} and {refused} >= {REFUSED_LEAST}",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $value | humanizePercentage }} of images are refused as not usable.",
        description=f"More than {REFUSED_SHARE:.0%} of the images of an hour, and at least "
        f"{REFUSED_LEAST}, were refused.",
    )
    unreadable = count(FILES_UNREADABLE)
    yield Alert(
        name="OsteoserveUnreadable",
        expr=f"{unreadable} / ({unreadable} + {judged}) > {REFUSED_SHARE} "
        f"and {unreadable} >= {REFUSED_LEAST}",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $value | humanizePercentage }} of files cannot be read as a scan.",
        description=f"More than {REFUSED_SHARE:.0%} of the files of an hour, and at least "
        f"{REFUSED_LEAST}, were no scans that can be read.",
    )
    yield Alert(
        name="OsteoserveDrift",
        expr=f"max by (statistic) ({scope.of(STABILITY_INDEX)}) > {DRIFT_INDEX}",
        seconds=HOUR,
        severity="warning",
        summary="{{ $labels.statistic }} is no longer what the models were made with.",
        description="The population stability index of {{ $labels.statistic }} is "
        f'{{{{ $value | printf "%.2f" }}}}; above {DRIFT_INDEX} the change is significant.',
    )


def _storage(scope: Scope) -> Iterator[Alert]:
    free, size = (
        scope.of(STORAGE_FREE),
        scope.of(STORAGE_SIZE),
    )
    yield Alert(
        name="OsteoserveStorageDown",
        expr=f"max({scope.of(STORAGE_UP)}) == 0",
        seconds=2 * MINUTE,
        severity="critical",
        summary="The database does not answer: no result can be kept or read.",
        description="No front has had an answer from the database for 2 minutes.",
    )
    yield Alert(
        name="OsteoserveStorageFull",
        expr=f"max({scope.of('osteoserve_storage_full')}) == 1",
        seconds=MINUTE,
        severity="critical",
        summary="The database has no room: no result can be kept.",
        description="For a minute a front has found no room to store anything in the database.",
    )
    yield Alert(
        name="OsteoserveDiskFull",
        expr=f"{free} / {size} < {DISK_SHARE}",
        seconds=5 * MINUTE,
        severity="critical",
        summary="{{ $value | humanizePercentage }} of the database's disk is left.",
        description=f"Less than {DISK_SHARE:.0%} of the file system that holds the database at "
        "{{ $labels.instance }} is free; when it is full, no result can be kept.",
    )
    yield Alert(
        name="OsteoserveDiskFilling",
        expr=f"predict_linear({free}[{scope.span(6 * HOUR)}], {DISK_SOON // scope.speed}) < 0",
        seconds=HOUR,
        severity="warning",
        summary="The database's disk is full within four days.",
        description="At the pace of the last six hours the file system that holds the database at "
        "{{ $labels.instance }} is full within four days.",
    )


def _identity(scope: Scope) -> Iterator[Alert]:
    window = f"[{scope.span(15 * MINUTE)}]"
    failed = scope.of(SIGN_INS, 'outcome="provider_unavailable"')
    yield Alert(
        name="OsteoserveIdentityProviderDown",
        # Of a provider that nobody has asked since, nothing is known.
        expr=f"max({scope.of(UP)}) == 0 and sum(increase({failed}{window})) > 0",
        seconds=2 * MINUTE,
        severity="warning",
        summary="The identity provider does not answer: nobody can sign in.",
        description="For 2 minutes no front has had an answer from the identity provider, and "
        "somebody has tried to sign in within 15.",
    )
    yield Alert(
        name="OsteoserveSealedAccount",
        expr=f"sum(increase({scope.of(SEALED)}{window})) > 0",
        seconds=0,
        severity="warning",
        summary="Somebody has signed in by a sealed account.",
        description="An account that is kept for when the identity provider cannot be used was "
        "used within 15 minutes.",
    )


def _any(label: str, *values: str) -> str:
    return f"{label}=~{json.dumps('|'.join(values))}"
