"""An order for imaging, as a feed or a worklist tells of it."""

from __future__ import annotations

from dataclasses import dataclass

Number = tuple[str, ...]
"""An order's number with who gave it (EI), as components."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a result says of the order that it answers."""

    accession: str
    placer: Number
    filler: Number
    study_uid: str | None = None
    cancelled: bool = False
