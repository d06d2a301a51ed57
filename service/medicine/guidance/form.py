"""The form in which facts are entered, and the way from its fields to the facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from service.errors import Fault
from service.language.locale import N_, _
from service.medicine.guidance.facts import Facts, FactsError, read
from service.medicine.guidance.words import (
    CHOICES,
    LAST_DOSE,
    NO_SYMPTOM,
    NUMBERS,
    SYMPTOMS,
    YES_NO,
    fact_of,
    label,
)
from service.web.forms import Field, FieldGroup, number, options

ROWS: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "fractures": (3, ("site", "months_ago", "on_therapy")),
    "earlier_drugs": (2, ("drug", "months", "months_ago")),
}
"""Lists: how many rows the form has room for (the API takes more), and the fields of a row."""

_LISTED: Final[Mapping[str, Mapping[str, str]]] = {
    "fractures": {"none": N_("none"), "some": N_("as entered below")},
    "earlier_drugs": {"none": N_("none"), "some": N_("as entered below")},
}


def _rows(name: str) -> tuple[str, ...]:
    number, parts = ROWS[name]
    return (name, *(f"{name}.{row}.{part}" for row in range(number) for part in parts))


_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    N_("Person"): (
        "age", "sex", "menopause", "menopause_age", "pregnant", "height_cm", "tallest_cm",
        "diagnosed_before", "risk_factor",
    ),
    N_("Bone density"): (
        "t_scores.lumbar_spine", "t_scores.total_hip", "t_scores.femoral_neck",
        "t_scores.one_third_radius", "evaluable_vertebrae", "forearm_indicated",
        "z_scores.lumbar_spine", "z_scores.total_hip", "z_scores.femoral_neck",
        "ct_hu", "heel_ultrasound",
    ),
    N_("Fragility fractures"): (*_rows("fractures"), "reported_vertebral_fracture"),
    N_("Risk"): (
        "dvo_risk", "frax_major", "frax_hip", "high_fall_risk", "glucocorticoids",
        "glucocorticoid_mg", "glucocorticoid_months",
    ),
    N_("Treatment now"): ("drug", "drug_months", LAST_DOSE, "bone_loss", "dental_procedure"),
    N_("Treatment before"): _rows("earlier_drugs"),
    N_("New symptoms"): (*(f"symptoms.{name}" for name in SYMPTOMS), "symptoms.none"),
    N_("Kidney and calcium"): ("egfr", "dialysis", "calcium", "vitamin_d"),
    N_("Heart, vessels, oesophagus"): (
        "mi_or_stroke", "mi_or_stroke_months_ago", "thrombosis", "oesophageal_disease",
        "upright_impossible",
    ),
    N_("Tumours and bone"): (
        "breast_cancer", "bone_cancer", "skeletal_radiotherapy", "paget", "suspected_malignancy",
    ),
}  # fmt: skip


def groups(sent: Mapping[str, str], faults: Mapping[str, Fault]) -> tuple[FieldGroup, ...]:
    """Return the form with what was ``sent`` in it, and each fault beside its field."""
    return tuple(
        FieldGroup(title=_(title), fields=tuple(_field(name, sent, faults) for name in names))
        for title, names in _GROUPS.items()
    )


def _field(name: str, sent: Mapping[str, str], faults: Mapping[str, Fault]) -> Field:
    fact, value = fact_of(name), sent.get(name, "")
    told = {"symptoms.none": "symptoms", LAST_DOSE: "last_dose_weeks_ago"}.get(name, name)
    fault = faults.get(name) or faults.get(told)
    error = _(fault.sentence, **fault.values) if fault else ""
    id = "fact-" + name.replace(".", "-").replace("_", "-")
    if name.startswith("symptoms."):
        words = _(SYMPTOMS.get(name.removeprefix("symptoms."), NO_SYMPTOM))
        return Field(name=name, id=id, label=words, kind="checkbox", value=value, error=error)
    row = name.split(".")[1] if fact != name else ""
    words = f"{int(row) + 1}. {label(name)}" if row else label(name)
    if fact == LAST_DOSE:
        hint = _("of the present drug, such as the last injection")
        return Field(
            name=name, id=id, label=words, kind="date", value=value, hint=hint, error=error
        )
    if fact not in NUMBERS:
        return Field(
            name=name,
            id=id,
            label=words,
            kind="select",
            value=value,
            options=options(_words(fact), value),
            error=error,
        )
    step, unit = NUMBERS[fact]
    return Field(
        name=name,
        id=id,
        label=words,
        value=value,
        hint=_(unit) if unit else "",
        error=error,
        inputmode="numeric" if step == "1" else "text",
        maxlength=20,
    )


def _words(fact: str) -> Mapping[str, str]:
    """Return the words for what can be chosen as ``fact``, by value; empty: nothing is known."""
    words = CHOICES.get("fractures" if fact == "fractures.site" else fact, YES_NO)
    return {"": N_("not known"), **_LISTED.get(fact, words)}


def parse(sent: Mapping[str, str], today: date) -> Facts:
    """Return the facts in a form's fields. Raises :class:`FactsError`."""
    contradictions = tuple(_contradictions(sent, today))
    if contradictions:
        raise FactsError(contradictions)
    facts: dict[str, Any] = {"t_scores": {}, "z_scores": {}}
    rows: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in ROWS}
    known = {name for names in _GROUPS.values() for name in names}
    for name, text in sent.items():
        group, _dot, part = name.partition(".")
        if name not in known:
            facts["unknown"] = True
        elif name == LAST_DOSE:
            days = (today - date.fromisoformat(text)).days
            facts["last_dose_weeks_ago"] = max(days, 0) // 7
        elif group in ("t_scores", "z_scores"):
            facts[group][part] = _value(name, text)
        elif part and group in ROWS:
            row, _dot, part = part.partition(".")
            rows[group].setdefault(int(row), {})[part] = _value(name, text)
        elif group not in (*ROWS, "symptoms"):
            facts[name] = _value(name, text)
    for name, entered in rows.items():
        if entered or sent.get(name) == "none":
            facts[name] = [entered[row] for row in sorted(entered)]
    symptoms = [name for name in SYMPTOMS if f"symptoms.{name}" in sent]
    if symptoms or "symptoms.none" in sent:
        facts["symptoms"] = symptoms
    try:
        return read(facts)
    except FactsError as error:
        raise FactsError(_by_field(error.faults, rows)) from None


