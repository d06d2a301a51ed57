"""The page of the worklist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from service.language.formats import day, number
from service.language.locale import N_, _
from service.medicine.osteoporosis.wording import HEADINGS
from service.predictions.history_contexts import HistoryRow
from service.predictions.schemas import Prediction
from service.predictions.worklist.findings import short
from service.predictions.worklist.query import LIMITS, SORTS, Column, Sort, WorklistQuery
from service.predictions.worklist.schemas import Listed, ListPage
from service.web.forms import Field, options
from service.web.page import Page
from service.worklist.contexts import retired

ADDRESS: Final = "/history"

_ANY: Final = {"": N_("Any")}
_OUTCOMES: Final[Mapping[str, str]] = {**_ANY, **dict(HEADINGS.items())}
_MODELS: Final[Mapping[str, str]] = {
    **_ANY,
    "false": N_("All models answered"),
    "true": N_("Degraded: a model is missing"),
}
_REVIEWED: Final[Mapping[str, str]] = {
    **_ANY,
    "true": N_("Read: signed or overridden"),
    "false": N_("Unread"),
}
_FLAGGED: Final[Mapping[str, str]] = {**_ANY, "true": N_("Flagged"), "false": N_("Not flagged")}

_COLUMNS: Final[Mapping[Column, tuple[str, Sort, Sort]]] = {
    "patient": (N_("Patient"), "patient", "patient-down"),
    "exam": (N_("Scan"), "exam-down", "exam"),
    "outcome": (N_("Outcome"), "outcome", "outcome-down"),
    "state": (N_("Review"), "state", "state-down"),
    "reader": (N_("Who reads it"), "reader", "reader-down"),
    "file": (N_("Your file"), "file", "file-down"),
    "analysed": (N_("Analysed"), "newest", "oldest"),
}
"""Headings of the columns that one can order by, with the first order of each and its reverse."""


@dataclass(frozen=True, kw_only=True)
class Heading:
    name: str
    label: str
    address: str
    """Of the list in this column's order, the other way round where it is in it already."""
    sorted: str
    """An ``aria-sort`` value, empty where the list is in another column's order."""


