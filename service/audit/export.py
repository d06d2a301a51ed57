"""The trail as a table of comma-separated values, which a spreadsheet shows as text."""

from __future__ import annotations

import csv
import io
from typing import Final

from service.audit.schemas import Entry

COLUMNS: Final = (
    "time", "kind", "site", "account", "key", "address", "object", "object_id", "detail", "entry"
)  # fmt: skip

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def head() -> str:
    return _line(COLUMNS)


def line(entry: Entry) -> str:
    return _line(
        (
            entry.moment.isoformat(),
            entry.kind,
            entry.site,
            str(entry.account_id or ""),
            str(entry.key_id or ""),
            entry.address or "",
            entry.object_kind or "",
            entry.object_id or "",
            entry.detail,
            str(entry.id),
        )
    )


def _line(values: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_inert(value) for value in values])
    return out.getvalue()


def _inert(value: str) -> str:
    """A cell that begins like a formula is one to a spreadsheet, unless an apostrophe is first."""
    return f"'{value}" if value.startswith(_FORMULA) else value
