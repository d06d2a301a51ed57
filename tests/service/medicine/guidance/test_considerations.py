from __future__ import annotations

import datetime
import random
from typing import Any

import pytest

from service.medicine.drugs import EVERY
from service.medicine.guidance import consider
from service.medicine.guidance.facts import Earlier, Facts, FactsError, Fracture, read
from service.medicine.guidance.guidelines import GUIDELINES, REVIEW
from service.medicine.guidance.words import LABELS, label, shown
from tests.service.medicine.guidance.test_rules import LOW, OSTEOPOROTIC, TODAY, WOMAN, of, t

FORBIDDEN = ("probability", "image", "prediction", "outcome", "model", "scan", "score_ai")


def test_no_fact_is_of_an_image() -> None:
    names = {*Facts.model_fields, *Fracture.model_fields, *Earlier.model_fields}
    assert not [name for name in names for word in FORBIDDEN if word in name]
    with pytest.raises(FactsError, match="not one that is known"):
        read({"probability": 0.97})


def drawn(random_: random.Random) -> dict[str, Any]:
    """Return facts at random, each known in about half of the cases."""
    sites = ("lumbar_spine", "total_hip", "femoral_neck", "one_third_radius")
    choices: dict[str, Any] = {
        "age": lambda: random_.randint(18, 100),
        "sex": lambda: random_.choice(["female", "male"]),
        "menopause": lambda: random_.choice(["premenopausal", "postmenopausal"]),
        "t_scores": lambda: {s: random_.randint(-50, 20) / 10 for s in random_.sample(sites, 2)},
        "z_scores": lambda: {s: random_.randint(-50, 20) / 10 for s in random_.sample(sites, 2)},
        "evaluable_vertebrae": lambda: random_.randint(0, 4),
        "ct_hu": lambda: random_.randint(300, 2500) / 10,
        "heel_ultrasound": lambda: random_.choice(["low", "between", "not_low"]),
        "forearm_indicated": lambda: random_.random() < 0.5,
        "fractures": lambda: [
            {
                "site": random_.choice(["hip", "vertebra", "forearm", "other"]),
                "months_ago": random_.choice([None, 1, 24]),
                "on_therapy": random_.choice([None, True, False]),
            }
            for _ in range(random_.randint(0, 3))
        ],
        "frax_major": lambda: random_.randint(0, 500) / 10,
        "frax_hip": lambda: random_.randint(0, 100) / 10,
        "egfr": lambda: random_.randint(5, 100),
        "dialysis": lambda: random_.random() < 0.5,
        "calcium": lambda: random_.choice(["low", "normal", "high"]),
        "mi_or_stroke": lambda: random_.random() < 0.5,
        "mi_or_stroke_months_ago": lambda: random_.randint(0, 40),
        "drug": lambda: random_.choice([*EVERY, "none"]),
        "last_dose_weeks_ago": lambda: random_.randint(0, 80),
        "earlier_drugs": lambda: [
            {
                "drug": random_.choice(EVERY),
                "months": random_.choice([None, 6, 24]),
                "months_ago": random_.choice([None, 3, 9, 30]),
            }
            for _ in range(random_.randint(0, 2))
        ],
        "menopause_age": lambda: random_.randint(35, 55),
        "glucocorticoid_mg": lambda: random_.choice([2.0, 5.0, 10.0, 40.0]),
        "glucocorticoid_months": lambda: random_.randint(0, 24),
        "dvo_risk": lambda: random_.randint(0, 150) / 10,
        "height_cm": lambda: random_.randint(150, 165),
        "tallest_cm": lambda: random_.randint(155, 175),
        **{
            name: lambda: random_.random() < 0.3
            for name in (
                "pregnant",
                "thrombosis",
                "breast_cancer",
                "bone_cancer",
                "skeletal_radiotherapy",
                "paget",
                "oesophageal_disease",
                "upright_impossible",
                "dental_procedure",
            )
        },
        "drug_months": lambda: random_.randint(0, 120),
        "glucocorticoids": lambda: random_.random() < 0.5,
        "symptoms": lambda: random_.sample(["back_pain", "chest_pain"], random_.randint(0, 2)),
    }
    return {name: make() for name, make in choices.items() if random_.random() < 0.5}


