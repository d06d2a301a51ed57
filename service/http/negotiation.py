"""Content negotiation: the ``Accept…`` headers of RFC 9110, section 12.5."""

from __future__ import annotations

_LONGEST = 1000
"""Characters of a header that are looked at."""


def weighed(header: str) -> dict[str, float]:
    """Return every value of an ``Accept…`` header with its weight, the dearest first.

    Values are in lower case and without parameters; what cannot be read is left out.
    """
    found: dict[str, float] = {}
    for part in header.lower()[:_LONGEST].split(","):
        value, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            found.setdefault(value, min(1.0, max(0.0, float(weight))))
        except ValueError:
            continue
    found.pop("", None)
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def weight(header: str, media_type: str) -> float:
    """Return how much ``media_type`` is wanted, by the most specific range that names it.

    1 where the header is empty: who says nothing takes anything.
    """
    wanted = weighed(header)
    if not wanted:
        return 1.0
    kind = media_type.partition("/")[0]
    ranges = (media_type, f"{kind}/*", "*/*")
    return next((wanted[one] for one in ranges if one in wanted), 0.0)
