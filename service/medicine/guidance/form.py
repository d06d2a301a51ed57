"""The form in which facts are entered, and the way from its fields to the facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from service.errors import Fault
from service.language.formats import number as written
from service.language.locale import N_, _
from service.medicine.guidance.facts import Facts, FactsError, read
from service.medicine.guidance.logic import Value
from service.web.forms import Field, FieldGroup, number, options

ROWS: Final = 3
"""Fractures that the form has room for; the API takes more."""

NUMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "age": ("1", N_("years")),
    "evaluable_vertebrae": ("1", N_("of L1–L4")),
    "frax_major": ("0.1", N_("%, from the FRAX tool")),
    "frax_hip": ("0.1", N_("%, from the FRAX tool")),
    "egfr": ("any", N_("mL/min")),
    "vitamin_d": ("0.1", N_("ng/mL; nmol/L divided by 2.5")),
    "mi_or_stroke_months_ago": ("1", N_("months")),
    "drug_months": ("1", N_("months")),
    "fractures.months_ago": ("1", N_("months")),
    "fractures.number": ("1", ""),
    **{
        f"{kind}_scores.{site}": ("0.1", N_("as the scanner reports it"))
        for kind in "tz"
        for site in ("lumbar_spine", "total_hip", "femoral_neck", "one_third_radius")
    },
}
"""Step and unit of each fact that is a number."""

LABELS: Final[Mapping[str, str]] = {
    "age": N_("Age"),
    "sex": N_("Sex"),
    "menopause": N_("Menopause"),
    "t_scores.lumbar_spine": N_("T-score, lumbar spine"),
    "t_scores.total_hip": N_("T-score, total hip"),
    "t_scores.femoral_neck": N_("T-score, femoral neck"),
    "t_scores.one_third_radius": N_("T-score, one-third radius"),
    "z_scores.lumbar_spine": N_("Z-score, lumbar spine"),
    "z_scores.total_hip": N_("Z-score, total hip"),
    "z_scores.femoral_neck": N_("Z-score, femoral neck"),
    "z_scores.one_third_radius": N_("Z-score, one-third radius"),
    "evaluable_vertebrae": N_("Vertebrae that can be evaluated"),
    "forearm_indicated": N_("Radius counts, spine or hip cannot be used"),
    "fractures": N_("Fragility fractures"),
    "fractures.site": N_("Site of the fracture"),
    "fractures.months_ago": N_("Fracture, how long ago"),
    "fractures.on_therapy": N_("Fracture while on treatment"),
    "fractures.number": N_("Number of fractures"),
    "diagnosed_before": N_("Osteoporosis diagnosed before"),
    "frax_major": N_("FRAX, major osteoporotic fracture"),
    "frax_hip": N_("FRAX, hip fracture"),
    "high_fall_risk": N_("High risk of falls"),
    "risk_factor": N_("A clinical risk factor for osteoporosis"),
    "glucocorticoids": N_("Long-term glucocorticoids"),
    "suspected_malignancy": N_("Malignancy suspected"),
    "egfr": N_("Estimated GFR"),
    "dialysis": N_("Dialysis"),
    "calcium": N_("Serum calcium"),
    "vitamin_d": N_("25-OH vitamin D"),
    "mi_or_stroke": N_("Myocardial infarction or stroke, ever"),
    "mi_or_stroke_months_ago": N_("Last infarction or stroke, how long ago"),
    "oesophageal_disease": N_("Oesophageal disease"),
    "drug": N_("Present drug against osteoporosis"),
    "drug_months": N_("Time on that drug"),
    "bone_loss": N_("Bone lost on treatment beyond the least significant change"),
    "symptoms": N_("New symptoms"),
    "body": N_("Form"),
}

_YES_NO: Final[Mapping[str, str]] = {"yes": N_("yes"), "no": N_("no")}
_SITES: Final[Mapping[str, str]] = {
    "hip": N_("hip"),
    "vertebra": N_("vertebra"),
    "humerus": N_("humerus"),
    "pelvis": N_("pelvis"),
    "forearm": N_("forearm"),
    "other": N_("another site"),
}
SYMPTOMS: Final[Mapping[str, str]] = {
    "back_pain": N_("severe back pain"),
    "neurological_deficit": N_("neurological deficit"),
    "thigh_or_groin_pain": N_("thigh or groin pain"),
    "chest_pain": N_("chest pain"),
}
NO_SYMPTOM: Final = N_("none of these")
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "sex": {"female": N_("female"), "male": N_("male")},
    "menopause": {
        "premenopausal": N_("before menopause"),
        "postmenopausal": N_("after menopause"),
    },
    "calcium": {"low": N_("low"), "normal": N_("in range"), "high": N_("high")},
    "drug": {
        "none": N_("none"),
        "alendronate": N_("alendronate"),
        "risedronate": N_("risedronate"),
        "ibandronate": N_("ibandronate"),
        "zoledronate": N_("zoledronate"),
        "denosumab": N_("denosumab"),
        "raloxifene": N_("raloxifene"),
        "teriparatide": N_("teriparatide"),
        "abaloparatide": N_("abaloparatide"),
        "romosozumab": N_("romosozumab"),
    },
    "fractures": _SITES,
    "symptoms": SYMPTOMS,
}
"""The words for values of facts that are chosen."""

_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    N_("Person"): ("age", "sex", "menopause", "diagnosed_before", "risk_factor"),
    N_("Bone density"): (
        "t_scores.lumbar_spine", "t_scores.total_hip", "t_scores.femoral_neck",
        "t_scores.one_third_radius", "evaluable_vertebrae", "forearm_indicated",
        "z_scores.lumbar_spine", "z_scores.total_hip", "z_scores.femoral_neck",
    ),
    N_("Fragility fractures"): (
        "fractures",
        *(f"fractures.{row}.{part}" for row in range(ROWS)
          for part in ("site", "months_ago", "on_therapy")),
    ),
    N_("Risk"): (
        "frax_major", "frax_hip", "high_fall_risk", "glucocorticoids", "suspected_malignancy",
    ),
    N_("Kidney, calcium, heart, oesophagus"): (
        "egfr", "dialysis", "calcium", "vitamin_d", "mi_or_stroke", "mi_or_stroke_months_ago",
        "oesophageal_disease",
    ),
    N_("Treatment and symptoms"): (
        "drug", "drug_months", "bone_loss", *(f"symptoms.{name}" for name in SYMPTOMS),
        "symptoms.none",
    ),
}  # fmt: skip


def fact_of(name: str) -> str:
    """Return the fact that a field, or a place in the facts, is about: rows have no number."""
    return ".".join(part for part in name.split(".") if not part.isdecimal())


def label(name: str) -> str:
    """Return the words for a fact. A name that has none is an error of ours, and a test's."""
    return _(LABELS[fact_of(name)])


