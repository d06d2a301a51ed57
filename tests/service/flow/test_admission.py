from __future__ import annotations

from contextlib import ExitStack

import pytest

from service.flow.admission import ALWAYS_ADMITTED, Admission, AdmissionRejectedError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    return Admission(3.0, clock)


def served(admission: Admission, clock: Clock, seconds: float, times: int = 1) -> None:
    for _ in range(times):
        with admission.enter():
            clock.now += seconds


def test_time_per_image_is_busy_time_and_idle_time_does_not_count(
    admission: Admission, clock: Clock
) -> None:
    assert admission.seconds_per_image is None
    served(admission, clock, 0.2, times=10)
    clock.now += 3600
    served(admission, clock, 0.2)
    assert admission.seconds_per_image == pytest.approx(0.2)


def test_images_in_hand_together_share_the_time(admission: Admission, clock: Clock) -> None:
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(admission.enter())
        clock.now += 0.4
    assert admission.seconds_per_image == pytest.approx(0.1)


def test_who_would_wait_too_long_is_told_when_the_line_will_have_been_served(
    admission: Admission, clock: Clock
) -> None:
    served(admission, clock, 0.4, times=20)
    with ExitStack() as held:
        for _ in range(ALWAYS_ADMITTED):
            held.enter_context(admission.enter())
        # Eight ahead at four tenths of a second each.
        with pytest.raises(AdmissionRejectedError) as crowded, admission.enter():
            pytest.fail("let in")
        assert crowded.value.retry_after == pytest.approx(0.4 * ALWAYS_ADMITTED)
        assert admission.in_flight == ALWAYS_ADMITTED
        with admission.enter(always=True):
            assert admission.in_flight == ALWAYS_ADMITTED + 1
    assert admission.in_flight == 0


def test_few_are_always_let_in(admission: Admission, clock: Clock) -> None:
    served(admission, clock, 0.5, times=40)
    with ExitStack() as held:
        for _ in range(ALWAYS_ADMITTED):
            held.enter_context(admission.enter())
        with pytest.raises(AdmissionRejectedError), admission.enter():
            pytest.fail("let in")


def test_the_first_after_a_start_turn_nobody_away(admission: Admission, clock: Clock) -> None:
    served(admission, clock, 3.0, times=3)
    with ExitStack() as held:
        for _ in range(5 * ALWAYS_ADMITTED):
            held.enter_context(admission.enter())


def test_a_slow_spell_is_forgotten(admission: Admission, clock: Clock) -> None:
    served(admission, clock, 5.0, times=3)
    served(admission, clock, 0.1, times=400)
    assert admission.seconds_per_image == pytest.approx(0.1, rel=0.2)


def test_what_failed_took_time_and_finished_nothing(admission: Admission, clock: Clock) -> None:
    served(admission, clock, 0.1)

    def broken() -> None:
        with admission.enter():
            clock.now += 0.1
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    assert admission.seconds_per_image == pytest.approx(0.2, rel=0.05)
    assert admission.in_flight == 0
