"""CSV as people and spreadsheets write it, row by row, or a plain refusal that names the line.

Columns are told by their names, in any case; between values stand commas, semicolons or tabs, as
the first line has them. Text is UTF-8, or UTF-16 with a byte order mark, as Excel's "Unicode text".
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from models.dataset.dataset import DatasetError
from models.dataset.faults import Faults

_TOLD: Final = re.compile(r"\ufeff?sep=([,;\t])", re.IGNORECASE)
"""A first line by which Excel is told what stands between values."""


def columns(path: Path) -> tuple[str, ...]:
    """Return the column names of the file at ``path``, in lower case."""
    names = next((tuple(value.strip().lower() for value in row) for _, row in _lines(path)), ())
    # Empty ones are what a spreadsheet has beside its table.
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise DatasetError(f"{path.name} has the column {', '.join(repeated)} twice")
    return names


def rows(
    path: Path, needed: Collection[str], faults: Faults
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row with what to call it in messages; the ``needed`` columns are never empty.

    Values are stripped of blanks around them. Rows that cannot be used are ``faults``. Raises
    :class:`DatasetError` for what is no table.
    """
    names = columns(path)
    lines = _lines(path)
    next(lines, None)
    for line, values in lines:
        where = f"{path.name}, line {line}"
        if len(values) != len(names):
            faults.add(f"{where} has {len(values)} values for {len(names)} columns")
            continue
        row = dict(zip(names, (value.strip() for value in values), strict=True))
        empty = [column for column in needed if not row[column.lower()]]
        if empty:
            faults.add(f"{where}: {empty[0]} is empty")
        else:
            yield where, row


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open("rb") as raw:
        begins = raw.read(2)
    # Spreadsheets put a byte order mark in front of UTF-8 as well.
    encoding = "utf-16" if begins in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    reader = None
    try:
        with path.open(newline="", encoding=encoding) as file:
            first = file.readline()
            told = _TOLD.fullmatch(first.strip())
            between = told[1] if told else max(",;\t", key=first.count)
            if not told:
                file.seek(0)
            reader = csv.reader(file, delimiter=between, strict=True)
            for values in reader:
                if any(value.strip() for value in values):
                    yield reader.line_num + bool(told), values
    except (csv.Error, UnicodeError):
        line = 0 if reader is None else reader.line_num
        raise DatasetError(f"{path.name} is no CSV in UTF-8 text after line {line}") from None
