from __future__ import annotations

from typing import Any

import pytest

from loadtests.benchmark.answers import Checked, Expected
from loadtests.benchmark.generator import Sample

EXPECTED = {7: Expected(0.50, "indeterminate")}


def sample(**changed: Any) -> Sample:
    given = {
        "number": 7,
        "due": 0.0,
        "ended": 0.1,
        "status": 200,
        "probability": 0.50,
        "outcome": "indeterminate",
        "whole": True,
        "retry_after": False,
        "fault": "",
    }
    return Sample(**(given | changed))


def checked(*samples: Sample) -> Checked:
    found = Checked()
    found.add(samples, EXPECTED)
    return found


def test_the_reference_s_answer_holds() -> None:
    found = checked(sample(probability=0.509))

    assert found.holds
    assert found.answers == 1
    assert found.largest == pytest.approx(0.009)


@pytest.mark.parametrize(
    "changed",
    [{"probability": 0.52}, {"outcome": "normal"}, {"probability": None, "outcome": "refused"}],
    ids=["far off", "another outcome", "refused by the gate"],
)
def test_a_wrong_answer_does_not(changed: dict[str, Any]) -> None:
    assert not checked(sample(**changed)).holds


def test_what_was_not_answered_is_not_wrong() -> None:
    found = checked(sample(status=503, probability=None), sample(status=0, probability=None))

    assert found.holds
    assert found.answers == 0


def test_an_answer_of_some_models_is_told_apart() -> None:
    found = checked(sample(whole=False, probability=0.9))

    assert found.holds
    assert found.degraded == 1


def test_an_image_without_expectation_only_has_to_have_a_probability() -> None:
    assert checked(sample(number=8, probability=0.9, outcome="normal")).holds
    assert not checked(sample(number=8, probability=None)).holds
