"""How a runner batches, on what it runs, what it tells: settings, with what fits two cores."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeVar, get_args

from models.runtime import PRECISIONS, RUNTIMES, PrecisionChoice, RuntimeChoice
from telemetry.journal import Form, Level

T = TypeVar("T", bound=str)


@dataclass(frozen=True)
class Policy:
    """Read from the environment when the runner starts.

    ==================================  ============  ====================================
    variable                            default       meaning
    ==================================  ============  ====================================
    OSTEOSERVE_RUNTIME                  auto          openvino, litert or keras; by itself keras
                                                      (XLA) on a GPU, else openvino
    OSTEOSERVE_PRECISION                auto          f32, bf16 or int8 (openvino); by itself
                                                      the fastest that the artefact allows
    OSTEOSERVE_MAX_BATCH_SIZE           8             images that are computed together
    OSTEOSERVE_MAX_LATENCY_MS           5000          a request that would wait longer is
                                                      answered 503 at once
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
    log_format: Form = "plain"
    log_level: Level = "info"
    tracing_endpoint: str | None = None

    @classmethod
    def from_environment(cls) -> Policy:
        """Raises ValueError naming the variable, its value and what is allowed."""
        return cls(
            runtime=_choice("OSTEOSERVE_RUNTIME", ("auto", *RUNTIMES), cls.runtime),
            precision=_choice("OSTEOSERVE_PRECISION", ("auto", *PRECISIONS), cls.precision),
            max_batch_size=_whole("OSTEOSERVE_MAX_BATCH_SIZE", cls.max_batch_size, least=2),
            max_latency_ms=_whole("OSTEOSERVE_MAX_LATENCY_MS", cls.max_latency_ms, least=100),
            log_format=_choice("OSTEOSERVE_LOG_FORMAT", get_args(Form), cls.log_format),
            log_level=_choice("OSTEOSERVE_LOG_LEVEL", get_args(Level), cls.log_level),
            tracing_endpoint=os.environ.get("OSTEOSERVE_TRACING_ENDPOINT") or None,
        )


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
