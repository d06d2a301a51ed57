"""The table of results that Hologic's software writes as text into a private element.

Its lines name row and column themselves: ``ResultsTable[ 3][ 1] = "0.912"`` is column 3 of row 1,
and row 0 has the columns' names, of which those of BMD, T-score and Z-score are read, with BMD in
g/cm². Which private element it stands in is known of no version, so all of them are looked through.

A private layout that is not described anywhere is not read: GE, Norland and others have none here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from models.image.errors import ScanError
from models.reading import elements
from service.exams.densitometer import concepts
from service.exams.densitometer.concepts import BMD, T_SCORE, Z_SCORE, Named
from service.exams.densitometer.report import Number

MAKER: Final = "hologic"
KIND: Final = "private table"
LARGEST: Final = 256 * 2**10
"""Bytes of an element that is looked through."""
MOST_CELLS: Final = 2000

_NAME: Final = b"ResultsTable["
_CELL: Final = re.compile(r'ResultsTable\[\s*(\d{1,3})\]\[\s*(\d{1,3})\]\s*=\s*"([^"\r\n]{0,128})"')
_MARKUP: Final = re.compile(r"<[^<>]{0,32}>")
_AREA: Final = ("area", "areacm2")
_BMC: Final = ("bmc", "bmcg")
_COLUMNS: Final = {"bmdgcm2": BMD, "tscore": T_SCORE, "zscore": Z_SCORE}
_SAME: Final = Decimal("0.0015")
"""g/cm²: a total and the sum of its rows are each rounded to three decimals."""

Table = Mapping[str, Mapping[str, str]]
"""Cells by the name of their row, then of their column."""


def read(data: bytes, start: int, *, explicit: bool) -> list[Number]:
    """Return the numbers in a data set that begins at ``start``; none where it has no table."""
    text = _found(data, start, explicit=explicit)
    return [] if text is None else _numbers(_table(text))


def _found(data: bytes, start: int, *, explicit: bool) -> str | None:
    if _NAME not in data:
        return None
    try:
        for one in elements.Source(data).elements(start, explicit=explicit):
            value = data[one.start : one.stop]
            is_private = one.tag >> 16 & 1
            if is_private and len(value) <= LARGEST and _NAME in value:
                return value.decode("latin-1")
    except ScanError:
        # Its pixels say whether it is refused.
        return None
    return None


def _table(text: str) -> Table:
    cells: dict[tuple[int, int], str] = {}
    for number, one in enumerate(_CELL.finditer(text)):
        if number >= MOST_CELLS:
            return {}
        cells[int(one[1]), int(one[2])] = _MARKUP.sub("", one[3]).strip()
    columns = {column: concepts.plain(it) for (column, row), it in cells.items() if row == 0}
    # Two columns of one name: which of them counts, nobody can say.
    names = list(columns.values())
    columns = {column: it for column, it in columns.items() if names.count(it) == 1}
    regions = next((column for column, it in columns.items() if it == "region"), None)
    if regions is None:
        return {}
    rows = {row: it for (column, row), it in cells.items() if column == regions and row > 0}
    return {
        name: {
            columns[column]: it
            for (column, at), it in cells.items()
            if at == row and column in columns
        }
        for row, name in rows.items()
    }


def _numbers(table: Table) -> list[Number]:
    spine = tuple(name for name in ("L1", "L2", "L3", "L4") if name in table)
    around = Named(region="lumbar_spine") if spine else Named(hip="Neck" in table)
    found: list[Number] = []
    for name, row in table.items():
        here = concepts.meant(name, around)
        if here.region is None:
            continue
        levels = here.vertebrae
        if here.region == "lumbar_spine" and levels is None:
            levels = spine if _adds_up(table, spine, row) else None
        for column, quantity in _COLUMNS.items():
            if row.get(column, "").strip(" -"):
                found.append(_number(quantity, here, levels, row[column]))
    return found


def _number(quantity: str, here: Named, levels: tuple[str, ...] | None, said: str) -> Number:
    found: dict[str, Any] = {
        "quantity": quantity,
        "region": here.region,
        "vertebrae": None if levels is None else list(levels),
        "side": here.side,
    }
    value = _decimal(said)
    return {**found, **({"reason": "not_a_number"} if value is None else {"value": str(value)})}


def _adds_up(table: Table, spine: tuple[str, ...], total: Mapping[str, str]) -> bool:
    """Whether the total's BMD is the BMC of all rows of vertebrae over their area."""
    area, bmc = Decimal(0), Decimal(0)
    for name in spine:
        one, other = _of(table[name], _AREA), _of(table[name], _BMC)
        if one is None or other is None:
            return False
        area, bmc = area + one, bmc + other
    said = _decimal(total.get("bmdgcm2", ""))
    return said is not None and area > 0 and abs(bmc / area - said) <= _SAME


def _of(row: Mapping[str, str], names: tuple[str, ...]) -> Decimal | None:
    return next((_decimal(row[name]) for name in names if name in row), None)


def _decimal(said: str) -> Decimal | None:
    try:
        value = Decimal(said.strip().replace("\N{MINUS SIGN}", "-"))
    except InvalidOperation:
        return None
    return value if value.is_finite() and len(said) <= 32 else None