def shown(name: str, value: Value) -> str:
    """Return a fact's value as pages write it."""
    if isinstance(value, bool):
        word = _YES_NO["yes" if value else "no"]
        return _(word)
    if isinstance(value, str):
        return _(CHOICES[name][value])
    step, unit = NUMBERS[name]
    # All the decimals that were entered: 35.4 must not be shown as 35.
    digits = max(len(step.partition(".")[2]), len(f"{value:g}".partition(".")[2]))
    unit = _(unit) if unit and not name.startswith(("t_", "z_")) else ""
    return f"{written(value, digits)} {unit.split(',')[0].split(';')[0]}".strip()


def groups(sent: Mapping[str, str], faults: Mapping[str, Fault]) -> tuple[FieldGroup, ...]:
    """Return the form with what was ``sent`` in it, and each fault beside its field."""
    return tuple(
        FieldGroup(title=_(title), fields=tuple(_field(name, sent, faults) for name in names))
        for title, names in _GROUPS.items()
    )


def _field(name: str, sent: Mapping[str, str], faults: Mapping[str, Fault]) -> Field:
    fact, value = fact_of(name), sent.get(name, "")
    fault = faults.get("symptoms" if name == "symptoms.none" else name)
    error = _(fault.sentence, **fault.values) if fault else ""
    id = "fact-" + name.replace(".", "-").replace("_", "-")
    if name.startswith("symptoms."):
        words = _(SYMPTOMS.get(name.removeprefix("symptoms."), NO_SYMPTOM))
        return Field(name=name, id=id, label=words, kind="checkbox", value=value, error=error)
    row = name.split(".")[1] if fact != name else ""
    words = f"{int(row) + 1}. {label(name)}" if row else label(name)
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
    words = CHOICES.get("fractures" if fact == "fractures.site" else fact, _YES_NO)
    if fact == "fractures":
        words = {"none": N_("none"), "some": N_("as entered below")}
    return {"": N_("not known"), **words}


def parse(sent: Mapping[str, str]) -> Facts:
    """Return the facts in a form's fields. Raises :class:`FactsError`."""
    contradictions = tuple(_contradictions(sent))
    if contradictions:
        raise FactsError(contradictions)
    facts: dict[str, Any] = {"t_scores": {}, "z_scores": {}}
    rows: dict[int, dict[str, Any]] = {}
    known = {name for names in _GROUPS.values() for name in names}
    for name, text in sent.items():
        if name not in known:
            facts["unknown"] = True
        elif name.startswith(("t_scores.", "z_scores.")):
            group, _dot, site = name.partition(".")
            facts[group][site] = _value(name, text)
        elif name.startswith("fractures."):
            _fractures, row, part = name.split(".")
            rows.setdefault(int(row), {})[part] = _value(name, text)
        elif not name.startswith(("fractures", "symptoms")):
            facts[name] = _value(name, text)
    if rows or sent.get("fractures") == "none":
        facts["fractures"] = [rows[row] for row in sorted(rows)]
    symptoms = [name for name in SYMPTOMS if f"symptoms.{name}" in sent]
    if symptoms or "symptoms.none" in sent:
        facts["symptoms"] = symptoms
    try:
        return read(facts)
    except FactsError as error:
        raise FactsError(_by_field(error.faults, sorted(rows))) from None


def _contradictions(sent: Mapping[str, str]) -> Iterator[Fault]:
    def fault(field: str, sentence: str) -> Fault:
        return Fault(field, "contradiction", sentence)

    entered = any(name.startswith("fractures.") for name in sent)
    if sent.get("fractures") == "none" and entered:
        yield fault("fractures", N_("It says none, but fractures are entered below."))
    if sent.get("fractures") == "some" and not entered:
        yield fault("fractures", N_("It says that fractures are entered below; none are."))
    if "symptoms.none" in sent and any(f"symptoms.{name}" in sent for name in SYMPTOMS):
        yield fault("symptoms", N_("It says none of these, but some are chosen."))


def _by_field(faults: Iterable[Fault], rows: list[int]) -> Iterator[Fault]:
    """Fractures are counted as they came; the form counts its rows."""
    for fault in faults:
        parts = fault.field.split(".")
        if parts[0] == "fractures" and len(parts) > 1:
            parts[1] = str(rows[int(parts[1])])
        yield replace(fault, field=".".join(parts))


def _value(name: str, text: str) -> Any:
    """Return a field as the facts take it; what is no such value stays text, to be refused."""
    fact = fact_of(name)
    if fact in NUMBERS:
        return number(text)
    if fact in CHOICES or fact == "fractures.site":
        return text
    return {"yes": True, "no": False}.get(text, text)
