"""What scanners measured, and what was entered, as small tables of the sheet beside the models'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reportlab.platypus import Flowable, Spacer, Table

from service.exams.entered_contexts import EnteredRow, EnteredTable
from service.exams.measured_contexts import MeasuredRow, MeasuredTable
from service.language.locale import _
from service.predictions.report.measures import FLUSH, RIGHT
from service.predictions.report.typography import RULE, SOFT, WARN, text

MOST_ROWS: Final = 10
"""Of a spine and both hips; more would make the whole sheet's letters small."""
_SHARES: Final = (0.54, 0.18, 0.14, 0.14)


def measured(table: MeasuredTable) -> list[Flowable]:
    """Return heading, numbers, and what differs from them; nothing where no number was taken."""
    if not table.rows:
        return []
    said = [_("As the scanner’s own objects say: %(sources)s.", sources="; ".join(table.sources))]
    if len(table.rows) > MOST_ROWS:
        said.append(_("More regions are on the result’s page."))
    if table.left_out:
        said.append(f"{_('Told, and not taken:')} {'; '.join(table.left_out)}.")
    return [
        Spacer(0, 8),
        text(_("Measured by the scanner"), 8, bold=True),
        *(text(one, 7.5, colour=WARN, bold=True, bullet=True) for one in table.conflicts),
        _numbers(table.rows),
        text(" ".join(said), 6.5, colour=SOFT),
    ]


def entered(table: EnteredTable) -> list[Flowable]:
    """Return heading and numbers; nothing where there is no more than what stands in the head."""
    if not table.is_of_more:
        return []
    by = dict.fromkeys(one.by for one in table.rows if one.by)
    said = [_("Entered by: %(names)s.", names="; ".join(by))] if by else []
    if len(table.rows) > MOST_ROWS:
        said.append(_("More regions are on the result’s page."))
    return [
        Spacer(0, 8),
        text(_("Entered by hand"), 8, bold=True),
        _numbers(table.rows),
        *([text(" ".join(said), 6.5, colour=SOFT)] if said else []),
    ]


def _numbers(rows: Sequence[MeasuredRow] | Sequence[EnteredRow]) -> Table:
    heads = (_("Region"), _("BMD, g/cm²"), _("T-score"), _("Z-score"))
    cells = [
        [text(head, 6.5, colour=SOFT) for head in heads],
        *(
            [text(one.region, 7, bold=True), *(text(it, 7) for it in values)]
            for one in rows[:MOST_ROWS]
            for values in ((one.bmd, one.t_score, one.z_score),)
        ),
    ]
    return Table(
        cells,
        colWidths=[RIGHT * share for share in _SHARES],
        style=[
            *FLUSH,
            ("RIGHTPADDING", (0, 0), (0, -1), 4),
            ("LINEABOVE", (0, 1), (-1, 1), 0.4, RULE),
        ],
    )
