"""One drug after another: what must not simply end, what is late, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.language.locale import N_
from service.medicine.drugs import (
    ANABOLIC,
    ANTIRESORPTIVES,
    BISPHOSPHONATES,
    PARATHYROID,
)
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, neither
from service.medicine.guidance.person import since_last_dose, stopped, takes, took
from service.medicine.guidance.rule import Rule

DUE: Final = 26
"""Weeks from one dose of denosumab to the next: six months."""

LATE: Final = 30
"""Weeks: four after it was due, from which rebound fractures are feared."""

WASHED_OUT: Final = 52
"""Weeks from which nothing of its effect is left."""

FOLLOWED: Final = (*BISPHOSPHONATES, "denosumab", "romosozumab")
"""What, taken now, keeps the bone from being lost again."""


def _unfollowed(
    drugs: tuple[str, ...], least: int, below: int = 10_000
) -> Callable[[Facts], Finding]:
    """One of ``drugs`` ended so many months ago, and nothing that is known has followed."""
    return lambda facts: every(
        stopped(facts, drugs, least, below), Finding(facts.drug not in FOLLOWED)
    )


def _not_known_when(facts: Facts) -> Finding:
    ended = took(facts, ("denosumab",), lambda one: Finding(one.months_ago is None))
    return every(ended, Finding(facts.drug not in FOLLOWED))


def _on_bisphosphonate_after(facts: Facts) -> Finding:
    return every(takes(facts, BISPHOSPHONATES), stopped(facts, ("denosumab",), 0, 25))


RULES: Final = (
    Rule(
        id="denosumab-interval.late",
        kind="red_flag",
        text=N_(
            "The dose of denosumab is more than four weeks late. Its effect is ending, and several "
            "vertebrae may fracture at once: the same day it is decided and arranged who gives the "
            "next dose, or a drug to follow. New back pain is a fracture until shown otherwise."
        ),
        when=lambda facts: since_last_dose(facts, ("denosumab",), LATE + 1, WASHED_OUT),
    ),
    Rule(
        id="denosumab-interval.washed-out",
        kind="red_flag",
        text=N_(
            "The last dose of denosumab was a year ago or more: its effect is gone, and the months "
            "of most rebound fractures are running or past. The same day: new back pain, and an "
            "image of the spine; what follows is decided with a specialist."
        ),
        when=lambda facts: since_last_dose(facts, ("denosumab",), WASHED_OUT),
    ),
    Rule(
        id="denosumab-interval.due",
        kind="follow_up",
        text=N_(
            "Six months have passed since the last dose of denosumab: the next one, or the drug to "
            "follow, is due now, and at most four weeks later."
        ),
        when=lambda facts: since_last_dose(facts, ("denosumab",), DUE, LATE + 1),
    ),
    Rule(
        id="denosumab-interval.stopped",
        kind="red_flag",
        text=N_(
            "Denosumab was stopped six months ago or more, and no drug that follows is entered: "
            "several vertebrae may fracture at once. The same day: new back pain, and the drug to "
            "follow is arranged without waiting; an image of the spine with any pain."
        ),
        when=_unfollowed(("denosumab",), 6, 25),
        drugs=(*BISPHOSPHONATES, "denosumab"),
    ),
    Rule(
        id="denosumab-interval.stopping",
        kind="follow_up",
        text=N_(
            "Denosumab was stopped less than six months ago: the drug to follow is arranged now, "
            "for six months after the last dose."
        ),
        when=_unfollowed(("denosumab",), 0, 6),
        drugs=(*BISPHOSPHONATES, "denosumab"),
    ),
    Rule(
        id="denosumab-interval.stopped-when",
        kind="red_flag",
        text=N_(
            "Denosumab was stopped, and it is not known when: from six months after the last dose "
            "several vertebrae may fracture at once. Ask the same day when it was, and for back "
            "pain."
        ),
        when=_not_known_when,
        drugs=(*BISPHOSPHONATES, "denosumab"),
    ),
    Rule(
        id="commonly-stated.denosumab-long-ago",
        kind="follow_up",
        text=N_(
            "Denosumab ended more than two years ago: a look for vertebral fractures since, and at "
            "bone density, is commonly advised."
        ),
        when=_unfollowed(("denosumab",), 25),
    ),
    Rule(
        id="commonly-stated.after-denosumab",
        kind="follow_up",
        text=N_(
            "A bisphosphonate after denosumab may not hold all of the bone: markers of bone "
            "turnover after three to six months, and bone density after a year, are commonly "
            "looked at."
        ),
        when=_on_bisphosphonate_after,
    ),
    Rule(
        id="denosumab-label.continued",
        kind="follow_up",
        text=N_(
            "Denosumab is not stopped, and no dose put off, without another drug to follow: "
            "several vertebrae may fracture. A date for the next dose is held by somebody."
        ),
        when=lambda facts: takes(facts, ("denosumab",)),
        then=BISPHOSPHONATES,
    ),
    Rule(
        id="commonly-stated.anabolic-ended",
        kind="follow_up",
        text=N_(
            "An anabolic drug ended within two years, and none that follows is entered: what was "
            "gained is commonly lost again within a year. One of these is commonly begun without "
            "a gap."
        ),
        when=_unfollowed(ANABOLIC, 0, 25),
        drugs=ANTIRESORPTIVES,
    ),
    Rule(
        id="commonly-stated.after-parathyroid",
        kind="follow_up",
        text=N_("Teriparatide and abaloparatide are commonly followed by an antiresorptive drug."),
        when=lambda facts: takes(facts, PARATHYROID),
        then=ANTIRESORPTIVES,
    ),
    Rule(
        id="commonly-stated.bisphosphonate-before",
        kind="follow_up",
        text=N_(
            "A bisphosphonate that was taken before stays in bone: how long, and whether a "
            "fracture came under it, is commonly weighed before the next drug."
        ),
        when=lambda facts: every(
            took(facts, BISPHOSPHONATES), neither(takes(facts, BISPHOSPHONATES))
        ),
    ),
)
