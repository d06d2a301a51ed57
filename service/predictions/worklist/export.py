"""The worklist as a table: by codes for programs (CSV), in words for people (XLSX)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from service.language.formats import moment
from service.language.locale import N_, _
from service.medicine.osteoporosis.view import probability, told
from service.medicine.osteoporosis.wording import HEADINGS
from service.predictions.schemas import Prediction
from service.predictions.worklist.findings import codes, short
from service.predictions.worklist.schemas import Listed
from service.web.tables import Cell

COLUMNS: Final[Mapping[str, tuple[str, int]]] = {
    "result": (N_("Result"), 38),
    "analysed": (N_("Analysed"), 26),
    "patient": (N_("Patient"), 18),
    "exam_date": (N_("Scan"), 12),
    "outcome": (N_("Outcome"), 22),
    "models_outcome": (N_("Outcome by the models"), 22),
    "probability": (N_("Probability"), 12),
    "findings": (N_("Findings"), 40),
    "review": (N_("Review"), 14),
    "reviewed_at": (N_("Reviewed"), 26),
    "reviewer": (N_("Reviewer"), 20),
    "remark": (N_("Remark"), 40),
    "reader": (N_("Who reads it"), 20),
    "flagged": (N_("Flagged"), 9),
    "retired": (N_("Retired"), 26),
    "file": (N_("Your file"), 24),
    "sha256": (N_("SHA-256 of the file"), 20),
    "version": (N_("Model version that judged"), 20),
}
"""Each column\'s stable name, in their order, with its heading for people and its width."""

_WORDS: Final[Mapping[str, str]] = {
    **dict(HEADINGS.items()),
    "sign": N_("Signed"),
    "override": N_("Overridden"),
}


def cells(listed: Listed, *, in_words: bool) -> tuple[Cell, ...]:
    """Return a cell for each of :data:`COLUMNS`, by codes or in the current language."""
    result, entry = listed.result, listed.entry
    found = result if isinstance(result, Prediction) else None
    review = found.review if found else None
    models = told(found) if found else None
    outcome = review.outcome if review else models

    def time(value: datetime | None) -> str:
        if value is None:
            return ""
        return moment(value) if in_words else value.isoformat()

    def word(code: str | None) -> str:
        if code is None:
            return ""
        return _(_WORDS[code]) if in_words else code

    unread = _("Unread") if in_words else "unread"
    noticed = () if found is None else short(found) if in_words else codes(found)
    return (
        str(result.id),
        time(result.created_at),
        listed.patient,
        "" if listed.acquired_on is None else listed.acquired_on.isoformat(),
        word(outcome),
        word(models),
        None if found is None else _sure(found.probability, in_words=in_words),
        "; ".join(noticed),
        word(review.action) if review else unread,
        time(review.created_at) if review else "",
        review.reviewer if review else "",
        (review.reason or "") if review else "",
        entry.reader or "",
        int(entry.flagged_at is not None),
        time(entry.retired_at),
        listed.file_name or "",
        found.image.sha256 if found else "",
        (found.version or "") if found else "",
    )


def _sure(value: float | None, *, in_words: bool) -> Cell:
    """Return a probability as pages tell it; by codes in hundredths, of which none is finer."""
    if in_words or value is None:
        return probability(value)
    return round(value, 2)