def given(facts: Facts, name: str) -> list[Any]:
    """Return every value that the facts hold under a name as reasons have it."""
    head, _, rest = name.partition(".")
    value = getattr(facts, head)
    if head == "earlier_drugs" and value is not None:
        return [getattr(item, rest or "drug") for item in value]
    if head == "fractures" and value is not None:
        if rest == "number":
            return [len(value)]
        return [getattr(item, rest or "site") for item in value]
    if head == "symptoms" and value is not None:
        return list(value)
    return [getattr(value, rest) if rest else value]


def possible(seed: int) -> Facts:
    """Return facts at random that may be of one person."""
    random_ = random.Random(seed)  # noqa: S311 - repeatable, not secret
    while True:
        entered = drawn(random_)
        try:
            return read(entered)
        except FactsError:
            continue  # of no one person


@pytest.mark.parametrize("seed", range(300))
def test_reasons_are_what_was_entered_and_gaps_what_was_not(seed: int) -> None:
    facts = possible(seed)
    answer = consider(facts, TODAY)
    assert answer == consider(facts, TODAY)
    for one in answer.considerations:
        for reason in one.because:
            if reason.fact == "mi_or_stroke":
                assert facts.mi_or_stroke or facts.mi_or_stroke_months_ago is not None
                continue
            if reason.assumed:
                assert given(facts, reason.fact) == [None]
                assert reason.fact in {it.fact for it in answer.assumptions}
                continue
            assert reason.value in given(facts, reason.fact)
            assert label(reason.fact)
            assert shown(reason.fact, reason.value)
        assert one.because or one.kind == "lifestyle"
    for it in answer.assumptions:
        assert given(facts, it.fact) == [None]
        assert given(facts, it.because) != [None]
    for gap in answer.missing:
        assert None in given(facts, gap.fact)
        assert gap.fact in LABELS


def test_what_is_missing_decides_when_it_comes() -> None:
    """Low bone mass without FRAX waits for it, and FRAX settles it."""
    before = consider(read(LOW), TODAY)
    (gap,) = [gap for gap in before.missing if gap.fact == "frax_hip"]
    assert {"bhof-2022.frax", "aace-2020.frax"} <= set(gap.considerations)
    after = {one.id for one in consider(read(of(LOW, frax_hip=3)), TODAY).considerations}
    assert {"bhof-2022.frax", "aace-2020.frax"} <= after


def test_another_site_is_asked_for_until_one_decides() -> None:
    low = {gap.fact for gap in consider(read(LOW), TODAY).missing}
    assert {"t_scores.total_hip", "t_scores.lumbar_spine"} <= low
    decided = {
        rule
        for gap in consider(read(OSTEOPOROTIC), TODAY).missing
        if gap.fact.startswith("t_scores")
        for rule in gap.considerations
    }
    assert "who-classes.osteoporosis" not in decided


def test_guidelines_that_differ_stand_side_by_side() -> None:
    ids = [one.id for one in consider(read(of(WOMAN, age=60)), TODAY).considerations]
    assert {"bhof-2022.vitamin-d-intake", "acog-2022.vitamin-d-600"} <= set(ids)
    both = consider(read(of(OSTEOPOROTIC, egfr=33)), TODAY)
    sources = {one.guideline.organisation for one in both.considerations if one.kind == "threshold"}
    assert len(sources) == 5


def test_after_the_review_the_answer_says_so() -> None:
    facts = read(OSTEOPOROTIC)
    assert not consider(facts, REVIEW.review_due).content.expired
    assert consider(facts, REVIEW.review_due + datetime.timedelta(days=1)).content.expired
    assert all(one.checked <= REVIEW.written for one in GUIDELINES.values())


def test_numbers_are_taken_as_json_means_them() -> None:
    facts = read({"age": 70.0, "egfr": 33, **t(total_hip=-3 * 0.1)})
    assert (facts.age, facts.egfr, facts.t_scores.total_hip) == (70, 33.0, -0.3)


