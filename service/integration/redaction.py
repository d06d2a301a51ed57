"""What another side says, without what it repeats of the patient."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 400
HIDDEN: Final = "…"
_SHORT: Final = 3


def redacted(said: str, words: Iterable[str]) -> str | None:
    """Return ``said`` as one line of at most :data:`LONGEST` characters, each of ``words`` hidden
    wherever it stands; None where nothing is said. Short words are hidden where they stand alone.
    """
    text = " ".join("".join(one if one.isprintable() else " " for one in said).split())
    hidden = sorted({one.strip() for one in words if one.strip()}, key=len, reverse=True)
    if hidden:
        patterns = (
            rf"(?<!\w){re.escape(one)}(?!\w)" if len(one) < _SHORT else re.escape(one)
            for one in hidden
        )
        text = re.sub("|".join(patterns), HIDDEN, text, flags=re.IGNORECASE)
    return text[:LONGEST] or None
