"""What guidelines say to consider, from facts that somebody entered. Knows no HTTP and no image.

The image's probability is not among the facts, so nothing here can follow from it.

::

    drugs           the drugs, and their classes
    facts           what may be entered: every one optional, nothing derived
    contradictions  what cannot be true of one person at once
    guidelines      who says what is said, when, and until when our reading of it holds
    logic           yes, no, or not known and for want of which facts
    person, bone    readings of the facts that many rules share
    rules/          the rules, by kind or subject
    considerations  puts facts to the rules, and drugs to what forbids them
    study           the facts that a result's study has already
    words, form     names of facts and drugs; the form's fields
    summary, drug_contexts, contexts    what the page shows
"""

from service.medicine.guidance.considerations import Answer, Consideration, Missing, consider
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.guidelines import GUIDELINES, Guideline

__all__ = ["GUIDELINES", "Answer", "Consideration", "Facts", "Guideline", "Missing", "consider"]
