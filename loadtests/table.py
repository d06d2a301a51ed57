"""One table of texts, for a terminal or a Markdown page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """The first column is set left, the others right."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> list[str]:
        """Return its lines, columns two blanks apart."""
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return [
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]

    def markdown(self) -> str:
        rule = "|---|" + "---:|" * (len(self.head) - 1)
        first, *rest = (f"| {' | '.join(line)} |" for line in (self.head, *self.rows))
        return "\n".join((first, rule, *rest)) + "\n"
