"""``results.json``, ratios and their spread over the rounds, and the page made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from loadtests.benchmark.systems import OURS
from loadtests.table import Table
from models.files import replace

FILE: Final = "results.json"
PAGE: Final = "README.md"
LEAST_ROUNDS: Final = 3
WIDEST: Final = 0.15
"""Spread of a ratio, largest less least over the median, beyond which it decides nothing."""
INTRODUCTION: Final = """\
# Benchmarks

What this project does in a second, what other servers do with the same models on the same machine,
and what the bare runtime does in a loop. Written by `make bench` from
[`results.json`](results.json); a test holds the two together. [How it is measured](method.md).
"""


def good(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a system's rounds in which it answered, and rightly."""
    return [found for found in one["rounds"] if found.get("images_per_second")]


def ratios(systems: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return system → our share of the roofline over its, over the rounds that both have."""
    found: dict[str, dict[str, Any]] = {}
    ours = systems.get(OURS, {"rounds": []})["rounds"]
    for name, one in systems.items():
        values = [
            mine["share"] / theirs["share"]
            for mine, theirs in zip(ours, one["rounds"], strict=False)
            if mine.get("share") and theirs.get("share")
        ]
        if name == OURS or not values:
            continue
        middle = median(values)
        spread = (max(values) - min(values)) / middle
        found[name] = {
            "ratio": middle,
            "least": min(values),
            "most": max(values),
            "spread": spread,
            "decided": len(values) >= LEAST_ROUNDS and spread <= WIDEST,
        }
    return found


def write(folder: Path, results: Mapping[str, Any]) -> None:
    """Write ``results``, floats to five digits, and the page."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(results), indent=1, ensure_ascii=False) + "\n"
    replace(folder / FILE, text.encode())
    replace(folder / PAGE, page(read(folder)).encode())


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return found


def table(results: Mapping[str, Any]) -> Table:
    """Return the ratios."""
    rows = [
        (
            results["systems"][name]["title"],
            f"{one['ratio']:.2f}",
            f"{one['least']:.2f}–{one['most']:.2f}",
            f"{100 * one['spread']:.0f} %",
            "" if one["decided"] else "not decided",
        )
        for name, one in results["ratios"].items()
    ]
    return Table(("ours divided by", "ratio", "range", "spread", ""), rows)


def page(results: Mapping[str, Any]) -> str:
    """Return the page, from ``results`` as they were read."""
    machine, systems = results["machine"], results["systems"]
    ordered = sorted(systems.values(), key=lambda one: -(_median(one, "share") or 0.0))
    versions = {k: v for one in systems.values() for k, v in one["versions"].items()}
    parts = [
        INTRODUCTION,
        f"{results['measured_on']}: {machine['cpus']} CPUs of {machine['processor']}"
        f"{' (virtual)' if machine['virtual'] else ''}, with {', '.join(machine['features'])}; "
        f"{machine['memory_gb']} GB; Python {machine['python']}. `{results['command']}`: "
        f"{results['rounds']} rounds of {results['step_seconds']:.0f} s steps in "
        f"{results['minutes']:.0f} minutes.\n",
        table(results).markdown(),
        Table(_HEAD, [_row(one) for one in ordered]).markdown(),
    ]
    each = ", ".join(f"{name} {1000 * s:.1f}" for name, s in _cpu(systems[OURS]).items())
    told = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    parts += [f"CPU ms an image of this project's processes: {each}.\n", f"Versions: {told}.\n"]
    return "\n".join(parts)


_HEAD: Final = (
    *("", "images/s", "share of the roofline", "p50 of eight, ms", "p99", "p50 alone"),
    *("CPU ms an image", "memory, GB", "ready after, s", "answers checked"),
)


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    if not good(one):
        last = one["rounds"][-1]
        fault = str(last.get("error") or last.get("faults") or "wrong answers").splitlines()[0]
        return (one["title"], f"failed: {fault}", *["–"] * 8)
    checks = [found["checked"] for found in good(one)]
    largest = max(found["largest"] for found in checks)
    return (
        one["title"],
        _told(one, "images_per_second", digits=1),
        _told(one, "share", digits=2),
        *(_told(one, name) for name in ("p50_ms", "p99_ms", "alone_p50_ms")),
        f"{1000 * sum(_cpu(one).values()):.0f}",
        _told(one, "memory_bytes", 1e-9, 2),
        _told(one, "start_seconds", digits=1),
        f"{sum(found['answers'] for found in checks)}, off by {largest:.4f} at most",
    )


def _told(one: Mapping[str, Any], key: str, factor: float = 1.0, digits: int = 0) -> str:
    found = _median(one, key)
    return "–" if found is None else f"{factor * found:.{digits}f}"


def _median(one: Mapping[str, Any], key: str) -> float | None:
    values = [found[key] for found in good(one) if found.get(key) is not None]
    return float(median(values)) if values else None


def _cpu(one: Mapping[str, Any]) -> dict[str, float]:
    """Return component → median CPU seconds an image."""
    spent = [found["cpu_seconds_per_image"] for found in good(one)]
    names = sorted({name for found in spent for name in found})
    return {name: float(median(found.get(name, 0.0) for found in spent)) for name in names}


def _rounded(value: Any) -> Any:
    """Return ``value`` with floats of five significant digits: more is noise."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
