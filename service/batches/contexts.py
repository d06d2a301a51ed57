"""Sending many images at once, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.batches.schemas import Batch, BatchState, Line
from service.language.formats import number
from service.language.locale import N_, _, ngettext
from service.predictions.history_contexts import HistoryRow
from service.predictions.home_contexts import ACCEPT
from service.web.page import Page

_STATES: Final[Mapping[BatchState, str]] = {
    "running": N_("Running"),
    "finished": N_("Finished"),
    "cancelled": N_("Cancelled"),
    "interrupted": N_("Interrupted"),
}


@dataclass(frozen=True, kw_only=True)
class BulkPage(Page):
    templates = ("bulk.html",)

    max_items: int
    max_size: str
    max_bytes: int
    keeps_names: bool
    accept: str = ACCEPT + ",.zip,application/zip"


@dataclass(frozen=True, kw_only=True)
class BulkRow:
    """One finished image: ``result`` or ``problem``."""

    position: int
    """Counts from 1, as people do."""
    result: HistoryRow | None
    problem: str
    problem_detail: str

    @classmethod
    def of(cls, line: Line) -> BulkRow:
        problem = line.problem or {}
        title, detail = problem.get("title", ""), problem.get("detail", "")
        return cls(
            position=line.index + 1,
            result=None if line.prediction is None else HistoryRow.of(line.prediction),
            problem=_(title) if title else "",
            problem_detail=_(detail) if detail else "",
        )


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
    rows: tuple[BulkRow, ...]

    @classmethod
    def of(cls, batch: Batch, lines: Sequence[Line]) -> BatchPage:
        return cls(
            id=str(batch.id),
            state=batch.state,
            state_word=_(_STATES[batch.state]),
            running=batch.state == "running",
            finished=batch.finished,
            total=batch.total,
            progress=ngettext(
                "%(finished)s of %(num)s image finished",
                "%(finished)s of %(num)s images finished",
                batch.total,
                finished=number(batch.finished),
            ),
            remaining="" if batch.state == "running" else _spans(batch.remaining),
            rows=tuple(BulkRow.of(line) for line in sorted(lines, key=lambda line: line.index)),
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
