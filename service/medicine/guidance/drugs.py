"""The drugs against osteoporosis that rules speak of, and their classes."""

from __future__ import annotations

from typing import Final, Literal, get_args

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
