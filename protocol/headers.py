"""Headers of a call to a runner, and how much one call may hold."""

from __future__ import annotations

from typing import Final

from models.image import recipe

RECIPE: Final = "X-Recipe"
"""The recipe that made the images; a runner refuses another's."""

COUNT: Final = "X-Count"
"""How many sets of base predictions the body holds; absent: one."""

TIMEOUT: Final = "X-Left-Ms"
"""Milliseconds that each item's answer is still of use, with commas between; one stands for all."""

MAX_ITEMS: Final = 64
"""Images, or sets of base predictions, in one call."""

MAX_BYTES: Final = MAX_ITEMS * recipe.BYTES
"""Of a body; base predictions are far smaller than pixels."""
