"""The edge as one wheel: what is in it, how it is built, what starts it."""

from __future__ import annotations

from typing import Final

PACKAGE: Final = "osteoserve_edge"
"""The one name that the wheel adds to those of an environment."""
