"""What somebody should know of the gateway: its ledger, its deliveries, and whom it turns away.

An installation without a gateway has none of these series, and none of these alerts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from k8s.rules.burn import HOUR, MINUTE
from k8s.rules.rule import Alert, Group
from k8s.rules.scope import Scope
from service.integration.metrics import (
    LEDGER,
    MESSAGES,
    OBJECTS,
    OLDEST,
    REJECTED,
    STATES,
    UNACCOUNTED,
)

LATE_SECONDS: Final = 30 * MINUTE
"""Two of the longest pauses between attempts: after ten minutes away all is delivered by then."""

REJECTIONS: Final = 3
"""Within 15 minutes. A person who tries a new scanner twice is no alert; one that retries is."""


def groups(scope: Scope) -> Iterator[Group]:
    yield Group(name="gateway", rules=list(_listening(scope)))
    yield Group(name="ledger", rules=list(_ledger(scope)))


def _listening(scope: Scope) -> Iterator[Alert]:
    window = f"[{scope.span(15 * MINUTE)}]"
    up = scope.of("up", 'component="gateway"')
    yield Alert(
        name="OsteoserveGatewayDown",
        expr=f"max({up}) == 0",
        seconds=2 * MINUTE,
        severity="critical",
        summary="No gateway answers: scanners cannot send.",
        description="No gateway has answered Prometheus for 2 minutes.",
    )
    lost = scope.of(OBJECTS, 'result="not_stored"')
    yield Alert(
        name="OsteoserveNotStored",
        expr=f"sum(increase({lost}{window})) > 0",
        seconds=0,
        severity="critical",
        summary="Scanners are told that their images could not be stored.",
        description="Within 15 minutes the gateway has answered objects with A700: they are not "
        "kept, and their sender has to send them again.",
    )
    refused = scope.of(MESSAGES, 'result=~"refused|not_kept"')
    yield Alert(
        name="OsteoserveMessagesRefused",
        expr=f"sum by (result) (increase({refused}{window})) > 0",
        seconds=0,
        severity="warning",
        summary="HL7 messages of a feed are not done: {{ $labels.result }}.",
        description="Within 15 minutes the gateway has answered messages on patients or orders "
        "with AE or AR: nothing was changed by them.",
    )
    known = scope.of(REJECTED, 'reason=~"crowd|peer|tls"')
    yield Alert(
        name="OsteoserveRejections",
        expr=f"sum by (reason) (increase({known}{window})) > {REJECTIONS}",
        seconds=0,
        severity="warning",
        summary="The gateway turns scanners away: {{ $labels.reason }}.",
        description="Within 15 minutes more than "
        f"{REJECTIONS} associations from known addresses were rejected.",
    )


def _ledger(scope: Scope) -> Iterator[Alert]:
    dead = scope.of(STATES, 'kind="delivery"', 'state="dead"')
    unasked = scope.of(STATES, 'kind="pull"', 'state="dead"')
    apart = scope.of(LEDGER, 'state="quarantined"')
    yield Alert(
        name="OsteoserveUnaccounted",
        expr=f"max({scope.of(UNACCOUNTED)}) != 0",
        seconds=MINUTE,
        severity="critical",
        summary="The ledger cannot say what becomes of {{ $value }} objects.",
        description="Objects that were acknowledged are neither delivered nor in progress, nor "
        "ignored, read, quarantined, discarded or dead. Nothing but 0 is right.",
    )
    yield Alert(
        name="OsteoserveDeadDeliveries",
        expr=f"max({dead}) > 0",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $value }} deliveries are dead: their results are not where they should be.",
        description="A destination refused results for good, or all attempts are used up. A person "
        "has to restart or discard them.",
    )
    yield Alert(
        name="OsteoserveDeadPulls",
        expr=f"max({unasked}) > 0",
        seconds=5 * MINUTE,
        severity="warning",
        summary="{{ $value }} questions to archives are dead: studies that are wanted do not come.",
        description="An archive refused to answer or to send, or all attempts are used up. A "
        "person has to restart or discard them; by the clock it is asked again all the same.",
    )
    yield Alert(
        name="OsteoserveLedgerLate",
        expr=f"max by (kind) ({scope.of(OLDEST)}) > {LATE_SECONDS // scope.speed}",
        seconds=5 * MINUTE,
        severity="warning",
        summary="The oldest {{ $labels.kind }} has waited {{ $value | humanizeDuration }}.",
        description="A study that was received, or a result that is to be delivered, has been in "
        "progress for more than half an hour.",
    )
    yield Alert(
        name="OsteoserveQuarantine",
        expr=f"max({apart}) > 0",
        seconds=HOUR,
        severity="warning",
        summary="{{ $value }} objects are in quarantine.",
        description="For an hour objects that were acknowledged have waited for somebody to decide "
        "on them.",
    )
