from __future__ import annotations

import os

import pytest

from loadtests.plan import PACE_SECONDS, TIMEOUT_SECONDS, Plan, PlanError
from loadtests.shapes import SHAPES, Rule


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_warms_up_first_and_is_judged_after(name: str) -> None:
    first, *rest = SHAPES[name].stages
    assert first.rule is Rule.WARM_UP
    assert all(stage.rule is not Rule.WARM_UP for stage in rest)
    assert any(stage.rule in (Rule.OBJECTIVES, Rule.SHEDDING) for stage in rest)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_ends(name: str) -> None:
    plan = Plan(shape=name, rate=1)
    assert plan.stage(plan.seconds) is None
    assert plan.stage(plan.seconds - 0.1) == len(plan.stages) - 1


def test_callers_make_the_rate() -> None:
    plan = Plan(shape="ramp", rate=10)
    assert plan.users(0) == round(0.2 * 10 * PACE_SECONDS)
    # Half way up: between 0.2 and 1.
    assert plan.users(20 + 45) == round(0.6 * 10 * PACE_SECONDS)
    assert plan.users(10_000) == plan.users(plan.seconds) == round(2 * 10 * PACE_SECONDS)


def test_load_is_open_because_nobody_waits_longer_than_a_turn() -> None:
    assert TIMEOUT_SECONDS < PACE_SECONDS


def test_requests_are_what_callers_make() -> None:
    plan = Plan(shape="ramp", rate=7)
    asked = sum(plan.users(second) / PACE_SECONDS for second in range(int(plan.seconds)))
    assert plan.requests == pytest.approx(asked, rel=0.02)


def test_longer_by_scale() -> None:
    plan = Plan(shape="steady", rate=4, scale=0.5)
    assert plan.seconds == sum(stage.seconds for stage in SHAPES["steady"].stages) / 2
    assert plan.requests == pytest.approx(240)


def test_goes_to_other_processes_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(shape="spike", rate=2.5, workers=3, scale=0.5, only=("predict", "batch"))
    for name, value in plan.environment().items():
        monkeypatch.setitem(os.environ, name, value)
    assert Plan.given() == plan


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"shape": "wave"}, "no shape 'wave'; smoke, steady"),
        ({"rate": 0}, "the rate is 0; it is in requests a second, above 0"),
        ({"rate": float("nan")}, "the rate is nan"),
        ({"workers": 65}, "65 workers; 1 to 64"),
        ({"scale": 0}, "0 times as long; 0.01 to 100"),
        ({"only": ("predikt",)}, "no endpoint is called 'predikt'; predict,"),
        ({"rate": 1e6}, "is 120000000 requests; 1000000 is the most"),
        ({"shape": "soak", "rate": 100}, "images; 60000 is the most"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_refused_with_what_can_be(changed: dict[str, object], says: str) -> None:
    with pytest.raises(PlanError, match=says):
        Plan(**{"shape": "steady", "rate": 1, **changed})  # type: ignore[arg-type]


def test_without_a_plan_locust_says_what_starts_it() -> None:
    with pytest.raises(PlanError, match="python -m loadtests"):
        Plan.given()
