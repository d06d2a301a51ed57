from __future__ import annotations

import pytest

from service.runners.circuit_breaker import FAILURES, LONGEST_SECONDS, CircuitBreaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[bool]:
    return []


@pytest.fixture
def circuit(clock: Clock, told: list[bool]) -> CircuitBreaker:
    return CircuitBreaker(2.0, told.append, clock)


def fail(circuit: CircuitBreaker, times: int = FAILURES) -> None:
    for _ in range(times):
        assert circuit.allows()
        circuit.record_failure()


def test_it_opens_after_failures_in_a_row_and_says_so(
    circuit: CircuitBreaker, told: list[bool]
) -> None:
    fail(circuit, FAILURES - 1)
    circuit.record_success()
    fail(circuit, FAILURES - 1)
    assert not circuit.is_open
    fail(circuit, 1)
    assert circuit.is_open
    assert not circuit.allows()
    assert told == [False, True]


def test_after_a_while_one_may_try_and_success_closes_it(
    circuit: CircuitBreaker, clock: Clock, told: list[bool]
) -> None:
    fail(circuit)
    clock.now += 2.0
    assert circuit.allows()
    assert not circuit.allows()
    circuit.record_success()
    assert circuit.allows()
    assert told == [False, True, False]


def test_each_failed_try_doubles_the_pause_up_to_a_limit(
    circuit: CircuitBreaker, clock: Clock
) -> None:
    fail(circuit)
    pause = 2.0
    for _ in range(6):
        clock.now += pause - 0.5
        assert not circuit.allows()
        clock.now += 0.5
        assert circuit.allows()
        circuit.record_failure()
        pause = min(2 * pause, LONGEST_SECONDS)
    assert pause == LONGEST_SECONDS


def test_a_try_that_was_broken_off_lets_another_try(circuit: CircuitBreaker, clock: Clock) -> None:
    fail(circuit)
    clock.now += 2.0
    assert circuit.allows()
    circuit.record_cancelled()
    assert circuit.allows()


def test_who_looks_at_readiness_opens_and_closes_it(
    circuit: CircuitBreaker, told: list[bool]
) -> None:
    circuit.record_probe(ready=False)
    assert not circuit.allows()
    circuit.record_probe(ready=True)
    assert circuit.allows()
    assert told == [False, True, False]


def test_readiness_forgives_no_failures_of_calls(circuit: CircuitBreaker) -> None:
    """A runner may be ready and fail all the same."""
    fail(circuit, FAILURES - 1)
    circuit.record_probe(ready=True)
    fail(circuit, 1)
    assert circuit.is_open
