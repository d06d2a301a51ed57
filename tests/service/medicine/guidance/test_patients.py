"""Patients as they come: what must be said of each, and what must not, on the page and by the API.

None of them is of a record. ``only`` are drugs that may be left to begin with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from lxml import html

from service.language.locale import _, speaking
from service.medicine.drugs import BISPHOSPHONATES, EVERY, NAMES, ORAL, PARATHYROID, Drug
from service.medicine.guidance import Consideration, consider
from service.medicine.guidance.contexts import Considered
from service.medicine.guidance.facts import read
from tests.service.kit.fronts import Front
from tests.service.medicine.guidance.test_rules import (
    TODAY,
    WOMAN,
    Entered,
    broke,
    denosumab,
    ended,
    of,
    t,
    z,
)

API, PAGE = "/api/v1/considerations", "/treatment"
CLASSES = {"who-classes.osteoporosis", "esceo-2019.low-mass", "who-classes.normal"}


@dataclass(frozen=True)
class Patient:
    facts: Entered
    says: set[str] = field(default_factory=set)
    never: set[str] = field(default_factory=set)
    struck: tuple[Drug, ...] = ()
    begins: bool = False
    """A drug is left to begin with that nothing forbids."""
    form: dict[str, str] = field(default_factory=dict)


PATIENTS: dict[str, Patient] = {
    "woman of 30, T −2.6": Patient(
        {"sex": "female", "age": 30, **t(lumbar_spine=-2.6)},
        says={"iscd-2005.z-score", "commonly-stated.young"},
        never={*CLASSES, "bhof-2022.t-score", "aace-2020.t-score", "acp-2023.women"},
        form={"sex": "female", "age": "30", "t_scores.lumbar_spine": "-2,6"},
    ),
    "woman of 58, early menopause": Patient(
        of(WOMAN, age=58, menopause_age=42, **t(lumbar_spine=-1.8)),
        says={"esceo-2019.low-mass", "commonly-stated.early-menopause", "dvo-2023.risk"},
        never={"commonly-stated.early-menopause-hormones"},
    ),
    "woman of 44, after menopause": Patient(
        of(WOMAN, age=44),
        says={
            "commonly-stated.early-menopause", "commonly-stated.early-menopause-hormones",
            "uspstf-2025.women-younger", "dvo-2023.risk-factor",
        },
        begins=True,
    ),
    "woman of 75, menopause not entered": Patient(
        {"sex": "female", "age": 75, **t(femoral_neck=-2.8)},
        says={
            "who-classes.osteoporosis", "bhof-2022.t-score", "aace-2020.t-score", "acp-2023.women",
            "acp-2023.first-women", "nice-ta464.options", "dvo-2023.risk", "acog-2022.first",
        },
        begins=True,
        form={"sex": "female", "age": "75", "t_scores.femoral_neck": "-2.8"},
    ),
    "woman of 52, menopause not entered": Patient(
        {"sex": "female", "age": 52, **t(femoral_neck=-2.8)},
        says={"iscd-2005.whose-score"},
        never={*CLASSES, "bhof-2022.t-score"},
    ),
    "man of 67": Patient(
        {"sex": "male", "age": 67, **t(femoral_neck=-2.6)},
        says={"who-classes.osteoporosis", "acp-2023.men", "acp-2023.first-men", "dvo-2023.risk"},
        never={"aace-2020.t-score", "acog-2022.first"},
        struck=("raloxifene", "hormone_therapy", "romosozumab"),
        begins=True,
    ),
    "man of 45": Patient(
        {"sex": "male", "age": 45, **t(femoral_neck=-2.6)},
        says={"iscd-2005.z-score", "commonly-stated.young"},
        never={*CLASSES, "acp-2023.men", "bhof-2022.t-score"},
    ),
    "infarction last month on romosozumab": Patient(
        of(
            WOMAN, age=72, drug="romosozumab", drug_months=5, mi_or_stroke=True,
            mi_or_stroke_months_ago=1,
        ),
        says={"romosozumab-label.event", "romosozumab-label.after"},
        struck=("romosozumab", "hormone_therapy"),
        form={
            "sex": "female", "age": "72", "drug": "romosozumab", "drug_months": "5",
            "mi_or_stroke": "yes", "mi_or_stroke_months_ago": "1",
        },
    ),
    "stroke during romosozumab, nobody knows when": Patient(
        of(WOMAN, age=72, drug="romosozumab", mi_or_stroke=True),
        says={"romosozumab-label.event"},
        struck=("romosozumab",),
    ),
    "chest pain on romosozumab": Patient(
        of(WOMAN, age=72, drug="romosozumab", symptoms=["chest_pain"]),
        says={"romosozumab-label.symptoms"},
    ),
    "stroke ten years ago, nothing taken": Patient(
        of(
            WOMAN, age=72, mi_or_stroke_months_ago=120, high_fall_risk=True,
            **t(femoral_neck=-3.2),
        ),
        says={"aace-2020.very-high", "tga-romosozumab.vascular-history"},
        never={"romosozumab-label.event"},
        struck=("romosozumab",),
        begins=True,
    ),
    "denosumab stopped seven months ago": Patient(
        of(
            WOMAN, age=70, drug="none", **ended("denosumab", months=36, months_ago=7),
            **t(femoral_neck=-2.6),
        ),
        says={"denosumab-interval.stopped", "commonly-stated.parathyroid-after-denosumab"},
        begins=True,
        form={
            "sex": "female", "age": "70", "drug": "none", "earlier_drugs.0.drug": "denosumab",
            "earlier_drugs.0.months_ago": "7", "t_scores.femoral_neck": "-2.6",
        },
    ),
    "denosumab stopped four months ago": Patient(
        of(WOMAN, age=70, drug="none", **ended("denosumab", months_ago=4)),
        says={"denosumab-interval.stopping"},
        never={"denosumab-interval.stopped"},
    ),
    "denosumab eight weeks late": Patient(
        of(WOMAN, age=70, drug_months=36, **denosumab(34)),
        says={"denosumab-interval.late", "denosumab-label.continued", "endocrine-2020.denosumab"},
        never={"denosumab-interval.due"},
    ),
    "denosumab, a man, in time": Patient(
        {"sex": "male", "age": 70, **denosumab(20)},
        says={"denosumab-label.continued"},
        never={"denosumab-interval.due", "denosumab-interval.late"},
    ),
    "dialysis on denosumab": Patient(
        of(WOMAN, age=70, egfr=12, dialysis=True, drug="denosumab", **t(femoral_neck=-2.6)),
        says={"fda-denosumab.taken", "fda-denosumab.kidney", "commonly-stated.kidney"},
        struck=(*BISPHOSPHONATES, *PARATHYROID),
    ),
    "bisphosphonate for ten years, thigh pain": Patient(
        of(
            WOMAN, age=74, drug="alendronate", drug_months=120, symptoms=["thigh_or_groin_pain"]
        ),
        says={
            "antiresorptive-labels.thigh-pain", "aff-rates.8", "endocrine-2020.reassess",
            "commonly-stated.long-bisphosphonate",
        },
    ),
    "bisphosphonate ended last year, thigh pain": Patient(
        of(
            WOMAN, age=74, drug="none", symptoms=["thigh_or_groin_pain"],
            **ended("alendronate", months=120, months_ago=12),
        ),
        says={"antiresorptive-labels.thigh-pain"},
    ),
    "stricture of the oesophagus": Patient(
        of(WOMAN, age=70, oesophageal_disease=True, **t(femoral_neck=-2.6)),
        says={"bisphosphonate-labels.oesophagus", "commonly-stated.oesophagus"},
        struck=ORAL,
        begins=True,
    ),
    "stricture on ibandronate by mouth": Patient(
        of(WOMAN, age=70, oesophageal_disease=True, drug="ibandronate"),
        struck=ORAL,
    ),
    "38, prednisolone 10 mg for 6 months": Patient(
        {
            "sex": "female", "age": 38, "menopause": "premenopausal", "glucocorticoid_mg": 10,
            "glucocorticoid_months": 6, **z(lumbar_spine=-1.5),
        },
        says={"acr-2022.assess-under-40", "acr-2022-quoted.under-40", "iscd-2005.z-score"},
        never={"acr-2022.assess-from-40", "acr-2022.treat", *CLASSES},
    ),
    "38, prednisolone 10 mg for 6 months, Z −3.2": Patient(
        {
            "sex": "female", "age": 38, "menopause": "premenopausal", "glucocorticoid_mg": 10,
            "glucocorticoid_months": 6, **z(lumbar_spine=-3.2),
        },
        says={"acr-2022.treat", "acr-2022.first", "commonly-stated.child-bearing"},
        begins=True,
    ),
    "66, prednisolone 10 mg for 6 months": Patient(
        of(
            WOMAN, age=66, glucocorticoid_mg=10, glucocorticoid_months=6, **t(femoral_neck=-1.8)
        ),
        says={
            "acr-2022.assess-from-40", "acr-2022.treat", "acr-2022.first",
            "acr-2022-quoted.frax-dose", "commonly-stated.nogg-glucocorticoids",
            "dvo-2023-quoted.glucocorticoids",
        },
        never={"acp-2023.women", "acr-2022.assess-under-40"},
        begins=True,
    ),
    "teriparatide after radiotherapy": Patient(
        of(WOMAN, age=70, drug="teriparatide", skeletal_radiotherapy=True),
        says={"eu-parathyroid.radiotherapy"},
        struck=PARATHYROID,
    ),
    "teriparatide with metastases of bone": Patient(
        of(WOMAN, age=70, drug="teriparatide", bone_cancer=True),
        says={"eu-parathyroid.bone-cancer", "commonly-stated.bone-tumour"},
        struck=PARATHYROID,
    ),
    "very high risk and Paget's disease": Patient(
        of(WOMAN, age=70, paget=True, **t(femoral_neck=-3.4)),
        says={"aace-2020.very-high", "eu-parathyroid.paget"},
        struck=PARATHYROID,
        begins=True,
    ),
    "thrombosis on raloxifene": Patient(
        of(WOMAN, age=60, drug="raloxifene", thrombosis=True),
        says={"raloxifene-label.clot-now", "raloxifene-label.thrombosis"},
        struck=("raloxifene", "hormone_therapy"),
    ),
    "hormones and breast cancer": Patient(
        of(WOMAN, age=56, drug="hormone_therapy", breast_cancer=True),
        says={"hormone-therapy.breast-cancer"},
        struck=("hormone_therapy",),
    ),
    "pregnant at 28": Patient(
        {"sex": "female", "age": 28, "pregnant": True, **z(lumbar_spine=-2.4)},
        says={"commonly-stated.pregnancy", "commonly-stated.pregnancy-referral"},
        never=CLASSES,
        struck=EVERY,
    ),
    "low calcium": Patient(
        of(WOMAN, age=70, calcium="low", **t(femoral_neck=-3.2)),
        says={"aace-2020.very-high"},
        struck=(*BISPHOSPHONATES, "denosumab", "romosozumab"),
        begins=True,
    ),
    "low calcium on denosumab": Patient(
        of(WOMAN, age=70, calcium="low", drug="denosumab"),
        says={"denosumab-label.calcium-now"},
        struck=("denosumab",),
    ),
    "vertebra broken a month ago": Patient(
        of(WOMAN, age=70, **broke("vertebra", months_ago=1), **t(femoral_neck=-2.6)),
        says={
            "commonly-stated.recent-vertebra", "who-classes.severe", "aace-2020.very-high-risk",
            "dvo-2023-quoted.fracture", "dvo-2023-quoted.imminent", "nice-ta791.romosozumab",
            "nogg-2024.very-high-risk",
        },
        begins=True,
    ),
    "woman of 55, hip broken, menopause not entered": Patient(
        {"sex": "female", "age": 55, **broke("hip")},
        says={"commonly-stated.fracture", "secondary-causes.tests"},
        never={"bhof-2022.fracture"},
    ),
    "a tooth to be pulled": Patient(
        of(WOMAN, age=70, dental_procedure=True, **t(femoral_neck=-2.6)),
        says={"antiresorptive-labels.dental"},
        begins=True,
    ),
    "a tooth to be pulled on denosumab": Patient(
        of(WOMAN, age=70, dental_procedure=True, drug="denosumab"),
        says={"antiresorptive-labels.dental", "denosumab-label.continued"},
    ),
    "exposed bone of the jaw on denosumab": Patient(
        of(WOMAN, age=70, symptoms=["jaw_trouble"], **denosumab(20)),
        says={"antiresorptive-labels.jaw-trouble", "denosumab-label.continued"},
    ),
    "exposed bone of the jaw, alendronate ended": Patient(
        of(
            WOMAN, age=70, symptoms=["jaw_trouble"], drug="none",
            **ended("alendronate", months=60, months_ago=24),
        ),
        says={"antiresorptive-labels.jaw-trouble"},
    ),
    "GFR 28 on alendronate": Patient(
        of(WOMAN, age=74, egfr=28, drug="alendronate", **t(femoral_neck=-2.6)),
        says={"drug-table.kidney-30", "drug-table.kidney-35"},
        struck=BISPHOSPHONATES,
    ),
    "GFR 32, nothing taken": Patient(
        of(WOMAN, age=74, egfr=32, drug="none", **t(femoral_neck=-2.6)),
        says={"drug-table.kidney-35"},
        never={"drug-table.kidney-30"},
        struck=("alendronate", "zoledronate"),
        begins=True,
    ),
    "very high risk and metastases of bone": Patient(
        of(WOMAN, age=72, bone_cancer=True, high_fall_risk=True, **t(femoral_neck=-3.2)),
        says={"aace-2020.very-high", "eu-parathyroid.bone-cancer"},
        struck=PARATHYROID,
        begins=True,
    ),
}  # fmt: skip

SAME_DAY = {
    "infarction last month on romosozumab", "stroke during romosozumab, nobody knows when",
    "chest pain on romosozumab", "denosumab stopped seven months ago",
    "denosumab eight weeks late", "dialysis on denosumab", "low calcium on denosumab",
    "bisphosphonate for ten years, thigh pain", "bisphosphonate ended last year, thigh pain",
    "thrombosis on raloxifene", "vertebra broken a month ago",
    "exposed bone of the jaw on denosumab", "exposed bone of the jaw, alendronate ended",
}  # fmt: skip


def test_there_are_enough() -> None:
    assert len(PATIENTS) >= 16
    assert PATIENTS.keys() >= SAME_DAY


@pytest.mark.parametrize("name", PATIENTS)
def test_what_is_said_and_what_is_not(name: str) -> None:
    patient = PATIENTS[name]
    answer = consider(read(patient.facts), TODAY)
    ids = {one.id for one in answer.considerations}
    assert patient.says <= ids
    assert not patient.never & ids
    assert set(patient.struck) <= {it.drug for it in answer.drugs if it.forbidden}
    red = [one for one in answer.considerations if one.kind == "red_flag"]
    assert bool(red) == (name in SAME_DAY)
    left = {it.drug for one in answer.considerations for it in one.drugs if left_to_begin(one, it)}
    assert bool(left) == patient.begins
    assert not left & set(patient.struck)
    assert all(it.cautions for it in answer.drugs)
    # Silence is no answer: beside what holds for everybody something is said of each.
    assert any(one.kind != "lifestyle" for one in answer.considerations)


def left_to_begin(one: Consideration, it: Any) -> bool:
    return one.kind == "choice" and not it.forbidden


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", PATIENTS)
def test_the_page_tells_it_shortly_first(name: str, language: str) -> None:
    patient = PATIENTS[name]
    facts = read(patient.facts)
    answer = consider(facts, TODAY)
    with speaking(language):
        shown = Considered.of(facts, answer)
    assert bool(shown.red_flags) == (name in SAME_DAY)
    assert bool(shown.taken) == (facts.drug in patient.struck)
    assert bool(shown.summary.choices) == patient.begins
    assert shown.summary.taken_forbidden == bool(shown.taken)
    assumed = {one.fact for one in answer.assumptions}
    assert bool(shown.assumed) == bool(assumed)
    if language == "de":
        for group in shown.groups:
            places = [line.source.startswith("Dachverband") for line in group.lines]
            assert places == sorted(places, reverse=True)


def test_an_assumption_is_said() -> None:
    answer = consider(read(PATIENTS["woman of 75, menopause not entered"].facts), TODAY)
    (assumed,) = answer.assumptions
    assert (assumed.fact, assumed.value) == ("menopause", "postmenopausal")
    entered = of(PATIENTS["woman of 75, menopause not entered"].facts, menopause="postmenopausal")
    assert consider(read(entered), TODAY).assumptions == ()


@pytest.mark.anyio
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", [name for name, one in PATIENTS.items() if one.form])
async def test_the_form_says_what_the_api_says(shared: Front, name: str, language: str) -> None:
    patient = PATIENTS[name]
    body = (await shared.client.post(API, json=patient.facts)).json()
    assert patient.says <= {one["id"] for one in body["considerations"]}
    headers = {"Accept-Language": language}
    response = await shared.client.post(PAGE, data=patient.form, headers=headers)
    page = html.fromstring(response.text)
    assert response.status_code == 200
    assert bool(page.xpath("//*[@id='group-red_flag']")) == (name in SAME_DAY)
    (first,) = page.xpath("//*[@id='considered']//section[@class='short']")
    assert first.xpath("not(ancestor::details)")
    with speaking(language):
        names = {drug: _(NAMES[drug]) for drug in patient.struck}
    for drug, word in names.items():
        (row,) = page.xpath(f"//*[@id='drug-{drug}']")
        assert row.xpath("p/del")[0].text_content() == word
        # Said beside it, since a line through a word is not read out.
        assert row.xpath("p/strong[@class='forbidden']")[0].text_content().strip()
    for item in page.xpath("//ul[@class='named']/li"):
        struck = bool(item.xpath("del"))
        assert struck == bool(item.xpath("strong[@class='forbidden']"))
        if item.text_content().strip() in names.values():
            pytest.fail("a forbidden drug stands unstruck")
