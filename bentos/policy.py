"""How a runner batches, on what it runs, what it tells: settings, with what fits two cores."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from models.runtime import PRECISIONS, RUNTIMES, PrecisionChoice, RuntimeChoice
from protocol.runners import RunnerName
from telemetry.journal import Form, Level

T = TypeVar("T", bound=str)

TUNING: Final = Path("var/tuning.json")
"""Where ``make tune`` writes what it measured on this machine."""


@dataclass(frozen=True)
class Policy:
    """Read when the runner starts: from the environment, else from what ``make tune`` wrote.

    ==================================  ============  ====================================
    variable                            default       meaning
    ==================================  ============  ====================================
    OSTEOSERVE_RUNTIME                  auto          openvino, litert or keras; by itself keras
                                                      (XLA) on a GPU, else openvino
    OSTEOSERVE_PRECISION                auto          f32, bf16 or int8 (openvino); by itself
                                                      the fastest that the artefact allows
    OSTEOSERVE_TUNING                   var/…         the file of ``make tune``; none need be there
    OSTEOSERVE_THREADS                  the CPUs      threads of the engine: affinity and quota
                                                      decide, where several share a machine this
    OSTEOSERVE_MAX_BATCH_SIZE           8; resnet 2   images that are computed together; of resnet
                                                      more would outgrow the cache
    OSTEOSERVE_MAX_LATENCY_MS           5000          a request that would wait longer is
                                                      answered 503 at once
    OSTEOSERVE_QUEUE_IMAGES             256           images that wait at most; more are
                                                      answered 503 with Retry-After
    OSTEOSERVE_LOG_FORMAT               plain         plain or json
    OSTEOSERVE_LOG_LEVEL                info          debug, info, warning or error
    OSTEOSERVE_TRACING_ENDPOINT         none          where spans go, as in telemetry.tracing
    ==================================  ============  ====================================

    What is named and not allowed by the artefact is refused when the runner starts; what ``auto``
    took is in its log.

    The front gives a request eight seconds in all, long enough for a short queue on two cores; what
    a runner would answer after five of them may come too late to be combined.
    """

    runtime: RuntimeChoice = "auto"
    precision: PrecisionChoice = "auto"
    max_batch_size: int = 8
    max_latency_ms: int = 5000
    queue_images: int = 256
    log_format: Form = "plain"
    log_level: Level = "info"
    tracing_endpoint: str | None = None

    @classmethod
    def from_environment(cls, runner: RunnerName) -> Policy:
        """Raises ValueError naming the variable or the file, its value and what is allowed."""
        own = _OWN.get(runner, cls())
        tuned = replace(own, **_tuned(Path(os.environ.get("OSTEOSERVE_TUNING", TUNING)), runner))
        return cls(
            runtime=_choice("OSTEOSERVE_RUNTIME", ("auto", *RUNTIMES), cls.runtime),
            precision=_choice("OSTEOSERVE_PRECISION", ("auto", *PRECISIONS), cls.precision),
            max_batch_size=_whole("OSTEOSERVE_MAX_BATCH_SIZE", tuned.max_batch_size, least=2),
            max_latency_ms=_whole("OSTEOSERVE_MAX_LATENCY_MS", tuned.max_latency_ms, least=100),
            queue_images=_whole("OSTEOSERVE_QUEUE_IMAGES", cls.queue_images, least=1),
            log_format=_choice("OSTEOSERVE_LOG_FORMAT", get_args(Form), cls.log_format),
            log_level=_choice("OSTEOSERVE_LOG_LEVEL", get_args(Level), cls.log_level),
            tracing_endpoint=os.environ.get("OSTEOSERVE_TRACING_ENDPOINT") or None,
        )


_OWN: Final[Mapping[str, Policy]] = {"resnet": Policy(max_batch_size=2)}
"""Where a runner's defaults are others, as ``make tune`` found on two cores."""


def _tuned(path: Path, runner: str) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    allowed = {"max_batch_size": 2, "max_latency_ms": 100}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["runners"].get(runner, {})
        chosen = {name: found[name] for name in allowed if name in found}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not what `make tune` writes; delete it or tune anew"
        ) from error
    for name, value in chosen.items():
        if type(value) is not int or value < allowed[name]:
            raise ValueError(
                f"{path}: {runner} {name}={value!r}: "
                f"a whole number of at least {allowed[name]} is allowed"
            )
    return chosen


def _choice(name: str, allowed: tuple[T, ...], default: T) -> T:
    value = os.environ.get(name, default)
    for choice in allowed:
        if value == choice:
            return choice
    raise ValueError(f"{name}={value}: allowed are {', '.join(allowed)}")


def _whole(name: str, default: int, *, least: int) -> int:
    value = os.environ.get(name, str(default))
    if not value.isascii() or not value.isdigit() or int(value) < least:
        raise ValueError(f"{name}={value}: a whole number of at least {least} is allowed")
    return int(value)
