"""What is looked at the same day, whatever the bone density."""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.drugs import ANTIRESORPTIVES
from service.medicine.guidance.bone import recent_fracture
from service.medicine.guidance.facts import Facts
from service.medicine.guidance.logic import Finding, every, fact, some
from service.medicine.guidance.person import has, takes, took, vascular_event_on
from service.medicine.guidance.rule import Rule
from service.medicine.guidance.rules.contraindications import SEVERE_KIDNEY, calcium, kidney

_FEMUR: Final = (*ANTIRESORPTIVES, "raloxifene", "romosozumab")
_CLOTTING: Final = ("raloxifene", "hormone_therapy")


def _vascular(facts: Facts) -> Finding:
    return some(has(facts, "chest_pain"), has(facts, "neurological_deficit"))


def _thigh(facts: Facts) -> Finding:
    """On such a drug now or before; where no drug was entered, the careful side."""
    exposed = some(takes(facts, _FEMUR), took(facts, _FEMUR), Finding(facts.drug is None))
    return every(has(facts, "thigh_or_groin_pain"), exposed)


def _jaw(facts: Facts) -> Finding:
    exposed = some(takes(facts, _FEMUR), took(facts, _FEMUR), Finding(facts.drug is None))
    return every(has(facts, "jaw_trouble"), exposed)


def _low_calcium_on_denosumab(facts: Facts) -> Finding:
    low = some(calcium("low")(facts), has(facts, "cramps_or_tingling"))
    return every(takes(facts, ("denosumab",)), low)


def _denosumab_with_kidneys(facts: Facts) -> Finding:
    return every(takes(facts, ("denosumab",)), kidney(lambda rate: rate < SEVERE_KIDNEY)(facts))


def _clot(facts: Facts) -> Finding:
    clotted = some(fact("thrombosis", facts.thrombosis, bool), has(facts, "leg_swelling"))
    return every(takes(facts, _CLOTTING), clotted)


RULES: Final = (
    Rule(
        id="romosozumab-label.event",
        kind="red_flag",
        text=N_(
            "Myocardial infarction or stroke, and romosozumab is taken: romosozumab is stopped. "
            "The event is treated first; which antiresorptive drug follows is decided with a "
            "specialist."
        ),
        when=lambda facts: vascular_event_on(facts, "romosozumab"),
        strength=N_("boxed warning"),
    ),
    Rule(
        id="romosozumab-label.symptoms",
        kind="red_flag",
        text=N_(
            "Chest pain or a neurological deficit on romosozumab: its boxed warning is of "
            "myocardial infarction, stroke and cardiovascular death. Same-day assessment, and no "
            "further dose before."
        ),
        when=lambda facts: every(takes(facts, ("romosozumab",)), _vascular(facts)),
        strength=N_("boxed warning"),
    ),
    Rule(
        id="denosumab-label.calcium-now",
        kind="red_flag",
        text=N_(
            "Low calcium, cramps or tingling on denosumab: calcium is measured and treated the "
            "same day; no further dose before it is corrected, but none is let lapse without a "
            "drug to follow."
        ),
        when=_low_calcium_on_denosumab,
        strength=N_("contraindication"),
    ),
    Rule(
        id="fda-denosumab.taken",
        kind="red_flag",
        text=N_(
            "Denosumab is taken in advanced kidney disease: severe, even fatal hypocalcaemia has "
            "been seen. Calcium is measured now and before the next dose; cramps, tingling, "
            "confusion or palpitations are an emergency."
        ),
        when=_denosumab_with_kidneys,
        strength=N_("boxed warning"),
    ),
    Rule(
        id="raloxifene-label.clot-now",
        kind="red_flag",
        text=N_(
            "A venous thrombosis, or a swollen leg that may be one, on raloxifene or hormone "
            "therapy: same-day assessment, and the drug is stopped."
        ),
        when=_clot,
        strength=N_("boxed warning"),
    ),
    Rule(
        id="commonly-stated.back-pain",
        kind="red_flag",
        text=N_(
            "New severe back pain may be a vertebral fracture or worse: same-day assessment is "
            "commonly advised."
        ),
        when=lambda facts: has(facts, "back_pain"),
    ),
    Rule(
        id="commonly-stated.recent-vertebra",
        kind="red_flag",
        text=N_(
            "A vertebral fracture within three months: tumour, infection and damage to nerves are "
            "commonly ruled out first. The next fracture is likeliest now, so treatment is not "
            "left waiting."
        ),
        when=lambda facts: recent_fracture(facts, 3, "vertebra"),
    ),
    Rule(
        id="commonly-stated.neurological-deficit",
        kind="red_flag",
        text=N_("A new neurological deficit: same-day assessment is commonly advised."),
        when=lambda facts: has(facts, "neurological_deficit"),
    ),
    Rule(
        id="antiresorptive-labels.thigh-pain",
        kind="red_flag",
        text=N_(
            "Thigh or groin pain, with a drug that slows bone down or romosozumab now or before, "
            "may announce an atypical femoral fracture: same-day assessment with images of both "
            "femora in full length. Until it is ruled out the leg is spared and the drug is held; "
            "denosumab is not let lapse without advice."
        ),
        when=_thigh,
    ),
    Rule(
        id="antiresorptive-labels.jaw-trouble",
        kind="red_flag",
        text=N_(
            "Pain, exposed bone or a wound of the jaw that does not heal, with a drug that slows "
            "bone down or romosozumab now or before: osteonecrosis of the jaw is looked for "
            "without delay, before anything is pulled."
        ),
        when=_jaw,
    ),
)