_ROWS_FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    "fractures": (
        N_("It says none, but fractures are entered below."),
        N_("It says that fractures are entered below; none are."),
    ),
    "earlier_drugs": (
        N_("It says none, but earlier drugs are entered below."),
        N_("It says that earlier drugs are entered below; none are."),
    ),
}


def _contradictions(sent: Mapping[str, str], today: date) -> Iterator[Fault]:
    def fault(field: str, sentence: str) -> Fault:
        return Fault(field, "contradiction", sentence)

    for name, (though, without) in _ROWS_FAULTS.items():
        entered = any(one.startswith(f"{name}.") for one in sent)
        if sent.get(name) == "none" and entered:
            yield fault(name, though)
        if sent.get(name) == "some" and not entered:
            yield fault(name, without)
    if "symptoms.none" in sent and any(f"symptoms.{name}" in sent for name in SYMPTOMS):
        yield fault("symptoms", N_("It says none of these, but some are chosen."))
    if LAST_DOSE in sent:
        try:
            dose = date.fromisoformat(sent[LAST_DOSE])
        except ValueError:
            yield fault(LAST_DOSE, N_("Enter a date as year-month-day."))
        else:
            # In another zone it may be tomorrow already.
            if not _EARLIEST <= dose <= today + timedelta(days=1):
                yield fault(LAST_DOSE, N_("Enter a day from 1990 to today."))


_EARLIEST: Final = date(1990, 1, 1)


def _by_field(faults: Iterable[Fault], rows: Mapping[str, Mapping[int, object]]) -> Iterator[Fault]:
    """Lists are counted as they came; the form counts its rows."""
    for fault in faults:
        parts = fault.field.split(".")
        if parts[0] in rows and len(parts) > 1:
            parts[1] = str(sorted(rows[parts[0]])[int(parts[1])])
        yield replace(fault, field=".".join(parts))


def _value(name: str, text: str) -> Any:
    """Return a field as the facts take it; what is no such value stays text, to be refused."""
    fact = fact_of(name)
    if fact in NUMBERS:
        return number(text)
    if fact in CHOICES or fact == "fractures.site":
        return text
    return {"yes": True, "no": False}.get(text, text)
