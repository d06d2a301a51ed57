"""What cannot be true of one person at once. Known before any rule, so that none builds on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from service.errors import Fault
from service.language.locale import N_

if TYPE_CHECKING:
    from service.medicine.guidance.facts import Facts

LATEST_MENOPAUSE: Final = 65
"""Age in years from which nobody is before menopause, or pregnant."""


def contradictions(facts: Facts) -> Iterator[Fault]:
    """Yield a fault for each field that another one excludes."""
    for found in (_sex, _menopause, _height, _kidney_and_risk, _glucocorticoids, _drugs, _times):
        for field, sentence, values in found(facts):
            yield Fault(field, "contradiction", sentence, values)


_Faults = Iterator[tuple[str, str, dict[str, str]]]


def _sex(facts: Facts) -> _Faults:
    if facts.sex != "male":
        return
    if facts.menopause is not None:
        yield "menopause", N_("A man has no menopause: look at the sex, or leave this empty."), {}
    if facts.menopause_age is not None:
        sentence = N_("A man has no menopause: look at the sex, or leave this empty.")
        yield "menopause_age", sentence, {}
    if facts.pregnant:
        yield "pregnant", N_("A man is not pregnant: look at the sex, or leave this empty."), {}


def _menopause(facts: Facts) -> _Faults:
    age, at = facts.age, facts.menopause_age
    if age is not None and facts.menopause == "premenopausal" and age >= LATEST_MENOPAUSE:
        sentence = N_("From the age of %(age)s on nobody is before menopause: look at the age.")
        yield "menopause", sentence, {"age": str(LATEST_MENOPAUSE)}
    if facts.pregnant and age is not None and age >= LATEST_MENOPAUSE:
        sentence = N_("From the age of %(age)s on nobody is pregnant: look at the age.")
        yield "pregnant", sentence, {"age": str(LATEST_MENOPAUSE)}
    if facts.pregnant and (facts.menopause == "postmenopausal" or at is not None):
        yield "pregnant", N_("After menopause nobody is pregnant: one of the two is wrong."), {}
    if at is None:
        return
    if facts.menopause == "premenopausal":
        sentence = N_("An age at menopause is entered, and that it has not come: one is wrong.")
        yield "menopause_age", sentence, {}
    if age is not None and at > age:
        yield "menopause_age", N_("Menopause cannot come after the present age."), {}


def _height(facts: Facts) -> _Faults:
    if facts.height_cm and facts.tallest_cm and facts.tallest_cm < facts.height_cm:
        yield "tallest_cm", N_("The greatest height cannot be less than the present one."), {}


def _kidney_and_risk(facts: Facts) -> _Faults:
    hip, major = facts.frax_hip, facts.frax_major
    if hip is not None and major is not None and hip > major:
        sentence = N_("FRAX for the hip cannot be more than for all major fractures together.")
        yield "frax_hip", sentence, {}
    if facts.mi_or_stroke is False and facts.mi_or_stroke_months_ago is not None:
        sentence = N_("It says that there never was one, but how long ago is entered.")
        yield "mi_or_stroke", sentence, {}


def _glucocorticoids(facts: Facts) -> _Faults:
    months = facts.glucocorticoid_months
    dosed = (facts.glucocorticoid_mg or 0) > 0 and (months is None or months >= 3)
    if facts.glucocorticoids is False and dosed:
        sentence = N_("It says that none are taken for long, but a dose is entered.")
        yield "glucocorticoids", sentence, {}


def _drugs(facts: Facts) -> _Faults:
    if facts.drug != "none":
        return
    if facts.drug_months is not None:
        sentence = N_("It says that no drug is taken now: enter the time with the earlier drugs.")
        yield "drug_months", sentence, {}
    if facts.last_dose_weeks_ago is not None:
        sentence = N_("It says that no drug is taken now: enter the drug with the earlier ones.")
        yield "last_dose_weeks_ago", sentence, {}


def _times(facts: Facts) -> _Faults:
    """A time that is longer than the life."""
    if facts.age is None:
        return
    longest = (facts.age + 1) * 12
    times = {
        "drug_months": facts.drug_months,
        "mi_or_stroke_months_ago": facts.mi_or_stroke_months_ago,
        "glucocorticoid_months": facts.glucocorticoid_months,
        **{
            f"fractures.{row}.months_ago": one.months_ago
            for row, one in enumerate(facts.fractures or ())
        },
        **{
            f"earlier_drugs.{row}.{part}": getattr(one, part)
            for row, one in enumerate(facts.earlier_drugs or ())
            for part in ("months", "months_ago")
        },
    }
    for field, months in times.items():
        if months is not None and months >= longest:
            yield field, N_("This is longer than the age entered: these are months."), {}
