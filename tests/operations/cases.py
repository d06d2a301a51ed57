"""What an alert is shown, and whether it is to fire: series as promtool writes them."""

from __future__ import annotations

from dataclasses import dataclass, field

PREDICT = 'method="POST",route="/api/v1/predictions"'
QUIET = "0x6000"
"""A counter that stays where it is."""


@dataclass(frozen=True)
class Case:
    """``series``: name and labels → promtool's notation, a value each ``interval``."""

    alert: str
    when: str
    fires: bool
    series: dict[str, str]
    at: str
    labels: dict[str, str] = field(default_factory=dict)
    interval: str = "1m"

    def __str__(self) -> str:
        return f"{self.alert} {'fires' if self.fires else 'does not fire'} when {self.when}"


def one(metric: str, labels: str = "") -> str:
    return f'{metric}{{job="osteoserve"{"," if labels else ""}{labels}}}'


def requests(good: str, bad: str) -> dict[str, str]:
    return {
        one("osteoserve_http_requests_total", f'{PREDICT},status="201"'): good,
        one("osteoserve_http_requests_total", f'{PREDICT},status="503"'): bad,
    }


def durations(every: str, fast: str) -> dict[str, str]:
    return {
        one("osteoserve_http_request_duration_seconds_count", PREDICT): every,
        one("osteoserve_http_request_duration_seconds_bucket", f'{PREDICT},le="1.0"'): fast,
    }


def predictions(**series: str) -> dict[str, str]:
    """``normal``, ``degraded`` or ``refused``."""
    labels = {
        "normal": 'outcome="normal",degraded="false"',
        "degraded": 'outcome="normal",degraded="true"',
        "refused": 'outcome="refused",degraded="false"',
    }
    return {
        one("osteoserve_predictions_total", labels[name]): value for name, value in series.items()
    }


def ready(**series: str) -> dict[str, str]:
    return {one("osteoserve_runner_ready", f'runner="{k}"'): v for k, v in series.items()}


def burns() -> list[Case]:
    def pair(long: str, interval: str, at: str, good: int, much: int, little: int) -> list[Case]:
        return [
            Case(
                "OsteoserveBudgetBurn",
                f"{bad} of {good + bad} predictions fail for longer than {long}",
                fires,
                requests(f"0+{good}x600", f"0+{bad}x600"),
                at,
                {"long": long, "slo": "predict", "objective": "availability"},
                interval,
            )
            for bad, fires in ((much, True), (little, False))
        ]

    fast = {"long": "1h", "slo": "predict", "objective": "availability"}
    return [
        *pair("1h", "1m", "80m", 950, 50, 10),
        *pair("6h", "5m", "8h", 990, 10, 5),
        *pair("1d", "10m", "30h", 9960, 40, 20),
        *pair("3d", "20m", "90h", 9985, 15, 5),
        Case(
            "OsteoserveBudgetBurn",
            "predictions have failed for an hour, and no more since ten minutes",
            False,
            requests("0+95x120", "0+5x60 300x60"),
            "71m",
            fast,
        ),
        Case(
            "OsteoserveBudgetBurn",
            "one of ten predictions in an hour fails",
            False,
            requests("0+0.15x120", "0x50 1x70"),
            "54m",
            fast,
        ),
        Case(
            "OsteoserveBudgetBurn",
            "three of ten predictions in an hour fail",
            True,
            requests("0+0.12x120", "0x50 1 2 3x70"),
            "54m",
            fast,
        ),
        Case(
            "OsteoserveBudgetBurn",
            "a fifth of predictions is slow",
            True,
            durations("0+100x120", "0+80x120"),
            "80m",
            {**fast, "objective": "latency"},
        ),
        Case(
            "OsteoserveBudgetBurn",
            "one in a hundred predictions is slow",
            False,
            durations("0+100x120", "0+99x120"),
            "80m",
            {**fast, "objective": "latency"},
        ),
        Case(
            "OsteoserveBudgetBurn",
            "nobody asks for anything",
            False,
            {**requests(QUIET, QUIET), **durations(QUIET, QUIET)},
            "80m",
        ),
    ]


