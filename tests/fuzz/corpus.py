"""What is damaged: a file of every encoding, and the small ones of those that are made to cost."""

from __future__ import annotations

from functools import cache
from typing import Final

from tests.models.reading.encodings import ENCODINGS
from tests.models.reading.hostile import HOSTILE
from tests.service.kit import images

SMALL: Final = 60_000


@cache
def encoded() -> tuple[bytes, ...]:
    drawn = images.picture()[:160, :128].copy()
    return tuple(encode(drawn) for encode in ENCODINGS.values())


@cache
def costly() -> tuple[bytes, ...]:
    """Return the small ones: damage to what is costly may be costlier."""
    return tuple(data for make in HOSTILE.values() if len(data := make()) < SMALL)
