"""Late fusion by masks: nothing is imputed, a conflict is one, and what is missing is said."""

from __future__ import annotations

import pytest

from service.medicine.modalities import dxa
from service.medicine.modalities.fusion import fuse
from service.medicine.modalities.voice import SOURCES, Reading, Source, Voice


def said(source: Source, reading: Reading | None) -> Voice:
    return Voice(source=source, present=True, reading=reading)


@pytest.mark.parametrize(
    ("readings", "agreement"),
    [
        ([None, None, None, None], "none"),
        (["low", None, None, None], "alone"),
        (["between", None, None, None], "alone"),
        (["low", "low", None, None], "agree"),
        (["not_low", "not_low", "not_low", "not_low"], "agree"),
        (["low", "between", None, None], "open"),
        (["between", "between", None, None], "open"),
        (["not_low", "low", None, None], "conflict"),
        (["not_low", "between", "low", "low"], "conflict"),
    ],
)
def test_agreement(readings: list[Reading | None], agreement: str) -> None:
    voices = [said(source, one) for source, one in zip(SOURCES, readings, strict=True)]
    found = fuse(voices)
    assert found.agreement == agreement
    assert found.voices == tuple(voices)
    counted = {*found.low, *found.not_low, *found.between}
    assert counted == {one.source for one in voices if one.reading is not None}
    assert set(found.masked) == set(SOURCES) - counted


def test_what_is_absent_or_not_valid_is_masked_and_never_counted() -> None:
    voices = [
        said("t_score", "not_low"),
        Voice(source="image"),
        Voice(source="ct", present=True, reading="low", against=("contrast_given",)),
    ]
    found = fuse(voices)
    assert (found.agreement, found.missing, found.masked) == ("alone", ("image",), ("ct",))
    assert (found.low, found.not_low) == ((), ("t_score",))


@pytest.mark.parametrize(
    ("score", "reading"),
    [(-2.5, "low"), (-2.4, "between"), (-1.1, "between"), (-1.0, "not_low"), (1.5, "not_low")],
)
def test_t_scores_are_read_as_elsewhere(score: float, reading: str) -> None:
    found = dxa.t_score(score, sex="female", age=67, vertebrae=4)
    assert (found.reading, found.valid, found.notes) == (reading, True, ())


def test_a_t_score_that_does_not_apply_does_not_count() -> None:
    assert dxa.t_score(-3.0, sex="male", age=40, vertebrae=4).against == ("t_score_does_not_apply",)
    assert dxa.t_score(-3.0, sex="female", age=67, vertebrae=1).against == ("single_vertebra",)
    unknown = dxa.t_score(-3.0, sex="female", age=50, vertebrae=None)
    assert (unknown.reading, unknown.notes) == ("low", ("t_score_may_not_apply",))
    assert not dxa.t_score(None, sex="female", age=67, vertebrae=4).present


def test_a_refused_image_says_nothing() -> None:
    assert dxa.image("refused").against == ("image_refused",)
    assert dxa.image("indeterminate").reading == "between"
