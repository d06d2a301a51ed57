"""What this process may use of the machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")

VNNI: Final = {"avx512_vnni", "avx_vnni"}
"""Flags of CPUs that add products of 8 bits in 32, as Linux names them."""

AMX: Final = "amx_bf16"


def usable_cpus() -> int:
    """Return how many CPUs this process may use: affinity, then the cgroup's quota, at least 1.

    A pod limited to two CPUs of a 64-core node must not start 64 threads. Of several processes on
    one machine each must start fewer still: ``OSTEOSERVE_THREADS`` is that number, where it is set.
    Raises ValueError when it is no whole number of at least 1.
    """
    share = os.environ.get("OSTEOSERVE_THREADS", "")
    if share:
        if not share.isascii() or not share.isdigit() or int(share) < 1:
            raise ValueError(f"OSTEOSERVE_THREADS={share}: a whole number of at least 1 is allowed")
        return int(share)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota(Path("/sys/fs/cgroup"))
    return max(1, min(cpus, round(quota))) if quota else cpus


def has_vnni() -> bool:
    """Return whether the CPU adds products of 8 bits without loss (x86's VNNI).

    Without it OpenVINO adds them in pairs in 16 bits, which overflow: another answer.
    """
    return not VNNI.isdisjoint(_flags())


def has_amx() -> bool:
    """Return whether the CPU multiplies tiles in bfloat16 (x86's AMX).

    AVX-512's bfloat16 is twice as fast as float32 at most, AMX many times.
    """
    return AMX in _flags()


def _flags() -> list[str]:
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return next((line for line in lines if line.startswith("flags")), "").split()


def _cgroup_quota(root: Path) -> float | None:
    """Return the CPU quota in CPUs, from cgroup v2 or v1, None without one."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return None if quota in ("max", "-1") else int(quota) / int(period)
