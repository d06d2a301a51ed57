"""What was done with a result, on its page; and the question before it is retired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from service.identity.actor import Actor
from service.language.formats import moment
from service.language.locale import N_, _
from service.web.forms import Field, Option, options
from service.web.page import Page
from service.worklist.schemas import WHY_RETIRED, Entry, Reader

_REASONS: Final[Mapping[str, str]] = {"": N_("Choose"), **dict(WHY_RETIRED.items())}


@dataclass(frozen=True, kw_only=True)
class Doing:
    """What ``result/doing.html`` shows on a result's page: ``doing`` in its context."""

    flagged: bool
    reader: str
    """Empty: whoever comes first."""
    assign: Field | None
    """None: there is nobody to choose from, as where nobody signs in."""
    retired: str
    """Since when it is retired, and why."""

    @classmethod
    def of(cls, entry: Entry, readers: Sequence[Reader], actor: Actor) -> Doing:
        chosen = str(entry.assigned_to or "")
        people = [Option(value="", label=_("Whoever comes first"), selected=not chosen)]
        people += [
            Option(
                value=str(one.id),
                label=_("%(name)s (you)", name=one.name) if one.id == actor.id else one.name,
                selected=str(one.id) == chosen,
            )
            for one in readers
        ]
        assign = Field(
            name="person", id="person", label=_("Who reads it"), kind="select", value=chosen,
            options=tuple(people),
        )  # fmt: skip
        return cls(
            flagged=entry.flagged_at is not None,
            reader=entry.reader or "",
            assign=assign if readers else None,
            retired=retired(entry),
        )


def retired(entry: Entry) -> str:
    """Return since when and why a result is retired, empty where it is not."""
    if entry.retired_at is None:
        return ""
    said = _("Retired on %(when)s.", when=moment(entry.retired_at))
    if entry.retired_reason is None:
        return said
    return f"{said} {_(WHY_RETIRED[entry.retired_reason])}."


@dataclass(frozen=True, kw_only=True)
class RetirePage(Page):
    """Nothing is retired by a link: this page asks for the reason."""

    templates = ("retire.html",)
    section = "/history"

    id: str
    retired: str
    reason: Field

    @classmethod
    def of(cls, id: UUID, entry: Entry, *, missing: bool = False) -> RetirePage:
        """``missing``: a reason was not given just now."""
        reason = Field(
            name="reason",
            id="reason",
            label=_("Why"),
            kind="select",
            options=options(_REASONS, entry.retired_reason or ""),
            error=_("This is needed.") if missing else "",
            required=True,
        )
        return cls(id=str(id), retired=retired(entry), reason=reason)
