"""Sending many images at once, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.batches.schemas import Batch, BatchState, Line, Sent
from service.language.formats import moment, number
from service.language.locale import N_, SOURCE, _, current, ngettext
from service.medicine.osteoporosis.wording import HEADINGS
from service.predictions.history_contexts import HistoryRow
from service.predictions.home_contexts import ACCEPT
from service.web.page import Page

_STATES: Final[Mapping[BatchState, str]] = {
    "running": N_("Running"),
    "finished": N_("Finished"),
    "cancelled": N_("Cancelled"),
    "interrupted": N_("Interrupted"),
}

_SHOWN: Final[Mapping[str, str]] = {
    "": N_("All"),
    **dict(HEADINGS.items()),
    "problem": N_("Without a result"),
}
SHOWN: Final = frozenset(_SHOWN)
"""What a batch's page may be asked to show: one outcome, or what has none."""


@dataclass(frozen=True, kw_only=True)
class SentRow:
    """One of one's own batches."""

    id: str
    when: str
    when_iso: str
    state_word: str
    told: str

    @classmethod
    def of(cls, sent: Sent) -> SentRow:
        told = _progress(sent.finished, sent.total)
        if sent.failed:
            told += " · " + _("%(failed)s without a result", failed=number(sent.failed))
        return cls(
            id=str(sent.id),
            when=moment(sent.created_at),
            when_iso=sent.created_at.isoformat(),
            state_word=_(_STATES[sent.state]),
            told=told,
        )


@dataclass(frozen=True, kw_only=True)
class BulkPage(Page):
    templates = ("bulk.html",)

    max_items: int
    max_size: str
    max_bytes: int
    keeps_names: bool
    sent: tuple[SentRow, ...]
    accept: str = ACCEPT + ",.zip,application/zip"


@dataclass(frozen=True, kw_only=True)
class BulkRow:
    """One finished image: ``result`` or ``problem``."""

    position: int
    """Counts from 1, as people do."""
    name: str
    """What the reader calls the file, where they sent it and it has a result."""
    result: HistoryRow | None
    problem: str
    problem_detail: str
    detail_language: str
    """Details that quote a file's own facts are English in every language."""

    @classmethod
    def of(cls, line: Line, name: str = "") -> BulkRow:
        problem = line.problem or {}
        title, detail = problem.get("title", ""), problem.get("detail", "")
        said = _(detail) if detail else ""
        return cls(
            position=line.index + 1,
            name=name,
            result=None if line.prediction is None else HistoryRow.of(line.prediction),
            problem=_(title) if title else "",
            problem_detail=said,
            detail_language=SOURCE if said == detail else current().code,
        )

    @property
    def kind(self) -> str:
        """Under which of :data:`SHOWN` it stands; empty for a result that cannot be read here."""
        if self.result is None:
            return "problem"
        return self.result.outcome or ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A link to a batch's images of one kind, with how many there are."""

    label: str
    count: str
    address: str
    current: bool


@dataclass(frozen=True, kw_only=True)
class BatchPage(Page):
    templates = ("batch.html",)
    section = "/bulk"

    id: str
    state: BatchState
    state_word: str
    running: bool
    finished: int
    total: int
    progress: str
    remaining: str
    """Positions that have no answer and, unless it runs, will get none."""
    left: bool
    """Whether some images have no result, nor will get one unless they are sent again."""
    parts: tuple[Part, ...]
    rows: tuple[BulkRow, ...]
    accept: str = ACCEPT + ",.zip,application/zip"

    @classmethod
    def of(
        cls, batch: Batch, lines: Sequence[Line], names: Mapping[int, str], show: str = ""
    ) -> BatchPage:
        """``names``: of files, by position; ``show``: one of :data:`SHOWN`."""
        rows = tuple(
            BulkRow.of(line, names.get(line.index, ""))
            for line in sorted(lines, key=lambda line: line.index)
        )
        counts = Counter(row.kind for row in rows)
        counts[""] = len(rows)
        here = f"/bulk/{batch.id}"
        return cls(
            id=str(batch.id),
            state=batch.state,
            state_word=_(_STATES[batch.state]),
            running=batch.state == "running",
            finished=batch.finished,
            total=batch.total,
            progress=_progress(batch.finished, batch.total),
            remaining="" if batch.state == "running" else _spans(batch.remaining),
            left=batch.state != "running" and bool(batch.remaining or counts["problem"]),
            parts=tuple(
                Part(
                    label=_(label),
                    count=number(counts[kind]),
                    address=f"{here}?show={kind}" if kind else here,
                    current=kind == show,
                )
                for kind, label in _SHOWN.items()
                if counts[kind] or kind in ("", show)
            ),
            rows=tuple(row for row in rows if show in ("", row.kind)),
        )


def _progress(finished: int, total: int) -> str:
    return ngettext(
        "%(finished)s of %(num)s image finished",
        "%(finished)s of %(num)s images finished",
        total,
        finished=number(finished),
    )


def _spans(positions: Sequence[int]) -> str:
    """Write 0, 1, 2, 5 as ``1–3, 6``: positions as people count them."""
    spans: list[list[int]] = []
    for position in positions:
        if spans and spans[-1][1] == position:
            spans[-1][1] = position + 1
        else:
            spans.append([position + 1, position + 1])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in spans)
