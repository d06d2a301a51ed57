"""No drug stands as a choice against what forbids it, and none stands without its cautions."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from service.language.locale import speaking
from service.medicine.drugs import BISPHOSPHONATES, EVERY, NAMES, ORAL, PARATHYROID, Drug
from service.medicine.guidance import Answer, Facts, consider
from service.medicine.guidance.contexts import Considered
from service.medicine.guidance.facts import read
from service.medicine.guidance.rules import RULES, STANDING, contraindications
from tests.service.medicine.guidance.test_considerations import possible
from tests.service.medicine.guidance.test_rules import (
    MAN,
    OSTEOPOROTIC,
    TODAY,
    YOUNG,
    Entered,
    of,
    steroids,
    t,
)

FORBIDDING: dict[str, tuple[Entered, tuple[Drug, ...]]] = {
    # what is entered: what it forbids
    "GFR 35": ({"egfr": 35}, ("alendronate", "zoledronate")),
    "GFR 30": ({"egfr": 30}, BISPHOSPHONATES),
    "GFR 12": ({"egfr": 12}, (*BISPHOSPHONATES, *PARATHYROID, "raloxifene")),
    "dialysis": ({"dialysis": True}, (*BISPHOSPHONATES, *PARATHYROID, "raloxifene")),
    "low calcium": ({"calcium": "low"}, (*BISPHOSPHONATES, "denosumab", "romosozumab")),
    "high calcium": ({"calcium": "high"}, PARATHYROID),
    "infarction, last month": (
        {"mi_or_stroke": True, "mi_or_stroke_months_ago": 1},
        ("romosozumab", "hormone_therapy"),
    ),
    "stroke, ten years ago": (
        {"mi_or_stroke_months_ago": 120},
        ("romosozumab", "hormone_therapy"),
    ),
    "infarction, unknown when": ({"mi_or_stroke": True}, ("romosozumab", "hormone_therapy")),
    "oesophagus": ({"oesophageal_disease": True}, ORAL),
    "cannot sit up": ({"upright_impossible": True}, ORAL),
    "thrombosis": ({"thrombosis": True}, ("raloxifene", "hormone_therapy")),
    "breast cancer": ({"breast_cancer": True}, ("hormone_therapy",)),
    "bone metastases": ({"bone_cancer": True}, PARATHYROID),
    "radiotherapy": ({"skeletal_radiotherapy": True}, PARATHYROID),
    "Paget": ({"paget": True}, PARATHYROID),
    "two years of it": ({"earlier_drugs": [{"drug": "teriparatide", "months": 24}]}, PARATHYROID),
}
BEGINNING: dict[str, Entered] = {
    "high risk": OSTEOPOROTIC,
    "very high risk": of(
        OSTEOPOROTIC, high_fall_risk=True, fractures=[{"site": "vertebra", "months_ago": 2}]
    ),
    "man": of(MAN, dvo_risk=12, **t(femoral_neck=-2.6)),
    "glucocorticoids": of(steroids(10, 6, 66), **t(femoral_neck=-2.6)),
    "DVO 12 %": of(OSTEOPOROTIC, dvo_risk=12),
    "DVO 6 %": of(OSTEOPOROTIC, dvo_risk=6),
    "denosumab stopped": of(
        OSTEOPOROTIC, earlier_drugs=[{"drug": "denosumab", "months_ago": 7, "months": 36}]
    ),
    "early menopause": of(OSTEOPOROTIC, age=48, menopause_age=41),
}


def joined(one: Entered, other: Entered) -> Entered:
    """Return both, their lists of earlier drugs one after another."""
    earlier = [*one.get("earlier_drugs", ()), *other.get("earlier_drugs", ())]
    return {**one, **other, **({"earlier_drugs": earlier} if earlier else {})}


def assert_struck(facts: Facts, answer: Answer) -> None:
    """No drug that a contraindication among the considerations is about is left as a choice."""
    forbidden = {
        it.drug
        for one in answer.considerations
        if one.kind == "contraindication"
        for it in one.drugs
    }
    assert {it.drug for it in answer.drugs if it.forbidden} == forbidden
    for one in answer.considerations:
        for it in (*one.drugs, *one.then):
            assert it.forbidden == (it.drug in forbidden)
            assert bool(it.forbidden_by) == it.forbidden
        if one.kind == "choice":
            assert one.drugs
            assert one.forbidden == all(it.drug in forbidden for it in one.drugs)
    shown = Considered.of(facts, answer)
    names = {NAMES[drug] for drug in forbidden}
    assert not names & set(shown.summary.choices)
    assert shown.summary.taken_forbidden == (facts.drug in forbidden)
    assert bool(shown.taken) == (facts.drug in forbidden)
    for group in shown.groups:
        for line in group.lines:
            for named in (*line.drugs, *line.then):
                assert named.forbidden == (named.name in names)
                assert bool(named.why) == named.forbidden
    for row in (*shown.drugs.named, *shown.drugs.others):
        assert row.forbidden == (row.name in names) == bool(row.contraindications)
        assert row.standing


@pytest.mark.parametrize(
    ("why", "who"), list(itertools.product(FORBIDDING, BEGINNING)), ids=" / ".join
)
def test_what_is_forbidden_is_struck_out_wherever_it_is_named(why: str, who: str) -> None:
    entered, drugs = FORBIDDING[why]
    facts = read(joined(BEGINNING[who], entered))
    answer = consider(facts, TODAY)
    assert set(drugs) <= {it.drug for it in answer.drugs if it.forbidden}
    assert_struck(facts, answer)
    if who != "early menopause":
        assert any(one.kind in ("choice", "red_flag") for one in answer.considerations)


PAIRS = [
    pair
    for pair in itertools.combinations(FORBIDDING, 2)
    if not FORBIDDING[pair[0]][0].keys() & FORBIDDING[pair[1]][0].keys()
]


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_two_reasons_forbid_what_each_forbids(pair: tuple[str, str]) -> None:
    entered = joined(FORBIDDING[pair[0]][0], FORBIDDING[pair[1]][0])
    facts = read(joined(BEGINNING["very high risk"], entered))
    answer = consider(facts, TODAY)
    forbidden = {it.drug for it in answer.drugs if it.forbidden}
    for why in pair:
        assert set(FORBIDDING[why][1]) <= forbidden
    assert_struck(facts, answer)


@pytest.mark.parametrize(
    ("drug", "why"), list(itertools.product(EVERY, FORBIDDING)), ids=" / ".join
)
def test_a_drug_that_is_taken_and_forbidden_is_told_first(drug: Drug, why: str) -> None:
    entered, drugs = FORBIDDING[why]
    facts = read(of(entered, drug=drug, sex="female", age=70))
    answer = consider(facts, TODAY)
    taken = [one for one in answer.considerations if one.taken and one.kind == "contraindication"]
    assert bool(taken) == (drug in drugs)
    assert_struck(facts, answer)


@pytest.mark.parametrize("seed", range(300))
def test_nothing_forbidden_stands_for_anybody(seed: int) -> None:
    facts = possible(seed)
    assert_struck(facts, consider(facts, TODAY))


def test_every_contraindication_was_tried_above() -> None:
    tried = {
        one.id
        for entered in (*(it for it, _ in FORBIDDING.values()), MAN, YOUNG, {"pregnant": True})
        for one in consider(read(entered), TODAY).considerations
    }
    assert {rule.id for rule in contraindications.RULES} <= tried


def test_pregnancy_leaves_none() -> None:
    answer = consider(read({"age": 28, "sex": "female", "pregnant": True}), TODAY)
    assert all(it.forbidden for it in answer.drugs)


TOPICS: dict[str, tuple[str, tuple[Drug, ...]]] = {
    # what is to be found among a drug's cautions: for which
    "jaw": ("jaw", (*BISPHOSPHONATES, "denosumab", "romosozumab")),
    "femur": ("femur", (*BISPHOSPHONATES, "denosumab", "romosozumab")),
    "kidney": ("idney", EVERY),
    "oesophagus": ("Oesophagus", ORAL),
    "calcium": ("calcium", (*BISPHOSPHONATES, "denosumab", "romosozumab", *PARATHYROID)),
    "clots": ("venous thrombosis", ("raloxifene", "hormone_therapy")),
    "stroke": ("stroke", ("raloxifene", "hormone_therapy", "romosozumab")),
    "tumours": ("metastases", PARATHYROID),
    "radiation": ("radiation", PARATHYROID),
    "rebound": ("vertebrae may fracture", ("denosumab",)),
    "time": ("Two years at most", PARATHYROID),
    "pregnancy": ("pregnancy", EVERY),
}


@pytest.mark.parametrize("topic", TOPICS)
def test_cautions_are_complete_without_any_fact(topic: str) -> None:
    word, drugs = TOPICS[topic]
    answer = consider(Facts(), TODAY)
    texts = {one.id: one.text for one in answer.standing}
    for it in answer.drugs:
        if it.drug in drugs:
            assert any(word in texts[id] for id in it.cautions), it.drug


def test_every_caution_is_found_by_its_id() -> None:
    assert not {rule.id for rule in RULES} & {rule.id for rule in STANDING}
    answer = consider(read(BEGINNING["very high risk"]), TODAY)
    known = {one.id for one in (*answer.considerations, *answer.standing)}
    for it in answer.drugs:
        assert {*it.cautions, *it.contraindications, *it.named_by} <= known


def test_no_choice_has_a_drug_in_its_words() -> None:
    """What is in a sentence cannot be struck out alone."""
    for rule in RULES:
        if rule.kind == "choice":
            assert rule.drugs
            assert not [name for name in (*NAMES.values(), *EVERY) if name in rule.text.lower()]


def test_every_drug_has_its_name() -> None:
    assert tuple(NAMES) == EVERY


@pytest.mark.parametrize("language", ["en", "de"])
def test_names_differ_in_every_language(language: str) -> None:
    with speaking(language):
        shown: Any = Considered.of(Facts(), consider(Facts(), TODAY)).drugs.others
    assert len({row.name for row in shown}) == len(EVERY)
