"""What asks for care with a drug, without forbidding it. Shown whether or not it is taken."""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.drugs import (
    ANTIRESORPTIVES,
    BISPHOSPHONATES,
    PARATHYROID,
    Drug,
)
from service.medicine.guidance.logic import fact, some
from service.medicine.guidance.person import (
    male,
    premenopausal,
    takes,
    takes_for,
    took,
    vascular_event,
)
from service.medicine.guidance.rule import Rule
from service.medicine.guidance.rules.contraindications import SEVERE_KIDNEY, kidney

_JAW: Final[tuple[Drug, ...]] = (*ANTIRESORPTIVES, "romosozumab")


RULES: Final = (
    Rule(
        id="fda-denosumab.kidney",
        kind="caution",
        text=N_(
            "Denosumab can cause severe hypocalcaemia in advanced kidney disease, above all on "
            "dialysis: calcium, parathyroid hormone and vitamin D are looked at before, and "
            "calcium closely after each dose."
        ),
        # The FDA calls a GFR below 30, dialysis included, advanced kidney disease.
        when=kidney(lambda rate: rate < SEVERE_KIDNEY),
        strength=N_("boxed warning"),
        drugs=("denosumab",),
    ),
    Rule(
        id="romosozumab-label.kidney",
        kind="caution",
        text=N_(
            "With severe kidney disease or on dialysis romosozumab causes hypocalcaemia more "
            "often: calcium is watched, and calcium and vitamin D are given."
        ),
        when=kidney(lambda rate: rate < SEVERE_KIDNEY),
        drugs=("romosozumab",),
    ),
    Rule(
        id="antiresorptive-labels.dental",
        kind="caution",
        text=N_(
            "An extraction or other surgery of the jaw is planned: it is finished, and has healed, "
            "before one of these is begun. While one is taken, dentist and prescriber decide "
            "together; denosumab is not simply put off for it, since vertebrae may fracture."
        ),
        when=lambda facts: fact("dental_procedure", facts.dental_procedure, bool),
        drugs=_JAW,
    ),
    Rule(
        id="antiresorptive-labels.glucocorticoids",
        kind="caution",
        text=N_("Glucocorticoids make osteonecrosis of the jaw more likely."),
        when=lambda facts: fact("glucocorticoids", facts.glucocorticoids, bool),
        drugs=_JAW,
    ),
    Rule(
        id="commonly-stated.vitamin-d",
        kind="caution",
        text=N_(
            "Vitamin D below 20 ng/mL is commonly corrected before an infusion of a bisphosphonate "
            "and before denosumab or romosozumab."
        ),
        when=lambda facts: fact("vitamin_d", facts.vitamin_d, lambda level: level < 20),
        drugs=("ibandronate_iv", "zoledronate", "denosumab", "romosozumab"),
    ),
    Rule(
        id="raloxifene-label.stroke",
        kind="caution",
        text=N_(
            "Raloxifene carries a warning of death from stroke in women with coronary heart "
            "disease or a high risk of it: after an infarction or stroke that is weighed."
        ),
        when=vascular_event,
        strength=N_("boxed warning"),
        drugs=("raloxifene",),
    ),
    Rule(
        id="commonly-stated.bone-cancer",
        kind="caution",
        text=N_(
            "With metastases in bone other doses and intervals of denosumab and zoledronate are "
            "used: whoever treats the tumour decides. Two products of one drug are never given "
            "together."
        ),
        when=lambda facts: fact("bone_cancer", facts.bone_cancer, bool),
        drugs=("denosumab", "zoledronate"),
    ),
    Rule(
        id="commonly-stated.breast-cancer",
        kind="caution",
        text=N_(
            "Raloxifene treats no breast cancer, and is commonly not given while a breast cancer "
            "is treated."
        ),
        when=lambda facts: fact("breast_cancer", facts.breast_cancer, bool),
        drugs=("raloxifene",),
    ),
    Rule(
        id="commonly-stated.child-bearing",
        kind="caution",
        text=N_(
            "Before menopause most of these drugs are not approved; a pregnancy is commonly ruled "
            "out first and prevented after. A specialist decides."
        ),
        when=premenopausal,
        drugs=(*ANTIRESORPTIVES, *PARATHYROID),
    ),
    Rule(
        id="commonly-stated.men",
        kind="caution",
        text=N_(
            "Ibandronate is commonly not approved for men, abaloparatide in some countries only."
        ),
        when=male,
        drugs=("ibandronate", "ibandronate_iv", "abaloparatide"),
    ),
    Rule(
        id="commonly-stated.parathyroid-after-denosumab",
        kind="caution",
        text=N_(
            "Teriparatide or abaloparatide directly after denosumab: bone density is commonly "
            "said to fall for a time, above all at the hip. Another order is commonly chosen."
        ),
        when=lambda facts: some(takes(facts, ("denosumab",)), took(facts, ("denosumab",))),
        drugs=PARATHYROID,
    ),
    Rule(
        id="commonly-stated.anabolic-after-bisphosphonate",
        kind="caution",
        text=N_(
            "After a bisphosphonate bone density is commonly said to rise less under teriparatide, "
            "abaloparatide or romosozumab."
        ),
        when=lambda facts: some(takes(facts, BISPHOSPHONATES), took(facts, BISPHOSPHONATES)),
        drugs=(*PARATHYROID, "romosozumab"),
    ),
    Rule(
        id="drug-table.twelve-months",
        kind="caution",
        text=N_("A course of romosozumab is twelve months: another drug follows now."),
        when=lambda facts: takes_for(facts, ("romosozumab",), 12),
        drugs=("romosozumab",),
    ),
    Rule(
        id="aff-rates.3-5",
        kind="caution",
        text=N_(
            "After 3 to 5 years of a bisphosphonate, 2.5 atypical femoral fractures were seen in "
            "10,000 person-years; below three months, fewer than 0.1."
        ),
        when=lambda facts: takes_for(facts, BISPHOSPHONATES, 36, 60),
        drugs=BISPHOSPHONATES,
    ),
    Rule(
        id="aff-rates.5-8",
        kind="caution",
        text=N_(
            "After 5 to 8 years of a bisphosphonate, 6.0 atypical femoral fractures were seen in "
            "10,000 person-years; four years after stopping, 0.5."
        ),
        when=lambda facts: takes_for(facts, BISPHOSPHONATES, 60, 96),
        drugs=BISPHOSPHONATES,
    ),
    Rule(
        id="aff-rates.8",
        kind="caution",
        text=N_(
            "After 8 years or more of a bisphosphonate, 13.1 atypical femoral fractures were seen "
            "in 10,000 person-years; four years after stopping, 0.5."
        ),
        when=lambda facts: takes_for(facts, BISPHOSPHONATES, 96),
        drugs=BISPHOSPHONATES,
    ),
)
