"""A quality table as a file: CSV for programs, a workbook (XLSX) for people.

No cell begins as a formula does (=, +, -, @): spreadsheets compute what they open, and tables are
saved anew from one format into the other. Numbers are none of these texts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import IO, Final

from xlsxwriter import Workbook

from service.batches.quality import COLUMNS, HEADINGS, Cell, Row
from service.language.locale import _

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a text begins that some spreadsheet takes for a formula, its wide forms too."""

LONGEST: Final = 32_767
"""Characters of a cell in a workbook at most."""

_WIDE: Final = 40
_WIDTHS: Final = {"position": 8, "faults": _WIDE, "details": 80}


def comma_separated(rows: Sequence[Row], *, headed: bool) -> str:
    """Return ``rows`` by codes as lines of CSV (RFC 4180), behind the columns' names if
    ``headed``."""
    text = io.StringIO()
    writer = csv.writer(text)
    if headed:
        writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in row.cells(in_words=False)] for row in rows)
    return text.getvalue()


class Sheet:
    """A workbook of one sheet in the current language, written row by row into ``file``.

    What was written is kept in a temporary file until :meth:`close`.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._book = Workbook(
            file,
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        )
        self._sheet = self._book.add_worksheet(_("Quality"))
        self._wrapped = self._book.add_format({"text_wrap": True, "valign": "top"})
        self._next = 1
        for column, name in enumerate(COLUMNS):
            self._sheet.set_column(column, column, _WIDTHS.get(name, 18))
        self._sheet.freeze_panes(1, 1)
        bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for column, heading in enumerate(HEADINGS.values()):
            self._sheet.write_string(0, column, _(heading), bold)

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for column, cell in enumerate(row.cells(in_words=True)):
                self._write(column, _harmless(cell))
            self._next += 1

    def _write(self, column: int, cell: Cell) -> None:
        if isinstance(cell, str):
            if cell:
                self._sheet.write_string(self._next, column, cell[:LONGEST], self._wrapped)
        elif cell is not None:
            self._sheet.write_number(self._next, column, cell, self._wrapped)

    def close(self) -> None:
        """Complete the file. A sheet that is not closed leaves none behind."""
        self._sheet.autofilter(0, 0, self._next - 1, len(COLUMNS) - 1)
        self._book.close()


def _harmless(cell: Cell) -> Cell:
    """Return ``cell``; a text that begins as a formula does behind an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