def availability() -> list[Case]:
    up = one("up", 'component="front"')
    runner = one("up", 'component="cnn"')
    circuit = one("osteoserve_circuit_open", 'runner="vgg16"')
    return [
        Case("OsteoserveFrontDown", "no front can be scraped", True, {up: "0x20"}, "5m"),
        Case("OsteoserveFrontDown", "there is no front at all", True, {runner: "1x20"}, "5m"),
        Case("OsteoserveFrontDown", "a front answers", False, {up: "1x20"}, "5m"),
        Case(
            "OsteoserveNoModels",
            "no base runner is ready",
            True,
            ready(cnn="0x20", vgg16="0x20", resnet="0x20", vertebrae="0x20", stack="1x20"),
            "5m",
        ),
        Case(
            "OsteoserveNoModels",
            "nobody finds vertebrae",
            True,
            ready(cnn="1x20", vgg16="1x20", resnet="1x20", vertebrae="0x20", stack="1x20"),
            "5m",
        ),
        Case(
            "OsteoserveNoModels",
            "one base runner is left",
            False,
            ready(cnn="0x20", vgg16="0x20", resnet="0x20", vertebrae="1x20", stack="0x20"),
            "5m",
        ),
        Case(
            "OsteoserveRunnerDown",
            "a runner is not ready",
            True,
            ready(cnn="0x20", vgg16="1x20"),
            "5m",
            {"runner": "cnn"},
        ),
        Case(
            "OsteoserveRunnerDown",
            "a runner is back within a minute",
            False,
            ready(cnn="1 0 0 1x20"),
            "5m",
        ),
        Case("OsteoserveTargetDown", "a runner cannot be scraped", True, {runner: "0x20"}, "8m"),
        Case(
            "OsteoserveTargetDown", "a runner misses one scrape", False, {runner: "1 0 1x20"}, "8m"
        ),
        Case("OsteoserveCircuitOpen", "a circuit stays open", True, {circuit: "1x20"}, "8m"),
        Case("OsteoserveCircuitOpen", "a circuit closes again", False, {circuit: "1 1 0x20"}, "8m"),
        Case(
            "OsteoserveDegraded",
            "one answer in ten lacks a model",
            True,
            predictions(normal="0+90x40", degraded="0+10x40"),
            "20m",
        ),
        Case(
            "OsteoserveDegraded",
            "one answer in a hundred lacks a model",
            False,
            predictions(normal="0+99x40", degraded="0+1x40"),
            "20m",
        ),
    ]


def load() -> list[Case]:
    wait = "osteoserve_runner_queue_wait_seconds"
    runner = 'runner="vgg16"'

    def waits(seconds: str) -> dict[str, str]:
        return {one(f"{wait}_sum", runner): seconds, one(f"{wait}_count", runner): "0+100x40"}

    def images(late: str) -> dict[str, str]:
        metric = "osteoserve_runner_images_total"
        return {
            one(metric, f'{runner},result="ok"'): "0+100x40",
            one(metric, f'{runner},result="expired"'): late,
        }

    def sheds(count: str) -> dict[str, str]:
        labels = 'priority="single",reason="queue"'
        return {one("osteoserve_sheds_total", labels): count, **predictions(normal="0+100x40")}

    saturated, late, shedding = (
        "OsteoserveQueueSaturated",
        "OsteoserveRunnerLate",
        "OsteoserveShedding",
    )
    of = {"runner": "vgg16"}
    return [
        Case(saturated, "images wait for half a second", True, waits("0+50x40"), "15m", of),
        Case(saturated, "images wait for a tenth", False, waits("0+10x40"), "15m", of),
        Case(late, "one image in twenty expires", True, images("0+5x40"), "15m", of),
        Case(late, "every image is in time", False, images("0x40"), "15m", of),
        Case(shedding, "a tenth of predictions is turned away", True, sheds("0+10x40"), "15m"),
        Case(shedding, "one in a hundred is turned away", False, sheds("0+1x40"), "15m"),
    ]