@pytest.mark.parametrize(
    ("sent", "where", "said"),
    [
        (t(femoral_neck=-2.55), "t_scores.femoral_neck", "one decimal"),
        (t(femoral_neck=-6.1), "t_scores.femoral_neck", "-6 or more"),
        (t(femoral_neck=float("nan")), "t_scores.femoral_neck", "a number"),
        (t(SMITH=-1), "t_scores", "not one that is known"),
        ({"SMITH": 1}, "body", "not one that is known"),
        ({"age": "70"}, "age", "whole number"),
        ({"age": True}, "age", "whole number"),
        ({"age": 70.5}, "age", "whole number"),
        ({"age": 140}, "age", "120 or less"),
        ({"age": 3}, "age", "18 or more"),
        ({"age": -1}, "age", "18 or more"),
        ({"height_cm": 40}, "height_cm", "100 or more"),
        ({"height_cm": 300}, "height_cm", "230 or less"),
        ({"height_cm": 170, "tallest_cm": 160}, "tallest_cm", "less than the present"),
        ({"sex": "male", "menopause": "postmenopausal"}, "menopause", "no menopause"),
        ({"sex": "male", "menopause": "premenopausal"}, "menopause", "no menopause"),
        ({"sex": "male", "menopause_age": 50}, "menopause_age", "no menopause"),
        ({"sex": "male", "pregnant": True}, "pregnant", "not pregnant"),
        ({"age": 75, "menopause": "premenopausal"}, "menopause", "look at the age"),
        ({"age": 75, "pregnant": True}, "pregnant", "look at the age"),
        ({"menopause": "postmenopausal", "pregnant": True}, "pregnant", "After menopause"),
        ({"menopause_age": 50, "pregnant": True}, "pregnant", "After menopause"),
        ({"menopause_age": 50, "age": 45}, "menopause_age", "after the present age"),
        ({"menopause_age": 50, "menopause": "premenopausal"}, "menopause_age", "one is wrong"),
        ({"menopause_age": 5}, "menopause_age", "18 or more"),
        ({"frax_hip": 30, "frax_major": 20}, "frax_hip", "cannot be more"),
        ({"mi_or_stroke": False, "mi_or_stroke_months_ago": 1}, "mi_or_stroke", "never was"),
        ({"glucocorticoids": False, "glucocorticoid_mg": 10}, "glucocorticoids", "a dose"),
        ({"drug": "none", "drug_months": 10}, "drug_months", "no drug is taken"),
        ({"drug": "none", "last_dose_weeks_ago": 10}, "last_dose_weeks_ago", "no drug is taken"),
        ({"age": 30, "drug_months": 400}, "drug_months", "longer than the age"),
        (
            {"age": 30, "earlier_drugs": [{"drug": "denosumab", "months_ago": 400}]},
            "earlier_drugs.0.months_ago",
            "longer than the age",
        ),
        (
            {"age": 30, "fractures": [{"site": "hip"}, {"site": "hip", "months_ago": 400}]},
            "fractures.1.months_ago",
            "longer than the age",
        ),
        ({"drug": "SMITH"}, "drug", "alendronate"),
        ({"earlier_drugs": [{"months": 3}]}, "earlier_drugs.0.drug", "needed"),
        ({"sex": "SMITH"}, "sex", "'female' or 'male'"),
        ({"dialysis": 1}, "dialysis", "yes or no"),
        ({"frax_hip": 100.1}, "frax_hip", "100 or less"),
        ({"fractures": [{"months_ago": 3}]}, "fractures.0.site", "needed"),
        ({"fractures": [{"site": "hip"}] * 11}, "fractures", "10 at most"),
        ({"fractures": "SMITH"}, "fractures", "another form"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_taken_is_named_and_not_repeated(
    sent: dict[str, Any], where: str, said: str
) -> None:
    with pytest.raises(FactsError) as caught:
        read(sent)
    assert said in {fault.field: str(fault) for fault in caught.value.faults}[where]
    assert "SMITH" not in str(caught.value)
