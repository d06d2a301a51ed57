"""``results.json``: what one run found, and the ratios of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from loadtests.benchmark.contender import Contender
from loadtests.benchmark.contenders import CONTENDERS, LIMIT
from models.files import replace

FILE: Final = "results.json"

CLOSE: Final = 0.85
"""A peer within this share of its kind's best is measured again: the first round may mislead."""

OF_CONTENDERS: Final = ("contenders", "ratios", "against", "load")
"""What the mode ``throughput`` finds."""


def kind(contender: Contender) -> str | None:
    """Return the ratio that ``contender`` bears on, None for this project itself.

    ``best_peer_keras`` takes both topologies: whoever serves Keras models may choose.
    """
    if contender.group != "peer":
        return contender.group if contender.group == "plain" else None
    if contender.engine == "keras":
        return "best_peer_keras"
    return "best_peer_same_runtime" if contender.topology == "each" else "best_peer_one_process"


TARGETS: Final = {
    "plain": 12.0,
    "best_peer_keras": 5.0,
    "best_peer_same_runtime": 1.2,
    "best_peer_one_process": 0.9,
    "limit": 0.7,
}
"""Ratio → what it is to reach at least."""

RATIOS: Final = tuple(TARGETS)


def share(found: Mapping[str, Any]) -> float:
    """Return throughput over what the bare runtime did meanwhile; 0 for whoever failed or erred.

    Contenders are measured one after another, and a machine's pace drifts: the shares compare,
    images a second of different minutes may not.
    """
    if "error" in found or not found["checked"]["holds"]:
        return 0.0
    return float(found["share_of_limit"])


def best(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return ratio's name → the contender that it is taken against, of those measured."""
    chosen: dict[str, str] = {}
    for name, found in figures.items():
        ratio = LIMIT if name == LIMIT else kind(CONTENDERS[name])
        if ratio is None or not share(found):
            continue
        if ratio not in chosen or share(found) > share(figures[chosen[ratio]]):
            chosen[ratio] = name
    return chosen


def ratios(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return our share of the limit divided by that of each that was measured."""
    ours = figures.get("osteoserve")
    if ours is None or not share(ours):
        return {}
    chosen = best(figures)
    return {name: share(ours) / share(figures[chosen[name]]) for name in RATIOS if name in chosen}


def deciding(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return who is measured again: who decides a ratio, and who comes close to it."""
    chosen = best(figures)

    def decides(name: str) -> bool:
        if name in ("osteoserve", LIMIT):
            return True
        ratio = kind(CONTENDERS[name])
        if ratio not in chosen:
            return False
        return share(figures[name]) >= CLOSE * share(figures[chosen[str(ratio)]])

    return [name for name in figures if decides(name)]


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return found


def write(folder: Path, results: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(results), indent=1, ensure_ascii=False) + "\n"
    replace(folder / FILE, text.encode())


def beside(folder: Path, mode: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what other modes than ``mode`` left in ``folder``, to be kept beside ``found``.

    Only where machine and artefacts are the same: else figures would stand together that do not
    belong together.
    """
    if not (folder / FILE).is_file():
        return {}
    earlier = read(folder)
    if any(earlier[fact] != _rounded(found[fact]) for fact in ("machine", "artefacts")):
        return {}
    own = OF_CONTENDERS if mode == "throughput" else (mode,)
    kept = {name: value for name, value in earlier.items() if name not in own}
    return kept | {"command": f"{earlier['command']}; {found['command']}"}


def _rounded(value: Any) -> Any:
    """Return ``value`` with floats of five significant digits: more is noise."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_rounded(one) for one in value]
    return value
