"""Grades of a lateral image's vertebrae, by points that a reader kept, as a table of the sheet."""

from __future__ import annotations

from typing import Final

from reportlab.platypus import Flowable, Spacer, Table

from service.language.locale import _
from service.medicine.morphometry.view import HeightsCard
from service.predictions.report.measures import FLUSH, RIGHT
from service.predictions.report.typography import RULE, SOFT, WARN, text

_SHARES: Final = (0.12, 0.23, 0.39, 0.26)


def heights(card: HeightsCard) -> list[Flowable]:
    """Return heading, who kept the points, heights and grades, and what came after a signature."""
    late = [text(card.late, 7.5, colour=WARN, bold=True)] if card.late else []
    source = _(
        "Heights of front, middle and back in pixels; grades by the points alone (%(source)s).",
        source=card.source,
    )
    return [
        Spacer(0, 8),
        text(_("Vertebral heights in a lateral image"), 8, bold=True),
        *late,
        text(f"{card.said}, {card.when}.", 7.5),
        *([_table(card), text(source, 6.5, colour=SOFT)] if card.rows else []),
    ]


def _table(card: HeightsCard) -> Table:
    heads = (_("Vertebra"), _("Heights, px"), _("By Genant"), _("Points"))
    rows = [
        [text(head, 6.5, colour=SOFT) for head in heads],
        *(
            [
                text(one.level, 7, bold=True),
                text(f"{one.front} · {one.middle} · {one.back}", 7),
                text(one.graded, 7, bold=one.low),
                text(one.origin, 6.5),
            ]
            for one in card.rows
        ),
    ]
    return Table(
        rows,
        colWidths=[RIGHT * share for share in _SHARES],
        style=[
            *FLUSH,
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("LINEABOVE", (0, 1), (-1, 1), 0.4, RULE),
        ],
    )