def clinical() -> list[Case]:
    refusals, unreadable, drift = "OsteoserveRefusals", "OsteoserveUnreadable", "OsteoserveDrift"
    code = one("osteoserve_files_unreadable_total", 'code="corrupt_file"')
    index = one("osteoserve_drift_stability_index", 'statistic="brightness"')
    of = {"statistic": "brightness"}
    return [
        Case(
            refusals,
            "a third of images is refused",
            True,
            predictions(normal="0+2x90", refused="0+1x90"),
            "80m",
        ),
        Case(
            refusals,
            "a tenth of images is refused",
            False,
            predictions(normal="0+9x90", refused="0+1x90"),
            "80m",
        ),
        Case(
            refusals,
            "all of five images are refused",
            False,
            predictions(normal="0x90", refused="0+0.08x90"),
            "80m",
        ),
        Case(
            unreadable,
            "half of the files are no scans",
            True,
            {code: "0+1x90", **predictions(normal="0+1x90")},
            "80m",
        ),
        Case(
            unreadable,
            "a few of the files are no scans",
            False,
            {code: "0+1x90", **predictions(normal="0+19x90")},
            "80m",
        ),
        Case(drift, "images are darker for hours", True, {index: "0.4x180"}, "150m", of),
        Case(drift, "images differ as chance has it", False, {index: "0.15x180"}, "150m", of),
        Case(drift, "nothing is known yet", False, {}, "150m"),
    ]


def storage() -> list[Case]:
    up, room = one("osteoserve_storage_up"), one("osteoserve_storage_full")
    free, size = one("osteoserve_storage_free_bytes"), one("osteoserve_storage_size_bytes")
    stored, full = "OsteoserveStorageFull", "OsteoserveDiskFull"
    filling = "OsteoserveDiskFilling"

    def disk(left: str) -> dict[str, str]:
        return {free: left, size: "10000x600"}

    return [
        Case("OsteoserveStorageDown", "the database is away", True, {up: "0x20"}, "5m"),
        Case("OsteoserveStorageDown", "the database answers", False, {up: "1x20"}, "5m"),
        Case(stored, "there is no room for a result", True, {room: "1x20"}, "3m"),
        Case(stored, "there was none for a moment", False, {room: "0x2 1 0x20"}, "3m"),
        Case(full, "a twentieth of the disk is left", True, disk("500x20"), "8m"),
        Case(full, "a fifth of the disk is left", False, disk("2000x20"), "8m"),
        Case(filling, "the disk is full in two days", True, disk("5000-1.7x600"), "9h"),
        Case(filling, "the disk is full in a month", False, disk("5000-0.1x600"), "9h"),
    ]


def identity() -> list[Case]:
    provider, sealed = "OsteoserveIdentityProviderDown", "OsteoserveSealedAccount"
    up = one("osteoserve_identity_provider_up", 'provider="oidc"')
    failed = one("osteoserve_identity_provider_sign_ins_total", 'outcome="provider_unavailable"')
    used = one("osteoserve_sealed_sign_ins_total")
    return [
        Case(provider, "it is away and people try", True, {up: "0x30", failed: "0+1x30"}, "20m"),
        Case(provider, "it answers again", False, {up: "0x10 1x20", failed: "0+1x30"}, "20m"),
        Case(provider, "nobody has tried since", False, {up: "0x60", failed: "0+1x5 5x60"}, "50m"),
        Case(provider, "there is none", False, {failed: QUIET}, "20m"),
        Case(sealed, "one is used", True, {used: "0x10 1x20"}, "14m"),
        Case(sealed, "none is used", False, {used: QUIET}, "20m"),
    ]


def collectors() -> list[Case]:
    away = "OsteoserveAuditCollectorAway"
    failed = one("osteoserve_audit_collector_failures_total", 'collector="arr:6514"')
    waits = one("osteoserve_audit_messages_waiting", 'collector="arr:6514"')
    told = {"collector": "arr:6514"}
    return [
        Case(away, "it is", True, {failed: "0+1x40", waits: "0+5x40"}, "30m", told),
        Case(away, "it took all again", False, {failed: "0+1x10 10x40", waits: "9x10 0x40"}, "30m"),
        Case(away, "much is on its way", False, {failed: QUIET, waits: "200x40"}, "30m"),
    ]


