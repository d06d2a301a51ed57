"""What holds for nearly everybody. The only rules that need no fact at all are here."""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.guidance.logic import YES, every, some
from service.medicine.guidance.person import aged, female, male, postmenopausal
from service.medicine.guidance.rule import Rule

RULES: Final = (
    Rule(
        id="bhof-2022.exercise",
        kind="lifestyle",
        text=N_("BHOF advises weight-bearing, resistance and balance exercise."),
        when=lambda _facts: YES,
    ),
    Rule(
        id="bhof-2022.falls",
        kind="lifestyle",
        text=N_(
            "BHOF advises looking for what makes falls likely: hazards at home, eyesight, drugs, "
            "blood pressure on standing, footwear."
        ),
        when=lambda _facts: YES,
    ),
    Rule(
        id="bhof-2022.habits",
        kind="lifestyle",
        text=N_("BHOF advises to stop smoking and to limit alcohol."),
        when=lambda _facts: YES,
    ),
    Rule(
        id="bhof-2022.calcium-1000",
        kind="lifestyle",
        text=N_("BHOF advises 1000 mg of calcium a day for men of 50 to 70, from food first."),
        when=lambda facts: every(male(facts), aged(facts, 50, 70)),
    ),
    Rule(
        id="bhof-2022.calcium-1200",
        kind="lifestyle",
        text=N_(
            "BHOF advises 1200 mg of calcium a day for women from 51 and men from 71, from food "
            "first."
        ),
        when=lambda facts: some(
            every(female(facts), aged(facts, 51)), every(male(facts), aged(facts, 71))
        ),
    ),
    Rule(
        id="bhof-2022.vitamin-d-intake",
        kind="lifestyle",
        text=N_("BHOF advises 800 to 1000 IU of vitamin D a day for adults of 50 and over."),
        when=lambda facts: aged(facts, 50),
    ),
    Rule(
        id="acog-2022.vitamin-d-600",
        kind="lifestyle",
        text=N_("ACOG advises 600 IU of vitamin D a day up to the age of 70."),
        when=lambda facts: every(postmenopausal(facts), aged(facts, 18, 70)),
    ),
    Rule(
        id="acog-2022.vitamin-d-800",
        kind="lifestyle",
        text=N_("ACOG advises 800 IU of vitamin D a day above the age of 70."),
        when=lambda facts: every(postmenopausal(facts), aged(facts, 71)),
    ),
)
