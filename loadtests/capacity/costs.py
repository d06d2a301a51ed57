"""What one image costs each component, from the benchmark where it is, else as measured here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtests import machine
from loadtests.front import ROOT

BENCHMARK: Final = ROOT / "docs" / "benchmarks" / "results.json"
"""Read are ``contenders.osteoserve.cpu_seconds_per_image`` and, where it is,
``gpu_seconds_per_image``: seconds by component."""

COMPONENTS: Final = ("front", "cnn", "vgg16", "resnet", "stack")
"""Those that the benchmark has figures of. ``vertebrae``, which is asked before and beside the
networks, joins them when it has been measured."""

BASES: Final = ("cnn", "vgg16", "resnet")

VARIATION: Final[Mapping[str, float]] = {"front": 0.25}
"""Squared coefficient of variation of the time for one image. Formats differ in what reading them
takes (an assumption on the safe side); networks see canonical images, which are all alike."""


class CapacityError(ValueError):
    """The calculation cannot be made; the message says why."""


@dataclass(frozen=True)
class Costs:
    """Seconds by component: of one core, and of a GPU for those that have one. ``source``: whose.

    ``gpu`` is a component's time for one image with a GPU, its request's handling included.
    """

    cpu: Mapping[str, float]
    gpu: Mapping[str, float]
    source: str

    def __post_init__(self) -> None:
        if set(self.cpu) != set(COMPONENTS):
            raise CapacityError(f"costs are wanted of {', '.join(COMPONENTS)}, given are those of "
                                f"{', '.join(self.cpu) or 'none'}")  # fmt: skip
        for name, seconds in (*self.cpu.items(), *self.gpu.items()):
            if not (math.isfinite(seconds) and 0 < seconds < 60):
                raise CapacityError(f"{name} costs {seconds} s an image; above 0, below 60 can be")
        if wrong := set(self.gpu) - set(BASES):
            raise CapacityError(f"{', '.join(sorted(wrong))}: {', '.join(BASES)} can use a GPU")

    def seconds(self, component: str) -> float:
        """Return how long one image keeps a replica of ``component`` busy."""
        return self.gpu.get(component, self.cpu[component])

    @property
    def path(self) -> float:
        """Seconds of one image through an idle service: front, slowest network, stack."""
        return (
            self.seconds("front") + max(self.seconds(one) for one in BASES) + self.seconds("stack")
        )


def read(benchmark: Path = BENCHMARK, measured: Path = machine.MEASURED) -> Costs:
    """Return the benchmark's costs, or before it has any those that the load test measured.

    Raises :class:`CapacityError` where the benchmark's are not of every component.
    """
    spent = _ours(benchmark).get("cpu_seconds_per_image")
    if spent is None:
        here = machine.read(measured)
        spent = here.cpu_seconds_per_image
        known = {name: seconds for name, seconds in spent.items() if name in COMPONENTS}
        return Costs(known, {}, f"measured on {here.measured_on}")
    # Sums and what belongs to no component are beside them.
    known = {name: seconds for name, seconds in spent.items() if name in COMPONENTS}
    return Costs(known, {}, "docs/benchmarks/results.json")


def benchmark_gpu(benchmark: Path = BENCHMARK) -> Mapping[str, float]:
    """Return seconds with a GPU by component, as far as the benchmark has them."""
    found: Mapping[str, float] = _ours(benchmark).get("gpu_seconds_per_image", {})
    return {name: seconds for name, seconds in found.items() if name in BASES}


def _ours(benchmark: Path) -> Mapping[str, Any]:
    """Return what the benchmark says of this project; nothing where it has not been asked yet."""
    if not benchmark.exists():
        return {}
    found: Mapping[str, Any] = (
        json.loads(benchmark.read_text("utf-8")).get("contenders", {}).get("osteoserve", {})
    )
    return found
