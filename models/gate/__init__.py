"""Is this an AP lumbar spine DXA image that the models may judge?

It needs numpy alone, so the front can refuse before any runner is asked.
"""

from __future__ import annotations

from models.gate.gate import WEIGHTS_FILE, Gate, Limits, Lines, Verdict, verdict
from models.gate.reason import Reason

__all__ = ["WEIGHTS_FILE", "Gate", "Limits", "Lines", "Reason", "Verdict", "verdict"]
