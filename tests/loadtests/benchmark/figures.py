"""Figures as ``throughput`` gives them, invented."""

from __future__ import annotations

from typing import Any


def figure(rate: float, *, right: bool = True, **more: Any) -> dict[str, Any]:
    """Return what is told of a contender that keeps ``rate`` of the limit's 50 images a second."""
    return {
        "title": more.pop("title", "a contender"),
        "images_per_second": rate,
        "share_of_limit": rate / 50.0,
        "p50_ms_at_half": 40.0,
        "p99_ms_at_half": 90.0,
        "cpu_seconds_per_image": {"total": 0.05, "front": 0.004, "vgg16": 0.046},
        "peak_memory_mb": 1200.0,
        "start_seconds": 8.0,
        "checked": {
            "answers": 40,
            "largest": 0.002,
            "changed": 0 if right else 3,
            "missing": 0,
            "holds": right,
        },
        "versions": {"openvino": "2026.4.1"},
        **more,
    }


FIGURES: dict[str, dict[str, Any]] = {
    "limit": figure(
        50.0,
        title="the limit",
        images_per_second_from_files=40.0,
        cpu_seconds_per_image_from_files=0.05,
        runtimes={"cnn": "openvino-f32"},
    ),
    "osteoserve": figure(40.0, title="osteoserve"),
    "plain": figure(2.0, title="plain"),
    "ray-keras-each": figure(4.0, title="Ray Serve"),
    "litserve-keras-one": figure(5.0, title="LitServe"),
    "mlserver-runtime-each": figure(20.0, title="MLServer"),
    "litserve-runtime-each": figure(32.0, title="LitServe", right=False),
    "ray-runtime-one": figure(41.0, title="Ray Serve"),
    "mlserver-runtime-one": {"title": "MLServer", "error": "did not start", "rounds": []},
}

RESULTS: dict[str, Any] = {
    "command": "python -m loadtests.benchmark all",
    "minutes": 41.0,
    "load": {"rounds": 3},
    "machine": {
        "cpu": "A processor",
        "cpus": 2,
        "usable_cpus": 2,
        "features": ["avx2"],
        "memory_gb": 24.0,
        "virtual": True,
        "system": "Linux 6",
        "python": "3.11.7",
    },
    "contenders": FIGURES,
    "one": {
        "p50_ms": 30.0,
        "p99_ms": 50.0,
        "models_alone_ms": {"cnn": 4.0, "vgg16": 15.0},
        "slowest": "vgg16",
        "allowed_ms": 35.25,
        "kept": {"p50": True},
    },
    "front": {
        "cpu_ms": 5.0,
        "allowed_ms": 4.0,
        "peak_memory_mb": 1400.0,
        "kept": {"cpu": False, "memory": True},
    },
    "linear": {
        "clients": [
            {"clients": 1, "images": 20, "seconds": 1.0, "images_per_second": 20.0,
             "cpu_ms": 50.0, "cost": 1.2, "p50_ms": 50.0, "p99_ms": 60.0},
        ],
        "images": [
            {"images": 100, "seconds": 3.0, "images_per_second": 33.0,
             "cpu_ms": 50.0, "cost": 1.2, "p50_ms": 50.0, "p99_ms": 60.0},
            {"images": 1000, "seconds": 30.0, "images_per_second": 33.0,
             "cpu_ms": 51.0, "cost": 1.25, "p50_ms": 50.0, "p99_ms": 60.0},
        ],
        "kept": {"clients": True, "images": True},
    },
}  # fmt: skip
