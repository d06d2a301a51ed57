"""What a rule is: a guideline's statement, and the facts under which it is worth considering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from service.medicine.drugs import Drug
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding

Kind = Literal[
    "red_flag", "range", "threshold", "choice", "contraindication", "caution", "follow_up",
    "referral", "lifestyle",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Rule:
    """``text`` is English and a key of the catalogues; it never orders, it says who advises what.

    ``strength`` is the guideline's own grade of this statement, None where we hold none.
    ``drugs`` are those that a choice or a follow-up names to be taken, and ``then`` those after
    them: they stand beside ``text`` and never in it, so that each can be struck out. Of a
    contraindication or a caution ``drugs`` are those that it is about. ``treats``: by this
    threshold the guideline would treat.
    """

    id: str
    kind: Kind
    text: str
    when: Callable[[Facts], Finding]
    strength: str | None = None
    drugs: tuple[Drug, ...] = ()
    then: tuple[Drug, ...] = ()
    treats: bool = False

    @property
    def guideline(self) -> str:
        """The key in ``GUIDELINES`` of who says so."""
        return self.id.partition(".")[0]