@dataclass(frozen=True, kw_only=True)
class ListedRow:
    known: HistoryRow
    patient: str
    patient_address: str | None
    acquired: str
    acquired_iso: str
    findings: tuple[str, ...]
    pictured: bool
    file_name: str
    reader: str
    flagged: bool
    retired: str

    @classmethod
    def of(cls, listed: Listed) -> ListedRow:
        result = listed.result
        acquired, key = listed.acquired_on, listed.patient_key
        return cls(
            known=HistoryRow.of(result),
            patient=listed.patient,
            patient_address=None if key is None else f"/patients/{key}",
            acquired="" if acquired is None else day(acquired),
            acquired_iso="" if acquired is None else acquired.isoformat(),
            findings=short(result) if isinstance(result, Prediction) else (),
            pictured=listed.pictured,
            file_name=listed.file_name or "",
            reader=listed.entry.reader or "",
            flagged=listed.entry.flagged_at is not None,
            retired=retired(listed.entry),
        )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A link to the same list, otherwise."""

    label: str
    address: str
    current: bool


@dataclass(frozen=True, kw_only=True)
class WorklistPage(Page):
    templates = ("worklist.html",)
    section = ADDRESS

    rows: tuple[ListedRow, ...]
    headings: tuple[Heading, ...]
    filters: tuple[Field, ...]
    kept: Mapping[str, str]
    """What the form of the filters keeps: what none of its fields says."""
    hidden: Mapping[str, str]
    """What the form that looks for patients keeps: all but those that it looked for before."""
    views: tuple[Choice, ...]
    limits: tuple[Choice, ...]
    narrowed: bool
    """Whether the filters leave anything out."""
    searched: bool
    """Whether by other filters than those of a list that is a click away."""
    patients: tuple[str, ...]
    """References of the patients whose results alone are listed."""
    all_patients: str
    """The same list of everybody."""
    finds_parts: bool
    part: str
    part_error: str
    """What was looked for in references, and why nothing came of it."""
    counted: str
    start: str | None
    previous: str | None
    following: str | None
    here: str
    """The address of this page, for forms that lead back to it."""
    csv: str
    xlsx: str
    unread: bool
    """Whether it is the list of what nobody has read."""

    @classmethod
    def of(
        cls,
        query: WorklistQuery,
        found: ListPage,
        patients: Sequence[str] = (),
        *,
        finds_parts: bool = True,
        part: str = "",
        part_error: str = "",
    ) -> WorklistPage:
        kept = _parameters(query)
        turned = {name: it for name, it in kept.items() if name not in ("after", "before")}

        def otherwise(**changes: Any) -> str:
            return _address({**turned, **changes})

        views, narrowed = tuple(_views(turned)), bool(turned.keys() - {"sort", "limit"})
        return cls(
            rows=tuple(ListedRow.of(one) for one in found.rows),
            headings=tuple(_heading(name, query.sort, otherwise) for name in _COLUMNS),
            filters=_filters(query),
            kept={name: turned[name] for name in _NO_FIELDS if name in turned},
            hidden={name: it for name, it in turned.items() if name != "patient"},
            views=views,
            limits=tuple(
                Choice(
                    label=number(limit),
                    address=otherwise(limit="" if limit == LIMITS[0] else str(limit)),
                    current=query.limit == limit,
                )
                for limit in LIMITS
            ),
            narrowed=narrowed,
            searched=narrowed and not any(one.current for one in views),
            patients=tuple(patients),
            all_patients=otherwise(patient=""),
            finds_parts=finds_parts,
            part=part,
            part_error=part_error,
            counted=_counted(query, found),
            start=otherwise() if found.ahead else None,
            previous=None if found.previous is None else otherwise(before=str(found.previous)),
            following=None if found.following is None else otherwise(after=str(found.following)),
            here=_address(kept),
            csv=_address(turned, f"{ADDRESS}/export.csv"),
            xlsx=_address(turned, f"{ADDRESS}/export.xlsx"),
            unread=query.reviewed is False,
        )


_NO_FIELDS: Final = ("sort", "limit", "batch", "patient", "version")


def _counted(query: WorklistQuery, found: ListPage) -> str:
    if not found.rows:
        return _("No results")
    values = {
        "first": number(found.ahead + 1),
        "last": number(found.ahead + len(found.rows)),
        "total": number(found.total),
        "page": number(-(-found.ahead // query.limit) + 1),
        "pages": number(-(-found.total // query.limit)),
    }
    return _("%(first)s to %(last)s of %(total)s · page %(page)s of %(pages)s", **values)


def _heading(name: Column, sort: Sort, otherwise: Callable[..., str]) -> Heading:
    label, first, reverse = _COLUMNS[name]
    column, descending = SORTS[sort]
    chosen = reverse if sort == first else first
    return Heading(
        name=name,
        label=_(label),
        address=otherwise(sort="" if chosen == "newest" else chosen),
        sorted="" if column != name else "descending" if descending else "ascending",
    )


_VIEWS: Final[Mapping[str, Mapping[str, str]]] = {
    N_("All"): {},
    N_("Unread"): {"reviewed": "false"},
    N_("Assigned to me"): {"mine": "true", "reviewed": "false"},
    N_("Flagged"): {"flagged": "true"},
    N_("Retired"): {"retired": "true"},
}
"""The lists that are a click away, by what they are narrowed by."""


def _views(turned: Mapping[str, str]) -> list[Choice]:
    order = {name: it for name, it in turned.items() if name in ("sort", "limit")}
    narrowed = {name: it for name, it in turned.items() if name not in order}
    return [
        Choice(label=_(label), address=_address({**view, **order}), current=narrowed == view)
        for label, view in _VIEWS.items()
    ]


def _filters(query: WorklistQuery) -> tuple[Field, ...]:
    """Return the fields of the form above the list, with what it was sent with."""

    def choice(name: str, label: str, labels: Mapping[str, str], chosen: str) -> Field:
        return Field(
            name=name, id=name, label=label, kind="select", value=chosen,
            options=options(labels, chosen),
        )  # fmt: skip

    def check(name: str, label: str, ticked: bool) -> Field:
        return Field(
            name=name, id=name, label=label, kind="checkbox", value="yes" if ticked else ""
        )

    def date(name: str, label: str, value: object) -> Field:
        return Field(name=name, id=name, label=label, kind="date", value=str(value or ""))

    def text(name: str, label: str, value: str | None, pattern: str) -> Field:
        return Field(name=name, id=name, label=label, value=value or "", pattern=pattern)

    return (
        choice("reviewed", _("Review"), _REVIEWED, _word(query.reviewed)),
        choice("flagged", _("Flag"), _FLAGGED, _word(query.flagged)),
        choice("outcome", _("Outcome"), _OUTCOMES, query.outcome or ""),
        choice("degraded", _("Models"), _MODELS, _word(query.degraded)),
        date("from", _("Analysed from"), query.since),
        date("to", _("Analysed until"), query.until),
        text("id", _("Result number begins with"), query.id, r"[0-9a-f\-]{1,36}"),
        text("image", _("SHA-256 of the file"), query.image, "[0-9a-f]{64}"),
        check("mine", _("Assigned to me"), query.mine),
        check("retired", _("Retired"), query.retired),
    )


def _word(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _parameters(query: WorklistQuery) -> dict[str, str]:
    kept = query.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {name: _word(it) if isinstance(it, bool) else str(it) for name, it in kept.items()}


def _address(parameters: Mapping[str, str], path: str = ADDRESS) -> str:
    told = {name: value for name, value in parameters.items() if value}
    return path + ("?" + urlencode(told, safe=",") if told else "")


def address(query: WorklistQuery) -> str:
    """Return where a list is."""
    return _address(_parameters(query))
