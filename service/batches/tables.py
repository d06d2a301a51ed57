"""A quality table as a file: CSV for programs, a workbook (XLSX) for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Final

from service.batches.quality import COLUMNS, HEADINGS, Row
from service.language.locale import _
from service.web import tables
from service.web.tables import CSV, FORMULA, XLSX

__all__ = ["CSV", "FORMULA", "XLSX", "Sheet", "comma_separated"]

_WIDE: Final = 40
_WIDTHS: Final = {"position": 8, "faults": _WIDE, "details": 80}


def comma_separated(rows: Sequence[Row], *, headed: bool) -> str:
    """Return ``rows`` by codes as lines of CSV, behind the columns' names if ``headed``."""
    head = tables.comma_separated([COLUMNS]) if headed else ""
    return head + tables.comma_separated(row.cells(in_words=False) for row in rows)


class Sheet:
    """A workbook of one sheet in the current language: :class:`service.web.tables.Sheet`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._sheet = tables.Sheet(
            file,
            _("Quality"),
            [_(heading) for heading in HEADINGS.values()],
            [_WIDTHS.get(name, 18) for name in COLUMNS],
        )

    def add(self, rows: Sequence[Row]) -> None:
        self._sheet.add(row.cells(in_words=True) for row in rows)

    def close(self) -> None:
        self._sheet.close()
