"""CSV as people and spreadsheets write it, row by row, or a plain refusal that names the line."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

from models.dataset.dataset import DatasetError


def columns(path: Path) -> tuple[str, ...]:
    """Return the column names of the file at ``path``."""
    names = next((tuple(values) for _, values in _lines(path)), ())
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DatasetError(f"{path.name} has the column {', '.join(repeated)} twice")
    return names


def rows(path: Path, needed: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row with what to call it in messages; the ``needed`` columns are never empty.

    Values are stripped of blanks around them. Raises :class:`DatasetError`.
    """
    names = columns(path)
    lines = _lines(path)
    next(lines, None)
    for line, values in lines:
        where = f"{path.name}, line {line}"
        if len(values) != len(names):
            raise DatasetError(f"{where} has {len(values)} values for {len(names)} columns")
        row = dict(zip(names, (value.strip() for value in values), strict=True))
        for column in needed:
            if not row[column]:
                raise DatasetError(f"{where}: {column} is empty")
        yield where, row


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    # Spreadsheets put a byte order mark in front of UTF-8.
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        try:
            for values in reader:
                if values:
                    yield reader.line_num, values
        except (csv.Error, UnicodeDecodeError):
            raise DatasetError(
                f"{path.name} is no CSV in UTF-8 text after line {reader.line_num}"
            ) from None
