"""What the angle is called wherever it is passed on. No code of a Cobb angle is used."""

from __future__ import annotations

from typing import Final

NAME: Final = "DXA screening angle L1-L4, supine"
ANGLE: Final = ("DXA_ANGLE", NAME)
LOW: Final = ("DXA_ANGLE_LOW", f"{NAME}: lower end of its interval")
HIGH: Final = ("DXA_ANGLE_HIGH", f"{NAME}: upper end of its interval")
UNIT: Final = "deg"
"""UCUM's degree of a plane angle."""
