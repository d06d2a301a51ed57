"""Each rule, in pairs: fires when …, does not fire when …; the boundaries are among them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from service.medicine.guidance import GUIDELINES, consider
from service.medicine.guidance.contexts import KINDS
from service.medicine.guidance.facts import read
from service.medicine.guidance.rules import RULES, STANDING

TODAY = datetime.date(2026, 12, 1)

Entered = dict[str, Any]


def of(base: Entered, **more: Any) -> Entered:
    return {**base, **more}


def t(**scores: float) -> Entered:
    return {"t_scores": scores}


def z(**scores: float) -> Entered:
    return {"z_scores": scores}


def broke(*sites: str, **details: Any) -> Entered:
    return {"fractures": [{"site": site, **details} for site in sites]}


def ended(drug: str, **details: Any) -> Entered:
    return {"earlier_drugs": [{"drug": drug, **details}]}


def denosumab(weeks_ago: int) -> Entered:
    return {"drug": "denosumab", "last_dose_weeks_ago": weeks_ago}


def steroids(milligrams: float, months: int, age: int) -> Entered:
    person = WOMAN if age >= 40 else YOUNG
    return {**person, "age": age, "glucocorticoid_mg": milligrams, "glucocorticoid_months": months}


WOMAN: Entered = {"sex": "female", "menopause": "postmenopausal"}
YOUNG: Entered = {"sex": "female", "menopause": "premenopausal"}
MAN: Entered = {"sex": "male", "age": 50}
BOY: Entered = {"sex": "male", "age": 49}
OSTEOPOROTIC = of(WOMAN, **t(femoral_neck=-2.5))
LOW = of(WOMAN, **t(femoral_neck=-2.4))
OLD = of(WOMAN, age=67, drug="none", fractures=[])
ON_IT: Entered = {"drug": "alendronate"}
ON_ROMOSOZUMAB: Entered = {"drug": "romosozumab"}
SPARED: Entered = {"mi_or_stroke": False}

CASES: list[tuple[str, Entered, Entered]] = [
    # rule, fires, does not
    ("who-classes.osteoporosis", OSTEOPOROTIC, LOW),
    ("who-classes.osteoporosis", of(MAN, **t(total_hip=-2.5)), of(BOY, **t(total_hip=-2.5))),
    ("who-classes.osteoporosis", OSTEOPOROTIC, of(YOUNG, **t(femoral_neck=-3.0))),
    ("who-classes.osteoporosis", OSTEOPOROTIC, t(femoral_neck=-3.0)),
    (
        "who-classes.osteoporosis",
        of(WOMAN, **t(lumbar_spine=-2.6, femoral_neck=-1.0)),
        of(WOMAN, evaluable_vertebrae=1, **t(lumbar_spine=-2.6, femoral_neck=-1.0)),
    ),
    (
        "who-classes.osteoporosis",
        of(WOMAN, evaluable_vertebrae=2, **t(lumbar_spine=-2.6)),
        of(WOMAN, forearm_indicated=False, **t(one_third_radius=-2.6)),
    ),
    (
        "who-classes.osteoporosis",
        of(WOMAN, forearm_indicated=True, **t(femoral_neck=-1.0, one_third_radius=-2.6)),
        of(WOMAN, **t(femoral_neck=-1.0, one_third_radius=-2.6)),
    ),
    (
        "who-classes.osteoporosis",
        of(WOMAN, **t(one_third_radius=-2.5)),
        of(WOMAN, **t(one_third_radius=-2.4)),
    ),
    ("who-classes.severe", of(OSTEOPOROTIC, **broke("other")), of(OSTEOPOROTIC, fractures=[])),
    ("who-classes.severe", of(OSTEOPOROTIC, **broke("hip")), of(LOW, **broke("hip"))),
    ("esceo-2019.low-mass", LOW, OSTEOPOROTIC),
    (
        "esceo-2019.low-mass",
        of(WOMAN, **t(femoral_neck=-1.1)),
        of(WOMAN, **t(femoral_neck=-1.0)),
    ),
    (
        "esceo-2019.low-mass",
        of(WOMAN, **t(femoral_neck=-1.1, total_hip=0.3)),
        of(WOMAN, **t(femoral_neck=-1.1, total_hip=-2.5)),
    ),
    ("who-classes.normal", of(WOMAN, **t(total_hip=-1.0)), of(WOMAN, **t(total_hip=-1.1))),
    ("iscd-2005.z-score", of(YOUNG, **z(total_hip=0.1)), of(WOMAN, **z(total_hip=0.1))),
    ("iscd-2005.z-score", of(BOY, **t(total_hip=-2.5)), of(MAN, **t(total_hip=-2.5))),
    # Nobody entered a menopause: it follows from the age, but for some years in between.
    (
        "iscd-2005.z-score",
        {"sex": "female", "age": 44, **z(total_hip=0.1)},
        {"sex": "female", "age": 45, **z(total_hip=0.1)},
    ),
    (
        "who-classes.osteoporosis",
        {"sex": "female", "age": 60, **t(total_hip=-2.5)},
        {"sex": "female", "age": 59, **t(total_hip=-2.5)},
    ),
    (
        "who-classes.osteoporosis",
        {"age": 60, **t(total_hip=-2.5)},
        {"age": 59, **t(total_hip=-2.5)},
    ),
    (
        "who-classes.osteoporosis",
        {"sex": "female", "menopause_age": 41, **t(total_hip=-2.5)},
        {"sex": "female", "age": 59, **t(total_hip=-2.5)},
    ),
    (
        "iscd-2005.whose-score",
        {"sex": "female", "age": 52, **t(total_hip=-2.5)},
        {"sex": "female", "age": 75, **t(total_hip=-2.5)},
    ),
    ("iscd-2005.whose-score", t(total_hip=-2.5), of(MAN, **t(total_hip=-2.5))),
    ("iscd-2005.whose-score", z(total_hip=-2.5), of(YOUNG, **z(total_hip=-2.5))),
    ("iscd-2005.below-for-age", of(YOUNG, **z(total_hip=-2.0)), of(YOUNG, **z(total_hip=-1.9))),
    ("iscd-2005.below-for-age", of(BOY, **z(total_hip=-2.0)), of(MAN, **z(total_hip=-2.0))),
    ("iscd-2024.vertebrae", {"evaluable_vertebrae": 1}, {"evaluable_vertebrae": 2}),
    ("aace-2020.persists", of(LOW, diagnosed_before=True), of(LOW, diagnosed_before=False)),
    ("aace-2020.persists", of(LOW, diagnosed_before=True), of(OSTEOPOROTIC, diagnosed_before=True)),
    ("bhof-2022.fracture", of(WOMAN, **broke("hip")), of(WOMAN, **broke("forearm"))),
    ("bhof-2022.fracture", of(MAN, **broke("vertebra")), of(BOY, **broke("vertebra"))),
    (
        "bhof-2022.fracture",
        of(WOMAN, **broke("hip"), **t(femoral_neck=1.0)),
        of(WOMAN, fractures=[], **t(femoral_neck=1.0)),
    ),
    ("bhof-2022.t-score", OSTEOPOROTIC, LOW),
    ("bhof-2022.t-score", OSTEOPOROTIC, of(WOMAN, **t(one_third_radius=-3.0))),
    ("bhof-2022.frax", of(LOW, frax_major=20), of(LOW, frax_major=19.9)),
    ("bhof-2022.frax", of(LOW, frax_hip=3), of(LOW, frax_hip=2.9)),
    ("bhof-2022.frax", of(LOW, frax_hip=3), of(WOMAN, frax_hip=3, **t(femoral_neck=-1.0))),
    ("bhof-2022.frax", of(LOW, frax_hip=3), of(OSTEOPOROTIC, frax_hip=3)),
    ("bhof-2022.low-mass-fracture", of(LOW, **broke("pelvis")), of(LOW, **broke("other"))),
    ("bhof-2022.low-mass-fracture", of(LOW, **broke("humerus")), of(WOMAN, **broke("humerus"))),
    ("aace-2020.fracture", of(WOMAN, **broke("hip")), of(MAN, **broke("hip"))),
    ("aace-2020.t-score", OSTEOPOROTIC, of(MAN, **t(femoral_neck=-2.5))),
    ("aace-2020.frax", of(LOW, frax_major=20), of(LOW, frax_major=19.9)),
    ("aace-2020.low-mass-fracture", of(LOW, **broke("forearm")), of(LOW, fractures=[])),
    (
        "aace-2020.very-high-risk",
        of(WOMAN, **broke("hip", months_ago=12)),
        of(WOMAN, **broke("hip", months_ago=13)),
    ),
    (
        "aace-2020.very-high-risk",
        of(WOMAN, **broke("hip", on_therapy=True)),
        of(WOMAN, **broke("hip", on_therapy=False)),
    ),
    ("aace-2020.very-high-risk", of(WOMAN, **broke("hip", "hip")), of(WOMAN, **broke("hip"))),
    (
        "aace-2020.very-high-risk",
        of(WOMAN, **t(femoral_neck=-3.1)),
        of(WOMAN, **t(femoral_neck=-3.0)),
    ),
    ("aace-2020.very-high-risk", of(OSTEOPOROTIC, high_fall_risk=True), OSTEOPOROTIC),
    (
        "aace-2020.very-high-risk",
        of(OSTEOPOROTIC, high_fall_risk=True),
        of(WOMAN, high_fall_risk=True, **t(femoral_neck=0.0)),
    ),
    ("aace-2020.very-high-risk", of(LOW, frax_major=30.1), of(LOW, frax_major=30)),
    ("aace-2020.very-high-risk", of(LOW, frax_hip=4.6), of(LOW, frax_hip=4.5)),
    ("acp-2023.women", OSTEOPOROTIC, of(MAN, **t(femoral_neck=-2.5))),
    ("acp-2023.women", OSTEOPOROTIC, of(OSTEOPOROTIC, glucocorticoids=True)),
    ("acp-2023.men", of(MAN, **t(femoral_neck=-2.5)), OSTEOPOROTIC),
    ("acp-2023.not-secondary", of(OSTEOPOROTIC, glucocorticoids=True), OSTEOPOROTIC),
    ("nogg-2024.frax", of(WOMAN, age=60, frax_major=4), of(WOMAN, age=60)),
    ("nogg-2024.frax", of(WOMAN, age=60, frax_hip=0.5), of(WOMAN, frax_hip=0.5)),
    ("uspstf-2025.women-65", of(WOMAN, age=65), of(WOMAN, age=64)),
    ("uspstf-2025.women-65", of(WOMAN, age=65), of(OSTEOPOROTIC, age=65)),
    ("uspstf-2025.women-65", of(WOMAN, age=65), of(WOMAN, age=65, drug="alendronate")),
    (
        "uspstf-2025.women-younger",
        of(WOMAN, age=64, risk_factor=True),
        of(WOMAN, age=65, risk_factor=True),
    ),
    (
        "uspstf-2025.women-younger",
        of(WOMAN, age=64, risk_factor=True),
        of(WOMAN, age=64, risk_factor=False),
    ),
    ("uspstf-2025.men", MAN, of(MAN, **broke("hip"))),
    ("acp-2023.first-women", OSTEOPOROTIC, of(OSTEOPOROTIC, drug="denosumab")),
    ("acp-2023.first-men", of(MAN, **t(femoral_neck=-2.5)), of(MAN, **t(femoral_neck=-2.4))),
    ("acp-2023.second", OSTEOPOROTIC, LOW),
    (
        "acp-2023.very-high",
        of(OSTEOPOROTIC, high_fall_risk=True),
        of(OSTEOPOROTIC, high_fall_risk=True, glucocorticoids=True),
    ),
    ("aace-2020.very-high", of(OSTEOPOROTIC, high_fall_risk=True), OSTEOPOROTIC),
    ("acog-2022.first", of(LOW, frax_hip=3), of(LOW, frax_hip=2.9)),
    ("endocrine-2020.first", OSTEOPOROTIC, of(MAN, **t(femoral_neck=-2.5))),
    ("endocrine-2020.very-high", of(OSTEOPOROTIC, high_fall_risk=True), OSTEOPOROTIC),
    (
        "romosozumab-label.vascular-event",
        {"mi_or_stroke_months_ago": 12},
        {"mi_or_stroke_months_ago": 13},
    ),
    ("romosozumab-label.vascular-event", {"mi_or_stroke_months_ago": 0}, SPARED),
    ("tga-romosozumab.vascular-history", {"mi_or_stroke_months_ago": 13}, SPARED),
    ("tga-romosozumab.vascular-history", {"mi_or_stroke": True}, SPARED),
    ("hormone-therapy.vascular-event", {"mi_or_stroke": True}, SPARED),
    ("raloxifene-label.stroke", {"mi_or_stroke": True}, SPARED),
    ("romosozumab-label.event", of(ON_ROMOSOZUMAB, mi_or_stroke=True), ON_ROMOSOZUMAB),
    (
        "romosozumab-label.event",
        of(ON_ROMOSOZUMAB, mi_or_stroke_months_ago=1, drug_months=5),
        of(ON_ROMOSOZUMAB, mi_or_stroke_months_ago=13, drug_months=5),
    ),
    (
        "romosozumab-label.event",
        of(ON_ROMOSOZUMAB, mi_or_stroke_months_ago=13, drug_months=13),
        {"drug": "denosumab", "mi_or_stroke_months_ago": 1},
    ),
    ("romosozumab-label.hypocalcaemia", {"calcium": "low"}, {"calcium": "normal"}),
    ("drug-table.kidney-35", {"egfr": 35}, {"egfr": 35.1}),
    ("drug-table.kidney-35", {"egfr": 90, "dialysis": True}, {"egfr": 90, "dialysis": False}),
    ("drug-table.kidney-30", {"egfr": 30}, {"egfr": 30.1}),
    ("fda-denosumab.kidney", {"egfr": 29.9}, {"egfr": 30}),
    ("fda-denosumab.kidney", {"dialysis": True}, {"dialysis": False}),
    ("commonly-stated.oesophagus", {"oesophageal_disease": True}, {"oesophageal_disease": False}),
    ("commonly-stated.hypocalcaemia", {"calcium": "low"}, {"calcium": "high"}),
    ("denosumab-label.hypocalcaemia", {"calcium": "low"}, {"calcium": "normal"}),
    ("bisphosphonate-labels.hypocalcaemia", {"calcium": "low"}, {"calcium": "normal"}),
    ("eu-parathyroid.hypercalcaemia", {"calcium": "high"}, {"calcium": "normal"}),
    ("eu-parathyroid.kidney", {"egfr": 29.9}, {"egfr": 30}),
    ("commonly-stated.raloxifene-kidney", {"dialysis": True}, {"egfr": 30}),
    ("romosozumab-label.kidney", {"egfr": 29.9}, {"egfr": 30}),
    (
        "bisphosphonate-labels.oesophagus",
        {"oesophageal_disease": True},
        {"oesophageal_disease": False},
    ),
    ("bisphosphonate-labels.oesophagus", {"upright_impossible": True}, {}),
    *(
        (rule, {fact: True}, {fact: False})
        for rule, fact in [
            ("eu-parathyroid.bone-cancer", "bone_cancer"),
            ("eu-parathyroid.radiotherapy", "skeletal_radiotherapy"),
            ("eu-parathyroid.paget", "paget"),
            ("raloxifene-label.thrombosis", "thrombosis"),
            ("hormone-therapy.thrombosis", "thrombosis"),
            ("hormone-therapy.breast-cancer", "breast_cancer"),
            ("denosumab-label.pregnancy", "pregnant"),
            ("eu-parathyroid.pregnancy", "pregnant"),
            ("commonly-stated.pregnancy", "pregnant"),
            ("commonly-stated.pregnancy-referral", "pregnant"),
            ("commonly-stated.bone-tumour", "bone_cancer"),
            ("commonly-stated.bone-cancer", "bone_cancer"),
            ("commonly-stated.breast-cancer", "breast_cancer"),
            ("antiresorptive-labels.dental", "dental_procedure"),
            ("antiresorptive-labels.glucocorticoids", "glucocorticoids"),
        ]
    ),
    ("raloxifene-label.women", MAN, WOMAN),
    ("romosozumab-label.women", YOUNG, WOMAN),
    ("eu-parathyroid.women", YOUNG, WOMAN),
    ("hormone-therapy.men", MAN, YOUNG),
    ("commonly-stated.men", MAN, WOMAN),
    ("commonly-stated.child-bearing", YOUNG, WOMAN),
    ("commonly-stated.vitamin-d", {"vitamin_d": 19.9}, {"vitamin_d": 20}),
    ("commonly-stated.parathyroid-after-denosumab", ended("denosumab"), ended("alendronate")),
    ("commonly-stated.anabolic-after-bisphosphonate", ON_IT, {"drug": "denosumab"}),
    ("drug-table.two-years", ended("teriparatide", months=24), ended("teriparatide", months=23)),
    (
        "drug-table.two-years",
        {"drug": "abaloparatide", "drug_months": 6, **ended("teriparatide", months=18)},
        {"drug": "abaloparatide", "drug_months": 6, **ended("romosozumab", months=18)},
    ),
    # One drug after another.
    *(
        (rule, denosumab(at), denosumab(no))
        for rule, at, no in [
            ("denosumab-interval.due", 26, 25), ("denosumab-interval.due", 30, 31),
            ("denosumab-interval.late", 31, 30), ("denosumab-interval.late", 51, 52),
            ("denosumab-interval.washed-out", 52, 51),
        ]
    ),
    *(
        (rule, ended("denosumab", months_ago=at), ended("denosumab", months_ago=no))
        for rule, at, no in [
            ("denosumab-interval.stopping", 5, 6), ("denosumab-interval.stopped", 6, 5),
            ("denosumab-interval.stopped", 24, 25),
            ("commonly-stated.denosumab-long-ago", 25, 24),
            ("denosumab-interval.stopped-when", None, 7),
        ]
    ),
    (
        "denosumab-interval.stopped",
        ended("denosumab", months_ago=7),
        {"drug": "zoledronate", **ended("denosumab", months_ago=7)},
    ),
    (
        "denosumab-interval.stopped",
        {"drug": "none", **ended("denosumab", months_ago=7)},
        {"drug": "none", **ended("alendronate", months_ago=7)},
    ),
    (
        "commonly-stated.after-denosumab",
        of(ON_IT, **ended("denosumab", months_ago=9)),
        of(ON_IT, **ended("denosumab", months_ago=25)),
    ),
    ("denosumab-label.continued", of(MAN, drug="denosumab"), of(MAN, drug="raloxifene")),
    (
        "commonly-stated.anabolic-ended",
        ended("teriparatide", months_ago=24),
        ended("teriparatide", months_ago=25),
    ),
    (
        "commonly-stated.anabolic-ended",
        ended("romosozumab", months_ago=1),
        of(ON_IT, **ended("romosozumab", months_ago=1)),
    ),
    ("commonly-stated.after-parathyroid", {"drug": "abaloparatide"}, ON_ROMOSOZUMAB),
    (
        "commonly-stated.bisphosphonate-before",
        {"drug": "none", **ended("alendronate")},
        of(ON_IT, **ended("alendronate")),
    ),
    # Glucocorticoids, by dose, duration and age.
    ("acr-2022.assess-from-40", steroids(2.5, 3, 40), steroids(2.4, 3, 40)),
    ("acr-2022.assess-from-40", steroids(2.5, 3, 40), steroids(2.5, 2, 40)),
    ("acr-2022.assess-from-40", {"glucocorticoids": True, "age": 40}, steroids(2.5, 3, 39)),
    ("acr-2022.assess-under-40", steroids(2.5, 3, 39), steroids(2.5, 3, 40)),
    ("acr-2022-quoted.categories", steroids(2.5, 3, 40), steroids(2.5, 3, 39)),
    ("acr-2022-quoted.under-40", steroids(2.5, 3, 39), steroids(2.5, 3, 40)),
    ("acr-2022-quoted.frax-dose", steroids(7.6, 3, 40), steroids(7.5, 3, 40)),
    ("acr-2022-quoted.again", steroids(5, 6, 30), {"glucocorticoids": False}),
    ("dvo-2023-quoted.glucocorticoids", steroids(5, 6, 30), {"glucocorticoids": False}),
    ("commonly-stated.nogg-glucocorticoids", steroids(5, 3, 70), steroids(5, 3, 69)),
    ("commonly-stated.nogg-glucocorticoids", steroids(7.5, 3, 50), steroids(7.4, 3, 50)),
    *(
        (rule, when, of(steroids(7.5, 6, age), **no))
        for rule in ("acr-2022.treat", "acr-2022.first")
        for age, when, no in [
            (40, of(steroids(5, 6, 40), frax_major=10), {"frax_major": 9.9}),
            (66, of(steroids(5, 6, 66), **t(femoral_neck=-1.1)), t(femoral_neck=-1.0)),
            (66, of(steroids(5, 6, 66), **broke("other")), {"fractures": []}),
            (66, steroids(30, 6, 66), {}),
            (38, of(steroids(7.5, 6, 38), **z(total_hip=-3.1)), z(total_hip=-3.0)),
            (38, of(steroids(5, 6, 38), **broke("vertebra")), {"fractures": []}),
        ]
    ),
    ("acr-2022.first", steroids(30, 6, 66), of(steroids(30, 6, 66), drug="alendronate")),
    (
        "acr-2022.after-glucocorticoids",
        of(steroids(5, 6, 66), drug="denosumab"),
        of(steroids(5, 6, 66), drug="alendronate"),
    ),
    # DVO and NICE.
    *(
        (f"dvo-2023{rule}", of(WOMAN, dvo_risk=at), of(WOMAN, dvo_risk=no))
        for rule, at, no in [
            ("-quoted.ten", 10, 9.9), ("-quoted.five", 5, 4.9), ("-quoted.five", 9.9, 10),
            ("-quoted.three", 3, 2.9), ("-quoted.three", 4.9, 5), ("-quoted.below-three", 2.9, 3),
            (".anabolic", 10, 9.9), ("-quoted.antiresorptive", 5, 10),
        ]
    ),
    ("dvo-2023.anabolic", of(MAN, dvo_risk=10), of(BOY, dvo_risk=10)),
    ("dvo-2023.risk", LOW, of(LOW, dvo_risk=4)),
    ("dvo-2023.risk", OSTEOPOROTIC, of(YOUNG, **t(femoral_neck=-2.5))),
    ("dvo-2023-quoted.fracture", of(MAN, **broke("hip")), of(MAN, **broke("forearm"))),
    ("dvo-2023-quoted.imminent", of(OSTEOPOROTIC, **broke("hip")), of(LOW, **broke("hip"))),
    ("dvo-2023.women-70", {"sex": "female", "age": 70}, {"sex": "female", "age": 69}),
    ("dvo-2023.risk-factor", of(MAN, risk_factor=True), of(MAN, risk_factor=False)),
    ("nice-ta464.risk", LOW, of(WOMAN, **t(femoral_neck=-1.0))),
    ("nice-ta464.options", of(MAN, **t(femoral_neck=-2.5)), of(MAN, **t(femoral_neck=-2.4))),
    (
        "nice-ta791.romosozumab",
        of(OSTEOPOROTIC, **broke("forearm", months_ago=24)),
        of(OSTEOPOROTIC, **broke("forearm", months_ago=25)),
    ),
    (
        "nice-ta791.romosozumab",
        of(OSTEOPOROTIC, **broke("vertebra", months_ago=1)),
        of(OSTEOPOROTIC, **broke("pelvis", months_ago=1)),
    ),
    ("commonly-stated.fracture", broke("forearm"), {"fractures": []}),
    # Early menopause.
    (
        "commonly-stated.early-menopause",
        of(WOMAN, menopause_age=44),
        of(WOMAN, menopause_age=45),
    ),
    ("commonly-stated.early-menopause", of(WOMAN, age=44), of(WOMAN, age=45)),
    (
        "commonly-stated.early-menopause-hormones",
        of(WOMAN, age=50, menopause_age=44),
        of(WOMAN, age=51, menopause_age=44),
    ),
    (
        "uspstf-2025.women-younger",
        of(WOMAN, age=58, menopause_age=41),
        of(WOMAN, age=58, menopause_age=51),
    ),
    ("endocrine-2020.alternative", OSTEOPOROTIC, LOW),
    (
        "drug-table.two-years",
        {"drug": "teriparatide", "drug_months": 24},
        {"drug": "teriparatide", "drug_months": 23},
    ),
    (
        "drug-table.twelve-months",
        {"drug": "romosozumab", "drug_months": 12},
        {"drug": "romosozumab", "drug_months": 11},
    ),
    *(
        (rule, of(ON_IT, drug_months=at), of(ON_IT, drug_months=no))
        for rule, at, no in [
            ("aff-rates.3-5", 36, 35), ("aff-rates.3-5", 59, 60), ("aff-rates.5-8", 60, 59),
            ("aff-rates.5-8", 95, 96), ("aff-rates.8", 96, 95),
        ]
    ),
    (
        "aff-rates.8",
        {"drug": "zoledronate", "drug_months": 96},
        {"drug": "denosumab", "drug_months": 96},
    ),
    ("endocrine-2020.denosumab", of(WOMAN, drug="denosumab"), of(WOMAN, drug="raloxifene")),
    ("romosozumab-label.after", {"drug": "romosozumab"}, {"drug": "teriparatide"}),
    ("acp-2023.after", of(WOMAN, drug="teriparatide"), of(WOMAN, drug="denosumab")),
    (
        "endocrine-2020.reassess",
        of(WOMAN, drug="risedronate", drug_months=36),
        of(WOMAN, drug="risedronate", drug_months=35),
    ),
    (
        "endocrine-2020.reassess",
        of(WOMAN, drug="risedronate", drug_months=36),
        of(WOMAN, drug="zoledronate", drug_months=36),
    ),
    (
        "endocrine-2020.reassess-zoledronate",
        of(WOMAN, drug="zoledronate", drug_months=36),
        of(WOMAN, drug="zoledronate", drug_months=35),
    ),
    ("acog-2022.dxa", of(WOMAN, drug="alendronate"), of(WOMAN, drug="none")),
    ("endocrine-2020.dxa", of(WOMAN, drug="alendronate"), of(MAN, drug="alendronate")),
    *(
        (rule, of(OLD, **t(total_hip=at)), of(OLD, **t(total_hip=no)))
        for rule, at, no in [
            ("interval-2012.normal", -1.0, -1.1), ("interval-2012.mild", -1.1, -1.0),
            ("interval-2012.mild", -1.4, -1.5), ("interval-2012.moderate", -1.5, -1.4),
            ("interval-2012.moderate", -1.9, -2.0), ("interval-2012.advanced", -2.0, -1.9),
            ("interval-2012.advanced", -2.4, -2.5),
        ]
    ),
    (
        "interval-2012.normal",
        of(OLD, **t(total_hip=0.0)),
        of(OLD, **t(total_hip=0.0)) | {"age": 66},
    ),
    (
        "interval-2012.normal",
        of(OLD, **t(total_hip=0.0)),
        of(OLD, **t(lumbar_spine=0.0)),
    ),
    (
        "interval-2012.normal",
        of(OLD, **t(total_hip=0.0)),
        of(OLD, **t(total_hip=0.0)) | broke("hip"),
    ),
    ("secondary-causes.tests", OSTEOPOROTIC, LOW),
    ("secondary-causes.tests", z(total_hip=-2.0), z(total_hip=-1.9)),
    ("bhof-2022.vitamin-d", {"vitamin_d": 29.9}, {"vitamin_d": 30}),
    (
        "nogg-2024.very-high-risk",
        of(OSTEOPOROTIC, high_fall_risk=True),
        of(OSTEOPOROTIC, high_fall_risk=False),
    ),
    ("commonly-stated.young", of(YOUNG, **broke("hip")), of(WOMAN, **broke("hip"))),
    ("commonly-stated.young", of(BOY, **t(total_hip=-2.5)), of(BOY, **t(total_hip=-2.4))),
    (
        "commonly-stated.fracture-on-therapy",
        broke("hip", on_therapy=True),
        broke("hip", on_therapy=False),
    ),
    ("commonly-stated.kidney", {"egfr": 34.9}, {"egfr": 35}),
    ("commonly-stated.z-score", z(femoral_neck=-2.0), z(femoral_neck=-1.9)),
    (
        "commonly-stated.bone-loss",
        {"drug": "alendronate", "bone_loss": True},
        {"drug": "none", "bone_loss": True},
    ),
    ("commonly-stated.malignancy", {"suspected_malignancy": True}, {"suspected_malignancy": False}),
    (
        "romosozumab-label.symptoms",
        {"drug": "romosozumab", "symptoms": ["chest_pain"]},
        {"drug": "denosumab", "symptoms": ["chest_pain"]},
    ),
    ("commonly-stated.back-pain", {"symptoms": ["back_pain"]}, {"symptoms": []}),
    (
        "commonly-stated.neurological-deficit",
        {"symptoms": ["neurological_deficit"]},
        {"symptoms": ["back_pain"]},
    ),
    *(
        (rule, of(show, drug="denosumab"), of(show, drug="none"))
        for rule, show in [
            ("antiresorptive-labels.thigh-pain", {"symptoms": ["thigh_or_groin_pain"]}),
            ("antiresorptive-labels.jaw-trouble", {"symptoms": ["jaw_trouble"]}),
            ("denosumab-label.calcium-now", {"symptoms": ["cramps_or_tingling"]}),
        ]
    ),
    *(
        (rule, of(ended("alendronate"), drug="none", symptoms=[symptom]), {"symptoms": []})
        for rule, symptom in [
            ("antiresorptive-labels.thigh-pain", "thigh_or_groin_pain"),
            ("antiresorptive-labels.jaw-trouble", "jaw_trouble"),
        ]
    ),
    (
        "denosumab-label.calcium-now",
        {"drug": "denosumab", "calcium": "low"},
        {"drug": "denosumab", "calcium": "normal"},
    ),
    (
        "fda-denosumab.taken",
        {"drug": "denosumab", "egfr": 12},
        {"drug": "denosumab", "egfr": 30},
    ),
    (
        "raloxifene-label.clot-now",
        {"drug": "raloxifene", "thrombosis": True},
        {"drug": "denosumab", "thrombosis": True},
    ),
    (
        "raloxifene-label.clot-now",
        {"drug": "hormone_therapy", "symptoms": ["leg_swelling"]},
        {"drug": "hormone_therapy", "symptoms": []},
    ),
    (
        "commonly-stated.recent-vertebra",
        broke("vertebra", months_ago=3),
        broke("vertebra", months_ago=4),
    ),
    (
        "commonly-stated.recent-vertebra",
        broke("vertebra", months_ago=1),
        broke("hip", months_ago=1),
    ),
    (
        "commonly-stated.long-bisphosphonate",
        of(MAN, drug="risedronate", drug_months=60),
        of(MAN, drug="risedronate", drug_months=59),
    ),
    (
        "commonly-stated.height-loss",
        {"height_cm": 160, "tallest_cm": 164},
        {"height_cm": 160, "tallest_cm": 163.9},
    ),
    (
        "iscd-vfa.indicated",
        of(WOMAN, age=70, **t(total_hip=-1.1)),
        of(WOMAN, age=70, **t(total_hip=-1.0)),
    ),
    (
        "iscd-vfa.indicated",
        of(WOMAN, age=70, **t(total_hip=-1.1)),
        of(WOMAN, age=69, **t(total_hip=-1.1)),
    ),
    (
        "iscd-vfa.indicated",
        of(MAN, age=80, **t(total_hip=-1.1)),
        of(MAN, age=79, **t(total_hip=-1.1)),
    ),
    (
        "iscd-vfa.indicated",
        of(MAN, age=60, height_cm=170, tallest_cm=174.1, **t(lumbar_spine=-1.5)),
        of(MAN, age=60, height_cm=170, tallest_cm=174, **t(lumbar_spine=-1.5)),
    ),
    (
        "iscd-vfa.indicated",
        of(WOMAN, age=60, reported_vertebral_fracture=True, **t(lumbar_spine=-1.5)),
        of(WOMAN, age=60, reported_vertebral_fracture=False, **t(lumbar_spine=-1.5)),
    ),
    (
        "iscd-vfa.indicated",
        of(WOMAN, age=60, glucocorticoid_mg=5, glucocorticoid_months=3, **t(lumbar_spine=-1.5)),
        of(WOMAN, age=60, glucocorticoid_mg=5, glucocorticoid_months=2, **t(lumbar_spine=-1.5)),
    ),
    (
        "iscd-vfa.indicated",
        of(WOMAN, age=60, glucocorticoid_mg=5, glucocorticoid_months=3, **t(lumbar_spine=-1.5)),
        of(WOMAN, age=60, glucocorticoid_mg=4.9, glucocorticoid_months=3, **t(lumbar_spine=-1.5)),
    ),
    ("pickhardt-2013.ct", {"ct_hu": 110}, {"ct_hu": 110.1}),
    ("pickhardt-2013.ct", {"ct_hu": 90}, {"ct_hu": 90, **t(total_hip=0.2)}),
    ("heel-agreement.ultrasound", {"heel_ultrasound": "low"}, {"heel_ultrasound": "between"}),
    (
        "heel-agreement.ultrasound",
        {"heel_ultrasound": "low"},
        {"heel_ultrasound": "low", **t(lumbar_spine=-3.0)},
    ),
    ("bhof-2022.calcium-1000", of(MAN, age=70), of(MAN, age=71)),
    ("bhof-2022.calcium-1000", of(MAN, age=50), of(MAN, age=49)),
    ("bhof-2022.calcium-1200", of(WOMAN, age=51), of(WOMAN, age=50)),
    ("bhof-2022.calcium-1200", of(MAN, age=71), of(MAN, age=70)),
    ("bhof-2022.vitamin-d-intake", {"age": 50}, {"age": 49}),
    ("acog-2022.vitamin-d-600", of(WOMAN, age=70), of(WOMAN, age=71)),
    ("acog-2022.vitamin-d-800", of(WOMAN, age=71), of(WOMAN, age=70)),
]  # fmt: skip

GENERAL = {"bhof-2022.exercise", "bhof-2022.falls", "bhof-2022.habits"}


def fired(entered: Entered) -> set[str]:
    return {one.id for one in consider(read(entered), TODAY).considerations}


@pytest.mark.parametrize(
    ("rule", "when", "not_when"),
    CASES,
    ids=[f"{rule}-{number}" for number, (rule, _, _) in enumerate(CASES)],
)
def test_a_rule_fires_and_does_not(rule: str, when: Entered, not_when: Entered) -> None:
    assert rule in fired(when)
    assert rule not in fired(not_when)


def test_every_rule_has_its_pair() -> None:
    assert {rule for rule, _, _ in CASES} == {rule.id for rule in RULES} - GENERAL


def test_without_facts_only_what_holds_for_everybody() -> None:
    assert fired({}) == GENERAL
    assert all(rule.kind == "lifestyle" for rule in RULES if rule.id in GENERAL)


def test_neither_ct_nor_ultrasound_names_a_class_a_drug_or_whom_to_treat() -> None:
    told = consider(read({**WOMAN, "ct_hu": 40, "heel_ultrasound": "low"}), TODAY)
    without = consider(read(WOMAN), TODAY)
    new = {one.id: one for one in told.considerations}
    assert new.keys() - {one.id for one in without.considerations} == {
        "pickhardt-2013.ct", "heel-agreement.ultrasound"
    }  # fmt: skip
    for one in (new["pickhardt-2013.ct"], new["heel-agreement.ultrasound"]):
        assert (one.kind, one.drugs, one.then, one.treats) == ("follow_up", (), (), False)
        assert "No class and no treatment follows" in one.text
    assert not {"ct_hu", "heel_ultrasound"} & {one.fact for one in without.missing}


def test_every_rule_says_who_says_so() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert {rule.guideline for rule in (*RULES, *STANDING)} == GUIDELINES.keys()
    assert {rule.kind for rule in RULES} == KINDS.keys()
    for rule in (*RULES, *STANDING):
        assert GUIDELINES[rule.guideline].verified or rule.strength is None


def test_no_rule_says_that_there_is_no_osteoporosis() -> None:
    for rule in (*RULES, *STANDING):
        assert "no osteoporosis" not in rule.text.lower()
        assert "must " not in rule.text
