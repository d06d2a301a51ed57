"""What scanners measured as a small table of the sheet: theirs, beside what models say."""

from __future__ import annotations

from typing import Final

from reportlab.platypus import Flowable, Spacer, Table

from service.exams.measured_contexts import MeasuredTable
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
    heads = (_("Region"), _("BMD, g/cm²"), _("T-score"), _("Z-score"))
    rows = [
        [text(head, 6.5, colour=SOFT) for head in heads],
        *(
            [text(one.region, 7, bold=True), *(text(it, 7) for it in values)]
            for one in table.rows[:MOST_ROWS]
            for values in ((one.bmd, one.t_score, one.z_score),)
        ),
    ]
    said = [_("As the scanner’s own objects say: %(sources)s.", sources="; ".join(table.sources))]
    if len(table.rows) > MOST_ROWS:
        said.append(_("More regions are on the result’s page."))
    if table.left_out:
        said.append(f"{_('Told, and not taken:')} {'; '.join(table.left_out)}.")
    return [
        Spacer(0, 8),
        text(_("Measured by the scanner"), 8, bold=True),
        *(text(one, 7.5, colour=WARN, bold=True, bullet=True) for one in table.conflicts),
        Table(
            rows,
            colWidths=[RIGHT * share for share in _SHARES],
            style=[
                *FLUSH,
                ("RIGHTPADDING", (0, 0), (0, -1), 4),
                ("LINEABOVE", (0, 1), (-1, 1), 0.4, RULE),
            ],
        ),
        text(" ".join(said), 6.5, colour=SOFT),
    ]