def accounts() -> list[Case]:
    guessing, glass, own = (
        "OsteoservePasswordGuessing", "OsteoserveBreakGlass", "OsteoserveOwnRoles"
    )  # fmt: skip
    failed = one("osteoserve_sign_in_failures_total", 'reason="password"')
    codes = one("osteoserve_sign_in_failures_total", 'reason="code"')
    links = one("osteoserve_sign_in_failures_total", 'reason="link"')
    broken = one("osteoserve_break_glass_total")
    granted = one("osteoserve_own_roles_granted_total")
    return [
        Case(guessing, "names are sprayed", True, {failed: "0+20x20"}, "14m"),
        Case(guessing, "codes are guessed", True, {codes: "0+20x20"}, "14m"),
        Case(guessing, "people mistype", False, {failed: "0+2x30", links: "0+20x30"}, "25m"),
        Case(glass, "it is broken once", True, {broken: "0x10 1x20"}, "14m"),
        Case(glass, "it is not", False, {broken: QUIET}, "20m"),
        Case(own, "one gives oneself a role", True, {granted: "0x10 1x20"}, "14m"),
        Case(own, "nobody does", False, {granted: QUIET}, "20m"),
    ]


def gateway() -> list[Case]:
    up = one("up", 'component="gateway"')
    lost = one("osteoserve_gateway_objects_total", 'result="not_stored"')
    refused = one("osteoserve_gateway_messages_total", 'result="refused"')
    unaccounted = one("osteoserve_ledger_unaccounted_objects")
    dead = one("osteoserve_ledger_rows", 'kind="delivery",state="dead"')
    pulls = one("osteoserve_ledger_rows", 'kind="pull",state="dead"')
    oldest = one("osteoserve_ledger_oldest_seconds", 'kind="delivery"')
    apart = one("osteoserve_ledger_objects", 'state="quarantined"')

    def rejected(reason: str, count: str) -> dict[str, str]:
        return {one("osteoserve_gateway_rejected_total", f'reason="{reason}"'): count}

    away, rejections, late = "OsteoserveGatewayDown", "OsteoserveRejections", "OsteoserveLedgerLate"
    of, peer = {"kind": "delivery"}, {"reason": "peer"}
    return [
        Case(away, "no gateway can be scraped", True, {up: "0x20"}, "5m"),
        Case(away, "one of them is back within a minute", False, {up: "1 0 1x20"}, "5m"),
        Case(away, "there is none", False, {}, "5m"),
        Case("OsteoserveNotStored", "an object cannot be kept", True, {lost: "0x5 1x20"}, "8m"),
        Case("OsteoserveNotStored", "all objects are kept", False, {lost: QUIET}, "20m"),
        Case("OsteoserveMessagesRefused", "a merge cannot be done", True, {refused: "0x5 1x20"},
             "8m", {"result": "refused"}),
        Case("OsteoserveMessagesRefused", "all are done", False, {refused: QUIET}, "20m"),
        Case(rejections, "a scanner has another title", True, rejected("peer", "0+1x20"), "14m",
             peer),
        Case(rejections, "somebody tries twice", False, rejected("peer", "0x5 2x20"), "14m"),
        Case(rejections, "a load balancer looks", False, rejected("address", "0+60x20"), "14m"),
        Case("OsteoserveUnaccounted", "an object is in no state", True, {unaccounted: "1x9"}, "5m"),
        Case("OsteoserveUnaccounted", "the books balance", False, {unaccounted: "0x9"}, "5m"),
        Case("OsteoserveDeadDeliveries", "a PACS refused", True, {dead: "1x20"}, "8m"),
        Case("OsteoserveDeadDeliveries", "somebody restarted it", False, {dead: "1x3 0x9"}, "8m"),
        Case("OsteoserveDeadPulls", "an archive does not know us", True, {pulls: "1x20"}, "8m"),
        Case("OsteoserveDeadPulls", "the next one is answered", False, {pulls: "1x3 0x9"}, "8m"),
        Case(late, "a PACS is away for an hour", True, {oldest: "0+60x60"}, "50m", of),
        Case(late, "a PACS is away for ten minutes", False, {oldest: "0+60x10 0x50"}, "50m"),
        Case("OsteoserveQuarantine", "nobody decides", True, {apart: "1x90"}, "80m"),
        Case("OsteoserveQuarantine", "somebody decides", False, {apart: "1x20 0x70"}, "80m"),
    ]  # fmt: skip


CASES = [
    *burns(), *availability(), *load(), *clinical(), *storage(), *identity(), *accounts(),
    *collectors(), *gateway(),
]  # fmt: skip
