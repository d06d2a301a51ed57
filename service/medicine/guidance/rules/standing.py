"""What is always to be watched with a drug, whoever takes it: no drug is without.

These hold without any fact and are told beside their drugs, not among the considerations.
"""

from __future__ import annotations

from typing import Final

from service.language.locale import N_
from service.medicine.drugs import (
    ANTIRESORPTIVES,
    BISPHOSPHONATES,
    EVERY,
    ORAL,
    PARATHYROID,
    Drug,
)
from service.medicine.guidance.logic import YES
from service.medicine.guidance.rule import Rule

_JAW: Final[tuple[Drug, ...]] = (*ANTIRESORPTIVES, "romosozumab")


def _always(id: str, drugs: tuple[Drug, ...], text: str, strength: str | None = None) -> Rule:
    return Rule(
        id=id, kind="caution", text=text, when=lambda _: YES, strength=strength, drugs=drugs
    )


RULES: Final = (
    _always(
        "romosozumab-label.heart", ("romosozumab",),
        N_("It may cause a myocardial infarction, a stroke and cardiovascular death: risks are "
           "weighed before, and it is stopped when one occurs."),
        N_("boxed warning"),
    ),
    _always(
        "raloxifene-label.clots", ("raloxifene",),
        N_("It makes venous thrombosis more likely, and death from stroke in women with coronary "
           "heart disease; it is stopped before long bed rest."),
        N_("boxed warning"),
    ),
    _always(
        "hormone-therapy.clots", ("hormone_therapy",),
        N_("It makes venous thrombosis, stroke, breast cancer and, without a progestogen, cancer "
           "of the womb more likely; liver disease and bleeding of unknown cause forbid it."),
    ),
    _always(
        "fda-denosumab.calcium", ("denosumab",),
        N_("No limit of kidney function, but severe hypocalcaemia in advanced kidney disease, "
           "above all on dialysis."),
        N_("boxed warning"),
    ),
    _always(
        "denosumab-label.rebound", ("denosumab",),
        N_("Every six months on time: after a dose that is put off or left out several vertebrae "
           "may fracture. It is never ended without another drug to follow."),
    ),
    _always(
        "antiresorptive-labels.jaw", _JAW,
        N_("Osteonecrosis of the jaw is rare: teeth are looked at and put right before."),
    ),
    _always(
        "antiresorptive-labels.femur", _JAW,
        N_("An atypical fracture of the femur is rare: new thigh or groin pain is reported and "
           "looked into at once."),
    ),
    _always(
        "drug-table.above-35", ("alendronate", "zoledronate"),
        N_("Kidney: for a GFR above 35 mL/min only."),
    ),
    _always(
        "drug-table.above-30", ("risedronate", "ibandronate", "ibandronate_iv"),
        N_("Kidney: for a GFR above 30 mL/min only."),
    ),
    _always(
        "eu-parathyroid.kidney-standing", PARATHYROID,
        N_("Kidney: not in severe kidney disease."),
    ),
    _always(
        "commonly-stated.kidney-raloxifene", ("raloxifene",),
        N_("Kidney: commonly not in severe kidney disease."),
    ),
    _always(
        "romosozumab-label.kidney-standing", ("romosozumab",),
        N_("Kidney: with severe kidney disease calcium is watched."),
    ),
    _always(
        "commonly-stated.kidney-hormones", ("hormone_therapy",),
        N_("Kidney: no limit is commonly stated; fluid may be retained."),
    ),
    _always(
        "bisphosphonate-labels.upright", ORAL,
        N_("Oesophagus: in the morning on an empty stomach with a glass of water, then upright for "
           "half an hour (ibandronate an hour); it is stopped when swallowing hurts."),
    ),
    _always(
        "commonly-stated.calcium", (*BISPHOSPHONATES, "denosumab", "romosozumab"),
        N_("Low calcium is corrected before; enough calcium and vitamin D are taken with it."),
    ),
    _always(
        "commonly-stated.acute-phase", ("zoledronate", "ibandronate_iv"),
        N_("Fever and aching are common for some days after the first infusion; drink enough "
           "before."),
    ),
    _always(
        "commonly-stated.hip", ("ibandronate", "ibandronate_iv", "raloxifene"),
        N_("That it prevents fractures of the hip is commonly said not to be shown."),
    ),
    _always(
        "denosumab-label.infections", ("denosumab",),
        N_("Serious infections of the skin and elsewhere have been seen."),
    ),
    _always(
        "eu-parathyroid.tumours", PARATHYROID,
        N_("Not with tumours or metastases of bone, after radiation of the skeleton, or where "
           "alkaline phosphatase is raised without explanation; calcium in blood and urine may "
           "rise."),
    ),
    _always(
        "eu-parathyroid.pressure", PARATHYROID,
        N_("Blood pressure may fall for some hours after an injection."),
    ),
    _always(
        "drug-table.at-most", PARATHYROID,
        N_("Two years at most, all courses together; in Europe abaloparatide for 18 months. An "
           "antiresorptive drug follows."),
    ),
    _always(
        "romosozumab-label.course", ("romosozumab",),
        N_("Twelve monthly doses; an antiresorptive drug follows."),
    ),
    _always(
        "commonly-stated.pregnancy-standing", EVERY,
        N_("Not in pregnancy or while breast-feeding."),
    ),
)  # fmt: skip
