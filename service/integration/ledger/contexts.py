"""What the queue's templates show."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from service.integration.ledger.schemas import Balance, Line
from service.language.formats import moment
from service.language.locale import N_, _
from service.web.forms import Field
from service.web.page import Page

LONGEST_REASON: Final = 64
"""Characters, as the ledger's column has them."""

KINDS: Final[Mapping[str, str]] = {
    "case": N_("Study"),
    "object": N_("Image"),
    "delivery": N_("Delivery"),
    "commitment": N_("Question about storage"),
    "pull": N_("Question to an archive"),
}
STATES: Final[Mapping[str, str]] = {
    "receiving": N_("Images arrive"),
    "settling": N_("Waits for further images"),
    "ready": N_("Is analysed"),
    "judged": N_("Results are made"),
    "composed": N_("Results are made"),
    "quarantined": N_("In quarantine"),
    "waiting": N_("Waits to be sent"),
    "sending": N_("Is sent"),
    "committing": N_("Waits for its confirmation"),
    "held": N_("Waits for a signature"),
    "asked": N_("Waits for the archive"),
    "fetching": N_("Is fetched"),
    "dead": N_("Given up"),
}
REASONS: Final[Mapping[str, str]] = {
    "other_bytes": N_("Its number was used for another image."),
    "other_patient": N_("The study has images of another patient."),
    "too_many_results": N_("More results a day than are allowed of one study."),
    "nothing_held": N_("None of its images is kept any more."),
    "no_destination": N_("None of the destinations that its rule names is there any more."),
    "failed": N_("It failed in a way that nobody foresaw."),
    "unreachable": N_("Nobody answers at this address."),
    "no_answer": N_("The other side did not answer in time."),
    "cut off": N_("The connection broke."),
    "tls": N_("No encrypted connection came about."),
    "certificate_unreadable": N_("The certificate cannot be read."),
    "secret_unreadable": N_("The password, token or key for it cannot be read."),
    "no_token": N_("What it gave instead of a token is none."),
    "no_token_endpoint": N_("It does not say where it gives tokens."),
    "no_such_algorithm": N_("It does not take what our key signs with."),
    "no_acknowledgement": N_("The other side did not say that it has it."),
    "not_confirmed": N_("The other side did not say that it has it."),
    "not_committed": N_("The other side did not say that it has all of it."),
    "purged": N_("What was to be sent has been removed."),
    "rejected": N_("The other side rejects the association: it may not know our title."),
    "no_context": N_("The other side offers no service for it."),
    "too_many": N_("More studies fit the question than may be fetched."),
    "nothing_came": N_("The archive has sent none of the objects of a study."),
    "incomplete": N_("The archive could not send all objects of a study."),
    "answered A700": N_("The archive has no means to answer now."),
    "answered A701": N_("The archive has no means to count what fits now."),
    "answered A702": N_("The archive has no means to send now."),
    "answered A801": N_("The archive does not know the title that it is to send to."),
    "answered A900": N_("The archive does not understand the question."),
    "answered 0122": N_("The archive offers no such service."),
    "answered 0124": N_("The archive does not allow it."),
    "answered 0211": N_("The archive does not know this kind of request."),
    "answered FE00": N_("The archive has given it up."),
    "left": N_("The destination is not in the file of peers any more."),
}
BUCKETS: Final[Mapping[str, str]] = {
    "accepted": N_("Received"),
    "delivered": N_("Delivered"),
    "superseded": N_("Replaced by a later result"),
    "in_progress": N_("In progress"),
    "ignored": N_("Ignored"),
    "quarantined": N_("In quarantine"),
    "discarded": N_("Discarded"),
    "dead": N_("Given up"),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the ledger in words. ``can_restart``, ``can_discard``: what may be decided."""

    id: str
    kind: str
    state: str
    needs: bool
    """Whether nothing happens until a person decides."""
    why: str
    about: str
    since: str
    detail: str
    can_restart: bool
    can_discard: bool

    @classmethod
    def of(cls, line: Line) -> Row:
        needs = line.state in ("dead", "quarantined")
        return cls(
            id=str(line.id),
            kind=_(KINDS[line.kind]),
            state=_(STATES.get(line.state, line.state)),
            needs=needs,
            why=why(line.reason),
            about=line.about,
            since=moment(line.since),
            detail=line.detail or "",
            can_restart=needs and line.kind != "object",
            can_discard=needs
            or (line.kind == "delivery" and line.state in ("waiting", "committing", "held"))
            or (line.kind == "commitment" and line.state == "waiting")
            or (line.kind == "pull" and line.state in ("asked", "fetching")),
        )


def why(reason: str | None) -> str:
    """Return a reason in words, one that is not known as the ledger has it."""
    if reason is None:
        return ""
    kind, colon, rule = reason.partition(":")
    if colon and kind == "rule":
        return _("By the rule %(name)s.", name=rule)
    return _(REASONS[reason]) if reason in REASONS else reason


@dataclass(frozen=True, kw_only=True)
class QueuePage(Page):
    templates = ("queue.html",)

    rows: tuple[Row, ...]
    counts: tuple[tuple[str, int], ...]
    unaccounted: int
    most: int
    """Lines beyond so many are not shown."""

    @classmethod
    def of(cls, lines: Iterable[Line], balance: Balance, most: int) -> QueuePage:
        told = dataclasses.asdict(balance)
        return cls(
            rows=tuple(Row.of(line) for line in lines),
            counts=tuple((_(label), told[name]) for name, label in BUCKETS.items()),
            unaccounted=balance.unaccounted,
            most=most,
        )


@dataclass(frozen=True, kw_only=True)
class DiscardPage(Page):
    """Nothing is given up by a link: this page asks for the reason."""

    templates = ("discard.html",)
    section = "/queue"

    id: str
    reason: Field

    @classmethod
    def of(cls, id: UUID, typed: str | None = None) -> DiscardPage:
        """``typed``: the reason that was sent just now."""
        error = ""
        if typed == "":
            error = _("Say why, for whoever asks later.")
        elif typed is not None and len(typed) > LONGEST_REASON:
            error = _("At most %(most)s characters.", most=LONGEST_REASON)
        return cls(
            id=str(id),
            reason=Field(
                name="reason", id="reason", label=_("Reason"), value=typed or "", error=error,
                hint=_("It is kept beside it. No name and no number of a patient."),
                required=True, maxlength=LONGEST_REASON,
            ),
        )  # fmt: skip
