"""One limit, one home: what the rules of treatment, the result page and the articles say agree."""

from __future__ import annotations

from datetime import date

import pytest

from service.exams.schemas import Exam
from service.medicine import densitometry, guidance
from service.medicine.guidance.facts import read
from service.predictions.contexts import RANGES, Reported
from service.predictions.schemas import EXAMPLE
from service.web.articles import CONTENT

WOMAN = {"sex": "female", "menopause": "postmenopausal", "age": 70}
RULES = {
    "osteoporosis": "who-classes.osteoporosis",
    "low_mass": "esceo-2019.low-mass",
    "normal": "who-classes.normal",
}


def written(score: float) -> str:
    return f"{score:.1f}".replace("-", "−")


@pytest.mark.parametrize("tenths", range(-60, 61))
def test_page_and_rules_put_a_t_score_into_the_same_range(tenths: int) -> None:
    score = tenths / 10
    found = densitometry.range_of(score)
    facts = read({**WOMAN, "t_scores": {"lumbar_spine": score}})
    answer = guidance.consider(facts, date(2026, 11, 25))
    said = {one.id for one in answer.considerations} & set(RULES.values())
    assert said == {RULES[found]}
    reported = Reported.of(Exam(prediction_id=EXAMPLE["id"], t_score=score), "indeterminate")
    assert reported is not None
    assert reported.range == RANGES[found]


def test_words_hold_the_limits() -> None:
    low, mass = written(densitometry.OSTEOPOROSIS), written(densitometry.LOW_MASS)
    assert f"{low} or lower" in RANGES["osteoporosis"]
    assert f"between {low} and {mass}" in RANGES["low_mass"]
    assert f"{mass} or higher" in RANGES["normal"]


@pytest.mark.parametrize("article", ["faq", "treatment"])
def test_articles_hold_the_limits(article: str) -> None:
    text = " ".join((CONTENT / "en" / f"{article}.md").read_text().split())
    assert f"T-score of {written(densitometry.OSTEOPOROSIS)} or lower" in text
