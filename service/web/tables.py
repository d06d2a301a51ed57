"""Tables as files: CSV for programs, workbooks (XLSX) for people.

No cell begins as a formula does (=, +, -, @): spreadsheets compute what they open, and tables are
saved anew from one format into the other. Numbers are none of these texts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import IO, Final

from xlsxwriter import Workbook

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Cell = str | int | float | None

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a text begins that some spreadsheet takes for a formula, its wide forms too."""

LONGEST: Final = 32_767
"""Characters of a cell in a workbook at most."""


def harmless(cell: Cell) -> Cell:
    """Return ``cell``; a text that begins as a formula does behind an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def comma_separated(rows: Iterable[Sequence[Cell]]) -> str:
    """Return ``rows`` as lines of CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


class Sheet:
    """A workbook of one sheet, written row by row into ``file``.

    What was written is kept in a temporary file until :meth:`close`.
    """

    def __init__(
        self, file: IO[bytes], title: str, headings: Sequence[str], widths: Sequence[int]
    ) -> None:
        """``widths``: of the columns, in characters."""
        self._book = Workbook(
            file,
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        )
        self._sheet = self._book.add_worksheet(title)
        self._wrapped = self._book.add_format({"text_wrap": True, "valign": "top"})
        self._next = 1
        self._columns = len(headings)
        for column, width in enumerate(widths):
            self._sheet.set_column(column, column, width)
        self._sheet.freeze_panes(1, 1)
        bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for column, heading in enumerate(headings):
            self._sheet.write_string(0, column, heading, bold)

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            for column, cell in enumerate(row):
                self._write(column, harmless(cell))
            self._next += 1

    def _write(self, column: int, cell: Cell) -> None:
        if isinstance(cell, str):
            if cell:
                self._sheet.write_string(self._next, column, cell[:LONGEST], self._wrapped)
        elif cell is not None:
            self._sheet.write_number(self._next, column, cell, self._wrapped)

    def close(self) -> None:
        """Complete the file. A sheet that is not closed leaves none behind."""
        self._sheet.autofilter(0, 0, self._next - 1, self._columns - 1)
        self._book.close()
