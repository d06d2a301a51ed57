"""Names for the arrays that go from hand to hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""(height, width), or (height, width, samples)."""
