"""A site's use as a table for programs: a row for each count that is not nought."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.usage.schemas import Month, Use
from service.web.tables import Cell

COLUMNS: Final = ("month", "measure", "of", "count")


def rows(use: Use) -> Iterator[tuple[Cell, ...]]:
    """Yield months in order, then versions: with the day of their first result as month."""
    for month in use.months:
        for measure, of, count in _counts(month):
            if count:
                yield f"{month.first:%Y-%m}", measure, of, count
    for one in use.versions:
        yield f"{one.first:%Y-%m-%d}", "version", one.version, one.results


def _counts(month: Month) -> Iterator[tuple[str, str, int]]:
    for outcome, count in sorted(month.outcomes.items()):
        yield "outcome", outcome, count
    yield "degraded", "", month.degraded
    yield "retired", "", month.retired
    for review in ("signed", "overridden", "withdrawn", "unread"):
        yield "review", review, getattr(month, review)
    for reason, count in sorted(month.refusals.items()):
        yield "refusal", reason, count
    for (density, outcome), count in sorted(month.beside.items()):
        yield "t_score", f"{density}/{outcome}", count
