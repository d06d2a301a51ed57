"""What the worklist may be asked for: filters, an order for each column, and a place in it.

A page begins behind, or ends before, one result, by its id: what is signed or flagged while
somebody reads on shifts nothing, and no address says whom a result is of, whatever the order.
Counting rows (OFFSET) would leave out as many unread results as were signed on the page before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, PlainSerializer

from service.language import formats
from service.predictions.query import MOST, Filters

MOST_PATIENTS: Final = 40
"""Keys in one address, of which browsers and proxies take 2000 characters for certain."""

LIMITS: Final = (20, 50, 100)
"""Rows of a page that one can choose from."""

Column = Literal["analysed", "probability", "patient", "exam", "outcome", "file", "reader", "state"]
Sort = Literal[
    "newest", "oldest", "highest", "lowest", "patient", "patient-down", "exam", "exam-down",
    "outcome", "outcome-down", "file", "file-down", "reader", "reader-down", "state", "state-down",
]  # fmt: skip

SORTS: Final[Mapping[Sort, tuple[Column, bool]]] = {
    "newest": ("analysed", True),
    "oldest": ("analysed", False),
    "highest": ("probability", True),
    "lowest": ("probability", False),
    "patient": ("patient", False),
    "patient-down": ("patient", True),
    "exam": ("exam", False),
    "exam-down": ("exam", True),
    "outcome": ("outcome", False),
    "outcome-down": ("outcome", True),
    "file": ("file", False),
    "file-down": ("file", True),
    "reader": ("reader", False),
    "reader-down": ("reader", True),
    "state": ("state", False),
    "state-down": ("state", True),
}
"""The column of each order, and whether its greatest comes first."""


def _split(value: object) -> object:
    return tuple(value.split(",")) if isinstance(value, str) else value


Keys = Annotated[
    tuple[UUID, ...],
    BeforeValidator(_split),
    Field(min_length=1, max_length=MOST_PATIENTS),
    PlainSerializer(lambda keys: ",".join(map(str, keys)), when_used="json"),
]


class WorklistQuery(Filters):
    """What the page of the worklist may be asked for."""

    flagged: bool | None = None
    mine: bool = Field(False, description="Only what is assigned to whoever asks.")
    retired: bool = Field(False, description="Only what is retired, which is left out otherwise.")
    patient: Keys | None = Field(None, description="Keys of patients, with commas between.")
    batch: UUID | None = None
    sort: Sort = "newest"
    limit: int = Field(20, ge=1, le=MOST)
    after: UUID | None = Field(None, description="The result that the page begins behind.")
    before: UUID | None = Field(None, description="The result that the page ends before.")

    @property
    def zone(self) -> tzinfo:
        return formats.zone()
