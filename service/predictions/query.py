"""Lists of predictions: what may be asked for, and the cursor that leads from page to page.

A page is found by key, not by counting: results that arrive in between shift nothing, none is shown
twice and none left out. Nothing that can be asked for here says who a patient is, since it stands
in addresses.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final, Literal, Protocol, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from service.types import Outcome

MOST: Final = 100

Sort = Literal["newest", "oldest", "highest", "lowest"]


class Placed(Protocol):
    """What a result's place in a list depends on."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime: ...

    @property
    def probability(self) -> float | None: ...


class CursorError(ValueError):
    """The cursor is not one that was given out for this order."""


class Position(BaseModel):
    """The last result of a page: its place in ``sort``, and its id where places are shared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sort: Sort
    value: datetime | Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
    id: UUID

    def cursor(self) -> str:
        fields = [self.sort, *self.model_dump(mode="json", include={"value", "id"}).values()]
        packed = json.dumps(fields, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def of(cls, placed: Placed, sort: Sort) -> Position:
        by_time = sort in ("newest", "oldest")
        value = placed.created_at if by_time else rank(placed.probability)
        return cls(sort=sort, value=value, id=placed.id)

    @classmethod
    def read(cls, cursor: str, sort: Sort) -> Position:
        """Return the position in ``cursor``. Raises :class:`CursorError`."""
        try:
            packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            fields = _FIELDS.validate_json(packed, strict=True)
            position = cls(sort=fields[0], value=fields[1], id=fields[2])
            # One made by hand may hold a time that no calendar has once it is in UTC.
            if isinstance(position.value, datetime):
                position.value.astimezone(UTC)
        except (ValueError, OverflowError, binascii.Error, ValidationError):
            raise CursorError("no cursor of ours") from None
        by_time = isinstance(position.value, datetime)
        if position.sort != sort or by_time != (sort in ("newest", "oldest")):
            raise CursorError("a cursor of another order")
        if isinstance(position.value, datetime) and position.value.tzinfo is None:
            raise CursorError("a time without its zone")
        return position


_FIELDS: Final = TypeAdapter(tuple[Sort, datetime | float, UUID])


def rank(probability: float | None) -> float:
    """Refused images have no probability; they rank below all that have."""
    return -1.0 if probability is None else probability


def _written(value: object) -> object:
    """Pydantic would take seconds since 1970 for a day as well; the document does not say so."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("not a day as YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_written)]


class Filters(BaseModel):
    """What a list may be narrowed by; the names are those of the parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    outcome: Outcome | None = Field(None, description="Only results with this outcome.")
    degraded: bool | None = Field(None, description="Only those with, or without, all models.")
    reviewed: bool | None = Field(None, description="Only those that were, or were not, reviewed.")
    since: Day | None = Field(
        None, alias="from", description="Analysed on this day (UTC) or later; YYYY-MM-DD."
    )
    until: Day | None = Field(
        None, alias="to", description="Analysed on this day (UTC) or earlier; YYYY-MM-DD."
    )
    image: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="SHA-256 of the file as it was sent."
    )
    id: str | None = Field(
        None, pattern="^[0-9a-f-]{1,36}$", description="What the result's id begins with."
    )
    version: str | None = Field(
        None,
        pattern="^sha256:[0-9a-f]{64}$",
        description="Only what this version judged: the stack's, or a base model's in its absence.",
    )

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("from is after to")
        return self

    @property
    def zone(self) -> tzinfo:
        """Where the days asked for begin."""
        return UTC

    @property
    def first(self) -> datetime | None:
        """The first moment of the days asked for."""
        return None if self.since is None else _midnight(self.since, self.zone)

    @property
    def end(self) -> datetime | None:
        """The first moment after them; None as well where the calendar ends."""
        if self.until is None or self.until == date.max:
            return None
        return _midnight(self.until + timedelta(days=1), self.zone)

    @property
    def ids(self) -> tuple[UUID, UUID] | None:
        """The lowest and highest id with the beginning asked for."""
        if self.id is None:
            return None
        digits = self.id.replace("-", "")[:32]
        return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


class Query(Filters):
    """What the API's list may be asked for."""

    retired: bool | None = Field(
        False,
        description="Only what somebody has retired, as a duplicate or under another patient; it "
        "is left out otherwise.",
    )
    """None: both; an address cannot ask for that."""

    sort: Sort = Field(
        "newest", description="By time, or by probability with refused images as the lowest."
    )
    limit: int = Field(20, ge=1, le=MOST, description="Most results in the answer.")
    after: str | None = Field(
        None, max_length=200, description="The cursor in `next` of the page before."
    )

    @property
    def position(self) -> Position | None:
        """Where the page before ended. Raises :class:`CursorError`."""
        return None if self.after is None else Position.read(self.after, self.sort)


def _midnight(day: date, zone: tzinfo) -> datetime:
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        # The calendar's first or last day, which begins elsewhere before it or ends after it.
        return datetime.combine(day, time(), UTC)
