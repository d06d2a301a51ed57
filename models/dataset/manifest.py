"""A CSV file that names images, their labels and what must stay together.

::

    path      of the image, relative to the CSV file's folder and within it
    label     normal, osteopenia or osteoporosis, in any case
    cv_block, group, patient, near_dup_group
              any of them, or none: rows that share a value in one of them stay together, and the
              first that is there names the group
    sex, age, vendor, site, artefact, origin
              if there, attributes for subgroups; may be empty

Other columns are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.dataset import table
from models.dataset.attributes import COLUMNS
from models.dataset.dataset import DatasetError
from models.dataset.entry import Entry, as_label, resolve_within
from models.dataset.faults import Faults

NAME: Final = "manifest.csv"
NEEDED: Final = ("path", "label")
GROUPS: Final = ("cv_block", "group", "patient", "near_dup_group")


def entries(path: Path, faults: Faults) -> Iterator[Entry]:
    """Yield what the CSV file at ``path`` names; lines that cannot be used are ``faults``."""
    names = table.columns(path)
    if not set(NEEDED) <= set(names):
        raise DatasetError(
            f"{path.name} has columns {', '.join(sorted(names)) or 'of no name'}; "
            f"needed are {' and '.join(NEEDED)}, and best one of {', '.join(GROUPS)}"
        )
    groups = [column for column in GROUPS if column in names]
    seen: dict[Path, str] = {}
    for where, row in table.rows(path, (*NEEDED, *groups), faults):
        try:
            label = as_label(row["label"], where)
            file = resolve_within(path.parent, row["path"], where)
            if file in seen:
                raise DatasetError(f"{where} names the file of {seen[file]} once more")
            seen[file] = where
            attributes = dict(_attributes(row, where))
        except DatasetError as error:
            faults.add(str(error))
            continue
        yield Entry(
            name=row["path"],
            path=file,
            label=label,
            group=row[groups[0]] if groups else row["path"],
            keys=tuple(f"{column} {row[column]}" for column in groups),
            attributes=attributes,
        )


def _attributes(row: dict[str, str], where: str) -> Iterator[tuple[str, str]]:
    for column, (attribute, parse) in COLUMNS.items():
        if column in row:
            try:
                yield attribute, parse(row[column])
            except ValueError as error:
                raise DatasetError(f"{where}, column {column}: {error}") from None
