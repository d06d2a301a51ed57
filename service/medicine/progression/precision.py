"""What a facility repeats a spine scan to, and the least change that is more than that."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

CONFIDENCE_FACTOR: Final = Decimal("2.77")
"""1.96 × √2: 95 % of differences between two scans without change are smaller."""


@dataclass(frozen=True, kw_only=True)
class Precision:
    """What a facility repeats a spine scan to.

    ``spine_g_cm2`` is the RMS standard deviation for L1–L4; ``three`` and ``two`` multiply the
    least significant change when that many vertebrae are left.
    """

    spine_g_cm2: Decimal = Decimal("0.011")
    three: Decimal = Decimal("1.07")
    two: Decimal = Decimal("1.24")

    def least_significant_change(self, vertebrae: int) -> Decimal:
        """Return it in g/cm². ``vertebrae`` is 2, 3 or 4; otherwise ValueError."""
        factors = {4: Decimal(1), 3: self.three, 2: self.two}
        if vertebrae not in factors:
            raise ValueError(f"{vertebrae} vertebrae cannot be monitored; 2, 3 or 4 can")
        return CONFIDENCE_FACTOR * self.spine_g_cm2 * factors[vertebrae]
