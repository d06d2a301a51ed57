"""Every rule there is, one module a kind, in the order in which a page shows them.

A rule's id begins with the key of the guideline that says so. Two guidelines that differ are two
rules: both are shown, neither is preferred.
"""

from __future__ import annotations

from typing import Final

from service.medicine.guidance.rule import Rule
from service.medicine.guidance.rules import (
    cautions,
    choices,
    follow_up,
    lifestyle,
    ranges,
    red_flags,
    referrals,
    thresholds,
)

RULES: Final[tuple[Rule, ...]] = (
    *red_flags.RULES,
    *ranges.RULES,
    *thresholds.RULES,
    *choices.RULES,
    *cautions.RULES,
    *follow_up.RULES,
    *referrals.RULES,
    *lifestyle.RULES,
)
