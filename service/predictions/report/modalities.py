"""What other modalities say as a small table of the sheet, side by side with T-score and image."""

from __future__ import annotations

from typing import Final

from reportlab.platypus import Flowable, Spacer, Table

from service.language.locale import _
from service.medicine.modalities.view import ModalitiesCard
from service.predictions.report.measures import FLUSH, RIGHT
from service.predictions.report.typography import INK, RULE, SOFT, WARN, text

_SHARES: Final = (0.28, 0.52, 0.20)


def modalities(card: ModalitiesCard) -> list[Flowable]:
    """Return heading, numbers and what they have in common; nothing where nothing was entered."""
    if not card.entered:
        return []
    heads = (_("Source"), _("Measured"), _("Reads"))
    rows = [
        [text(head, 6.5, colour=SOFT) for head in heads],
        *(
            [text(one.name, 7, bold=True), text(one.value, 7), text(one.reading, 7)]
            for one in card.rows
        ),
    ]
    differs = card.agreement == "conflict"
    notes = [f"{one.name}: {' '.join(one.notes)}" for one in card.rows if one.notes]
    told = [*card.details, *notes]
    if card.missing:
        told.append(
            _("Not measured, and nothing stands in for it: %(sources)s.", sources=card.missing)
        )
    told.append(_("Compared, not combined; none of them is a class."))
    return [
        Spacer(0, 8),
        text(_("Modalities side by side"), 8, bold=True),
        text(card.said, 7.5, colour=WARN if differs else INK, bold=differs),
        Table(
            rows,
            colWidths=[RIGHT * share for share in _SHARES],
            style=[
                *FLUSH,
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("LINEABOVE", (0, 1), (-1, 1), 0.4, RULE),
            ],
        ),
        text(" ".join(told), 6.5, colour=SOFT),
    ]
