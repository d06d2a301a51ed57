"""What the page of retention and legal holds is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from service.holds.schemas import Hold
from service.language.formats import moment
from service.language.locale import N_, _
from service.retention.settings import KINDS, Days, Kind
from service.web.forms import Field
from service.web.page import Page

KIND_NAMES: Final[Mapping[Kind, str]] = {
    "images": N_("Images and heat maps; the result stays"),
    "results": N_("Results that nobody has signed"),
    "signed": N_("Signed or overridden results, with their reviews"),
    "audit": N_("The oldest part of the trail, of all sites"),
}

_OBJECTS: Final = {"patient": N_("Patient"), "result": N_("Result")}


@dataclass(frozen=True, kw_only=True)
class KindRow:
    name: str
    days: int | None
    """None: all is kept."""
    due: int | None
    """None: it is not counted."""

    @classmethod
    def of(cls, kind: Kind, days: Days, due: Mapping[Kind, int]) -> KindRow:
        return cls(name=_(KIND_NAMES[kind]), days=days.get(kind), due=due.get(kind))


@dataclass(frozen=True, kw_only=True)
class HoldRow:
    id: UUID
    what: str
    object_id: UUID
    reason: str
    placed: str
    by: str
    """The number of whose account it was; empty: the command line's."""
    released: str
    """Empty: it is open."""

    @classmethod
    def of(cls, hold: Hold) -> HoldRow:
        return cls(
            id=hold.id,
            what=_(_OBJECTS[hold.object_kind]),
            object_id=hold.object_id,
            reason=hold.reason,
            placed=moment(hold.placed_at),
            by="" if hold.placed_by is None else str(hold.placed_by),
            released="" if hold.released_at is None else moment(hold.released_at),
        )


@dataclass(frozen=True, kw_only=True)
class RetentionPage(Page):
    templates = ("retention.html",)

    site: str
    kinds: tuple[KindRow, ...]
    holds: tuple[HoldRow, ...]
    every: bool
    """Those that were released are shown as well."""
    fields: tuple[Field, ...]

    @classmethod
    def of(
        cls,
        site: str,
        days: Days,
        due: Mapping[Kind, int],
        holds: tuple[Hold, ...],
        fields: tuple[Field, ...],
        *,
        every: bool = False,
    ) -> RetentionPage:
        return cls(
            site=site,
            kinds=tuple(KindRow.of(kind, days, due) for kind in KINDS),
            holds=tuple(HoldRow.of(one) for one in reversed(holds)),
            every=every,
            fields=fields,
        )
