"""Which series a query asks for."""

from __future__ import annotations

import re
from typing import Final

_KEYWORDS: Final = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan", "atan2"})
_GROUPING: Final = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\b\s*(\([^)]*\))?")
_NAME: Final = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")


def series(query: str) -> set[str]:
    """Return the names of the metrics in a PromQL expression: identifiers that are no function, no
    keyword and no label."""
    # In this order: a text may have braces, and a label's name stands inside them.
    for left_out in (r'"(\\.|[^"\\])*"', r"\{[^}]*\}", r"\[[^\]]*\]"):
        query = re.sub(left_out, " ", query)
    query = _GROUPING.sub(" ", query)
    query = re.sub(r"\boffset\s+\w+", " ", query)
    return set(_NAME.findall(query)) - _KEYWORDS
