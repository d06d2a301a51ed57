"""Every rule there is, by kind or subject, in the order in which they are told.

A rule's id begins with the key of the guideline that says so. Two guidelines that differ are two
rules: both are shown, neither is preferred.
"""

from __future__ import annotations

from typing import Final

from service.medicine.guidance.rule import Rule
from service.medicine.guidance.rules import (
    cautions,
    choices,
    contraindications,
    follow_up,
    glucocorticoids,
    lifestyle,
    ranges,
    red_flags,
    referrals,
    sequence,
    standing,
    thresholds,
)

RULES: Final[tuple[Rule, ...]] = (
    *red_flags.RULES,
    *ranges.RULES,
    *thresholds.RULES,
    *glucocorticoids.RULES,
    *choices.RULES,
    *contraindications.RULES,
    *cautions.RULES,
    *sequence.RULES,
    *follow_up.RULES,
    *referrals.RULES,
    *lifestyle.RULES,
)

STANDING: Final[tuple[Rule, ...]] = standing.RULES
"""What is told beside each drug in any case."""
