"""What waits for a model: bounded, dropped when nobody wants it any more, and counted.

BentoML gathers calls into batches; its own queue has no bound, computes what was abandoned, fails a
whole batch for one bad item, and says nothing of any of it. So a call is counted in before BentoML
sees it (``bentos.admission``), and looked at once more when its batch begins (:meth:`Backlog.run`).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar

from opentelemetry.trace import SpanContext
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bentos import metrics
from bentos.tracing import computing
from protocol.answers import DropReason
from telemetry.tracing import here

logger: Final = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

WAIT_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
COMPUTE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SIZE_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64)

EWMA_ALPHA: Final = 0.1
"""Weight of the newest batch in the mean time per item: about the last ten batches count."""

FIRST_GUESS_SECONDS: Final = 0.05
"""Time per item before any batch was measured."""


@dataclass(eq=False)
class Call:
    """One HTTP call on its way through; ``waiting`` of its items no batch has begun yet.

    ``left`` are seconds, from ``entered`` on, in which each item's answer is of use; empty: always.
    """

    count: int
    left: tuple[float, ...]
    entered: float
    waiting: int
    abandoned: bool = False
    origin: SpanContext | None = field(default_factory=here)
    """The call's span, under which its computing is shown."""

    def expired(self, index: int, now: float) -> bool:
        return bool(self.left) and now - self.entered >= self.left[index]


@dataclass(frozen=True, eq=False)
class Item(Generic[T]):
    """What a batch is made of: the content, and the call and place in it that it came from."""

    content: T
    call: Call
    index: int


class Backlog:
    """How many items wait for one runner, at most ``limit``, and what became of them; the items
    themselves are in BentoML's hands."""

    def __init__(
        self,
        runner: str,
        limit: int,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runner = runner
        self._limit = limit
        self._clock = clock
        self._waiting = 0
        self._seconds_per_item: float | None = None

        self._depth = Gauge(
            metrics.QUEUE_DEPTH, "Images that wait.", ("runner",), registry=registry
        ).labels(runner)
        self._in_flight = Gauge(
            "osteoserve_runner_images_in_flight",
            "Images of calls that are being answered: those that wait and those being computed.",
            ("runner",),
            registry=registry,
        ).labels(runner)
        self._wait = Histogram(
            metrics.QUEUE_WAIT,
            "Time from an image's arrival to the beginning of its batch, or to its being dropped.",
            ("runner",),
            buckets=WAIT_BUCKETS,
            registry=registry,
        ).labels(runner)
        self._size = Histogram(
            metrics.BATCH_SIZE,
            "Images that were computed together.",
            ("runner",),
            buckets=SIZE_BUCKETS,
            registry=registry,
        ).labels(runner)
        self._compute = Histogram(
            metrics.COMPUTE,
            "Time of one batch in the model.",
            ("runner",),
            buckets=COMPUTE_BUCKETS,
            registry=registry,
        ).labels(runner)
        images = Counter(
            metrics.IMAGES,
            "Images by what became of them: ok; shed, the queue being full; expired, their time "
            "having run out; cancelled, the caller having left; failed.",
            ("runner", "result"),
            registry=registry,
        )
        self._results = {
            name: images.labels(runner, name)
            for name in ("ok", "shed", "expired", "cancelled", "failed")
        }

    def has_room(self, count: int) -> bool:
        """Whether a call of ``count`` items would be counted in now."""
        return not self._waiting or self._waiting + count <= self._limit

    def turn_away(self, count: int) -> None:
        """Count what found no room."""
        self._results["shed"].inc(count)

    def enter(self, count: int, left: tuple[float, ...] = (), waited: float = 0.0) -> Call | None:
        """Count in ``count`` items that came ``waited`` seconds ago; None when there is no room."""
        if not self.has_room(count):
            self.turn_away(count)
            return None
        self._move(count)
        self._in_flight.inc(count)
        return Call(count, left, self._clock() - waited, count)

    def leave(self, call: Call, *, shed: bool = False) -> None:
        """Count out a call that is over, and what of it no batch has taken."""
        if shed:
            self._results["shed"].inc(call.waiting)
        self._in_flight.dec(call.count)
        self._move(-call.waiting)
        call.waiting = 0

    @property
    def seconds(self) -> float:
        """Time until what waits now will have been computed, by the last batches' speed."""
        each = FIRST_GUESS_SECONDS if self._seconds_per_item is None else self._seconds_per_item
        return self._waiting * each

    def retry_after(self) -> int:
        return max(1, math.ceil(self.seconds))

    def run(
        self, items: Sequence[Item[T]], compute: Callable[[list[T]], Sequence[R]]
    ) -> list[R | DropReason]:
        """Return ``compute``'s answer to each item that is still wanted, the reason for others.

        When a batch fails, its items are computed one by one, so that only the one at fault fails.
        """
        begun = self._clock()
        answers: list[R | DropReason] = ["failed"] * len(items)
        wanted: list[int] = []
        for place, item in enumerate(items):
            self._begin(item, begun)
            reason = self._unwanted(item, begun)
            if reason is None:
                wanted.append(place)
            else:
                answers[place] = reason
                self._results[reason].inc()
        if not wanted:
            return answers
        try:
            with computing(self._runner, [items[place].call.origin for place in wanted]):
                found: Sequence[R | DropReason] = compute(
                    [items[place].content for place in wanted]
                )
        except Exception:
            logger.exception("a batch of %d failed; one by one", len(wanted))
            found = [self._alone(items[place].content, compute) for place in wanted]
        for place, answer in zip(wanted, found, strict=True):
            answers[place] = answer
            self._results["failed" if answer == "failed" else "ok"].inc()
        self._measured(len(wanted), self._clock() - begun)
        return answers

    def _begin(self, item: Item[T], now: float) -> None:
        # A call that is over was counted out as a whole, with all that waited.
        if item.call.waiting:
            item.call.waiting -= 1
            self._move(-1)
        self._wait.observe(now - item.call.entered)

    @staticmethod
    def _unwanted(item: Item[T], now: float) -> Literal["expired", "cancelled"] | None:
        if item.call.abandoned:
            return "cancelled"
        return "expired" if item.call.expired(item.index, now) else None

    @staticmethod
    def _alone(content: T, compute: Callable[[list[T]], Sequence[R]]) -> R | DropReason:
        try:
            return compute([content])[0]
        except Exception:
            logger.exception("an item failed alone")
            return "failed"

    def _measured(self, count: int, seconds: float) -> None:
        self._size.observe(count)
        self._compute.observe(seconds)
        each, known = seconds / count, self._seconds_per_item
        self._seconds_per_item = each if known is None else known + EWMA_ALPHA * (each - known)

    def _move(self, count: int) -> None:
        self._waiting += count
        self._depth.set(self._waiting)
