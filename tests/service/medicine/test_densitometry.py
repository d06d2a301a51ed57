"""One limit, one home: what the rules of treatment, the result page and the articles say agree."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from service.exams.schemas import Exam
from service.medicine import densitometry, guidance
from service.medicine.guidance.facts import read
from service.medicine.guidance.form import parse
from service.medicine.guidance.study import fields_of
from service.predictions.reported import RANGES, Reported, outside_intended_use
from service.predictions.schemas import EXAMPLE
from service.web.articles import CONTENT

WOMAN = {"sex": "female", "menopause": "postmenopausal", "age": 70}
RULES = {
    "osteoporosis": "who-classes.osteoporosis",
    "low_mass": "esceo-2019.low-mass",
    "normal": "who-classes.normal",
}


TODAY = date(2026, 11, 25)


def exam(**facts: Any) -> Exam:
    return Exam(prediction_id=EXAMPLE["id"], **facts)


def written(score: float) -> str:
    return f"{score:.1f}".replace("-", "−")


@pytest.mark.parametrize("tenths", range(-60, 61))
def test_page_and_rules_put_a_t_score_into_the_same_range(tenths: int) -> None:
    score = tenths / 10
    found = densitometry.range_of(score)
    facts = read({**WOMAN, "t_scores": {"lumbar_spine": score}})
    answer = guidance.consider(facts, TODAY)
    said = {one.id for one in answer.considerations} & set(RULES.values())
    assert said == {RULES[found]}
    reported = Reported.of(exam(t_score=score, sex="male", age_years=70), "indeterminate")
    assert reported is not None
    assert reported.range == RANGES[found]


PEOPLE: list[tuple[dict[str, Any], str | None, str]] = [
    # sex and age of a study, whose score is read, the models' intended use
    ({"sex": "female", "age_years": 30}, "z", "Outside"),
    ({"sex": "female", "age_years": 44}, "z", "Outside"),
    ({"sex": "female", "age_years": 45}, None, "Perhaps outside"),
    ({"sex": "female", "age_years": 49}, None, "Perhaps outside"),
    ({"sex": "female", "age_years": 55}, None, ""),
    ({"sex": "female", "age_years": 60}, "t", ""),
    ({"sex": "female", "age_years": 75}, "t", ""),
    ({"sex": "male", "age_years": 45}, "z", "Outside"),
    ({"sex": "male", "age_years": 49}, "z", "Outside"),
    ({"sex": "male", "age_years": 50}, "t", ""),
    ({"age_years": 30}, "z", "Outside"),
    ({"age_years": 47}, None, "Perhaps outside"),
    ({"age_years": 55}, None, ""),
    ({"age_years": 70}, "t", ""),
    ({"sex": "female"}, None, ""),
    ({"sex": "male"}, None, ""),
    ({}, None, ""),
]


@pytest.mark.parametrize(("person", "score", "outside"), PEOPLE, ids=str)
def test_result_and_treatment_class_the_same_people(
    person: dict[str, Any], score: str | None, outside: str
) -> None:
    study = exam(t_score=-2.6, **person)
    reported = Reported.of(study, "normal")
    assert reported is not None
    classed, may_be = RANGES["osteoporosis"] in reported.range, " if it is of" in reported.range
    assert (classed, may_be) == {"t": (True, False), "z": (False, False), None: (True, True)}[score]
    assert reported.differs == (score != "z")
    assert outside_intended_use(study).split(":")[0].startswith(outside)
    assert bool(outside_intended_use(study)) == bool(outside)

    said = {
        one.id
        for one in guidance.consider(parse(fields_of(study), TODAY), TODAY).considerations
        if one.kind == "range"
    }
    expected = {
        "t": {"who-classes.osteoporosis"}, "z": {"iscd-2005.z-score"},
        None: {"iscd-2005.whose-score"},
    }  # fmt: skip
    assert said == expected[score]


def test_one_vertebra_is_classed_nowhere() -> None:
    study = exam(t_score=-2.6, sex="female", age_years=70, vertebrae=("L3",))
    reported = Reported.of(study, "normal")
    assert reported is not None
    assert "single vertebra" in reported.range
    answer = guidance.consider(parse(fields_of(study), TODAY), TODAY)
    assert "who-classes.osteoporosis" not in {one.id for one in answer.considerations}


def test_a_menopause_is_assumed_at_its_ages_alone() -> None:
    assumed = [densitometry.assumed_menopause(age) for age in (18, 44, 45, 59, 60, 100)]
    assert assumed == ["premenopausal"] * 2 + [None] * 2 + ["postmenopausal"] * 2


def test_words_hold_the_limits() -> None:
    low, mass = written(densitometry.OSTEOPOROSIS), written(densitometry.LOW_MASS)
    assert f"{low} or lower" in RANGES["osteoporosis"]
    assert f"between {low} and {mass}" in RANGES["low_mass"]
    assert f"{mass} or higher" in RANGES["normal"]


@pytest.mark.parametrize("article", ["faq", "treatment"])
def test_articles_hold_the_limits(article: str) -> None:
    text = " ".join((CONTENT / "en" / f"{article}.md").read_text().split())
    assert f"T-score of {written(densitometry.OSTEOPOROSIS)} or lower" in text
