"""The drugs against osteoporosis that facts and rules speak of: names and classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from service.language.locale import N_

Drug = Literal[
    "alendronate", "risedronate", "ibandronate", "ibandronate_iv", "zoledronate", "denosumab",
    "raloxifene", "hormone_therapy", "teriparatide", "abaloparatide", "romosozumab",
]  # fmt: skip
"""``ibandronate`` is taken by mouth, ``ibandronate_iv`` given into a vein."""

EVERY: Final[tuple[Drug, ...]] = get_args(Drug)
ORAL: Final[tuple[Drug, ...]] = ("alendronate", "risedronate", "ibandronate")
BISPHOSPHONATES: Final[tuple[Drug, ...]] = (*ORAL, "ibandronate_iv", "zoledronate")
ANTIRESORPTIVES: Final[tuple[Drug, ...]] = (*BISPHOSPHONATES, "denosumab")
"""Those that follow an anabolic drug; raloxifene and hormones, which are weaker, are not meant."""

PARATHYROID: Final[tuple[Drug, ...]] = ("teriparatide", "abaloparatide")
"""Analogues of parathyroid hormone."""

ANABOLIC: Final[tuple[Drug, ...]] = (*PARATHYROID, "romosozumab")

NAMES: Final[Mapping[str, str]] = {
    "alendronate": N_("alendronate"),
    "risedronate": N_("risedronate"),
    "ibandronate": N_("ibandronate by mouth"),
    "ibandronate_iv": N_("ibandronate into a vein"),
    "zoledronate": N_("zoledronate"),
    "denosumab": N_("denosumab"),
    "raloxifene": N_("raloxifene"),
    "hormone_therapy": N_("hormone therapy"),
    "teriparatide": N_("teriparatide"),
    "abaloparatide": N_("abaloparatide"),
    "romosozumab": N_("romosozumab"),
}
"""In words."""

Present = Literal[Drug, "none"]
"""What is taken at a time, or that nothing is."""
