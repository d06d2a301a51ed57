"""Toy models in place of networks: Sum answers, Poisoned breaks on one item."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from bentos.backlog import Backlog, Call, Item


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Measured:
    """A queue, its clock, and what it counted."""

    def __init__(self, limit: int = 8) -> None:
        self.clock = Clock()
        self.registry = CollectorRegistry()
        self.queue = Backlog("toy", limit, self.registry, self.clock)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(
            f"osteoserve_runner_{name}", {"runner": "toy", **labels}
        )

    def images(self, result: str) -> float | None:
        return self.value("images_total", result=result)


def entered(measured: Measured, *contents: int, left: tuple[float, ...] = ()) -> list[Item[int]]:
    call = measured.queue.enter(len(contents), left)
    assert call is not None
    return [Item(content, call, index) for index, content in enumerate(contents)]


def double(numbers: list[int]) -> list[int]:
    return [2 * number for number in numbers]


def test_every_item_gets_its_own_answer_and_the_wait_is_measured() -> None:
    measured = Measured()
    items = [*entered(measured, 1, 2), *entered(measured, 3)]
    assert measured.value("queue_depth") == 3
    measured.clock.now += 0.25

    assert measured.queue.run(items, double) == [2, 4, 6]

    assert measured.value("queue_depth") == 0
    assert measured.value("queue_wait_seconds_sum") == pytest.approx(0.75)
    assert measured.value("batch_size_sum") == 3
    assert measured.images("ok") == 3


def test_one_bad_item_fails_alone() -> None:
    measured = Measured()

    def poisoned(numbers: list[int]) -> list[int]:
        if 13 in numbers:
            raise ValueError("poison")
        return double(numbers)

    items = [*entered(measured, 1, 13), *entered(measured, 3)]

    assert measured.queue.run(items, poisoned) == [2, "failed", 6]
    assert (measured.images("ok"), measured.images("failed")) == (2, 1)


def test_what_is_too_late_or_unwanted_is_not_computed() -> None:
    measured = Measured()
    late = entered(measured, 1, 2, left=(0.2, 5.0))
    gone = entered(measured, 3)
    gone[0].call.abandoned = True
    measured.clock.now += 0.2
    computed: list[int] = []

    def recording(numbers: list[int]) -> list[int]:
        computed.extend(numbers)
        return double(numbers)

    assert measured.queue.run([*late, *gone], recording) == ["expired", 4, "cancelled"]
    assert computed == [2]
    assert (measured.images("expired"), measured.images("cancelled")) == (1, 1)


def test_nothing_wanted_asks_no_model() -> None:
    measured = Measured()
    items = entered(measured, 1, left=(0.0,))

    assert measured.queue.run(items, lambda _: pytest.fail("asked")) == ["expired"]
    assert measured.value("batch_size_count") == 0


def test_a_full_queue_lets_nobody_in_and_says_when_to_come_back() -> None:
    measured = Measured(limit=4)
    items = entered(measured, 1, 2, 3)

    assert measured.queue.enter(2) is None
    assert measured.images("shed") == 2

    def slow(numbers: list[int]) -> list[int]:
        measured.clock.now += 3.0
        return double(numbers)

    measured.queue.run(items, slow)
    entered(measured, 1, 2, 3)
    # Three wait, and the last three took a second each.
    assert measured.queue.retry_after() == 3


def test_an_empty_queue_takes_a_call_that_is_larger_than_itself() -> None:
    measured = Measured(limit=2)

    assert isinstance(measured.queue.enter(5), Call)


def test_a_call_that_ends_early_is_counted_out() -> None:
    measured = Measured()
    items = entered(measured, 1, 2, 3)
    call = items[0].call
    measured.queue.run(items[:1], double)

    measured.queue.leave(call, shed=True)
    assert measured.value("queue_depth") == 0
    assert measured.images("shed") == 2

    # A batch that had it all the same counts nothing out twice.
    measured.queue.run(items[1:], double)
    assert measured.value("queue_depth") == 0
    assert measured.value("images_in_flight") == 0


def test_images_are_in_flight_until_their_call_is_over() -> None:
    measured = Measured()
    first, second = entered(measured, 1, 2), entered(measured, 3)
    seen = []

    def compute(numbers: list[int]) -> list[int]:
        seen.append((measured.value("queue_depth"), measured.value("images_in_flight")))
        return numbers

    measured.queue.run(first, compute)
    assert seen == [(1, 3)]
    measured.queue.leave(first[0].call)
    assert measured.value("images_in_flight") == 1
    # What found no room was never there.
    assert measured.queue.enter(9) is None
    assert measured.value("images_in_flight") == 1
    measured.queue.leave(second[0].call)
    assert measured.value("images_in_flight") == 0
