"""What is asked for by QIDO-RS and WADO-RS, and what is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from service.errors import ServiceError
from service.integration.dicom import head

Level = Literal["study", "series", "instance"]

LIMIT: Final = 100
"""Results of one search, also where more are asked for."""
MOST: Final = 500
"""Objects of one retrieval."""
FURTHEST: Final = 10_000

_KEYS: Final[Mapping[str, str]] = {
    "studyinstanceuid": "study", "0020000d": "study",
    "seriesinstanceuid": "series", "0020000e": "series",
    "sopinstanceuid": "instance", "00080018": "instance",
    "sopclassuid": "sop_class", "00080016": "sop_class",
}  # fmt: skip
_HARMLESS: Final = frozenset({"includefield", "fuzzymatching", "accept"})
"""What is told of an object is always the same, and UIDs match or do not."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """UIDs that must match; None: any."""

    study: str | None = None
    series: str | None = None
    instance: str | None = None
    sop_class: str | None = None
    limit: int = LIMIT
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class Found:
    """A study, a series or an object of ours, with the bytes of one object of it."""

    case_id: UUID
    study: str
    series: str
    instance: str
    sop_class: str
    data: bytes = dataclasses.field(repr=False)
    series_count: int
    instance_count: int


def uid(text: str) -> str:
    """Return ``text``, a UID in an address. Raises: there is nothing at what is none."""
    try:
        return head.uid(text)
    except head.HeadError:
        raise nothing() from None


def nothing() -> ServiceError:
    return ServiceError("not_found", "No result that is kept has this address.")


def sought(query: Iterable[tuple[str, str]], **path: str) -> Sought:
    """Return what ``query`` asks for below ``path``. Raises :class:`~service.errors.ServiceError`.

    Patients' names and numbers are not matched: they would stand in addresses, which are logged
    by others.
    """
    values = {name: uid(text) for name, text in path.items()}
    numbers = {"limit": LIMIT, "offset": 0}
    for key, value in query:
        name = key.lower()
        if name in numbers:
            if not value.isdecimal() or len(value) > 9:
                raise ServiceError("invalid_request", f"{name} is a whole number, not less than 0.")
            numbers[name] = int(value)
        elif name in _KEYS:
            try:
                wanted = head.uid(value)
            except head.HeadError:
                raise ServiceError("invalid_request", f"{key} is one UID.") from None
            if values.setdefault(_KEYS[name], wanted) != wanted:
                # One in the path, another in the query: nothing is both.
                values["instance"] = "0.0"
        elif name not in _HARMLESS:
            raise ServiceError(
                "invalid_request",
                "Results are found by StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID and "
                "SOPClassUID, with limit and offset; nothing else is matched.",
            )
    if numbers["offset"] > FURTHEST:
        raise ServiceError("invalid_request", f"offset is at most {FURTHEST}.")
    return Sought(
        study=values.get("study"),
        series=values.get("series"),
        instance=values.get("instance"),
        sop_class=values.get("sop_class"),
        limit=max(1, min(numbers["limit"], LIMIT)),
        offset=numbers["offset"],
    )
