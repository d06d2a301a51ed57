"""Decoder with two lanes: in the quick one nobody waits long behind anybody.

What a file will cost, its header cannot be believed about. So each begins in the quick lane, where
it has half a second of a processor and little memory, several times what a scan of ordinary size
needs. What needs more begins again in the long lane: one at a time, in a worker of its own, up to
the limits that are set. Then hostile files, and large ones, wait for each other and not everybody
for them; and no more memory is asked for than the sum of both lanes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final, Literal, Protocol, Self, TypeVar

from models.image.errors import DecoderError, ScanError, TooExpensiveError
from service.decoding.pool import (
    Allowance,
    DiedError,
    LimitError,
    OutOfMemoryError,
    OutOfTimeError,
    OverdueError,
    Pool,
    RaisedError,
    Reason,
)
from service.flow.deadline import Deadline
from service.flow.priority import Priority, PrioritySemaphore

T = TypeVar("T")
Lane = Literal["quick", "long"]

QUICK: Final = Allowance(seconds=0.5, memory=96 * 2**20)
"""Scans of ordinary size take hundredths of a second of a processor, and 20 MB. Of memory it is a
quarter of what the long lane allows, where that is less."""
QUICK_CLOCK: Final = 2.0
"""Seconds after which a place in the quick lane is given up on a machine too busy to use it."""
MIB: Final = 2**20


class BusyError(Exception):
    """The deadline came before a place did, or before the end: the file may not be to blame."""


class Ended(Protocol):
    """Is told of each call that was ended."""

    def __call__(self, lane: Lane, reason: Reason) -> None: ...


class Decoder:
    """``async with`` opens it."""

    def __init__(
        self,
        preparation: Callable[[], tuple[type[Exception], ...]],
        known: Collection[type],
        *,
        places: int,
        max_deferral: float,
        longest: Allowance,
        ended: Ended,
    ) -> None:
        """``places``: calls at a time in the quick lane. ``longest``: what the long one allows."""
        self._pool = Pool(preparation, known, spare=places + 1)
        self._quick = PrioritySemaphore(places, max_deferral)
        self._long = PrioritySemaphore(1, max_deferral)
        self._longest = longest
        self._shortest = quick(longest)
        self._ended = ended

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._pool.__aexit__(*error)

    @property
    def processes(self) -> list[int]:
        return self._pool.processes

    async def run(
        self, function: Callable[..., T], *arguments: Any, deadline: Deadline, priority: Priority
    ) -> T:
        """Return what ``function`` returns, called in a worker.

        Raises what it raises of its known exceptions, :class:`TooExpensiveError` where it is past
        the limits, and :class:`BusyError`.
        """
        async with _place(self._quick, priority, deadline):
            try:
                limits, within = self._shortest, min(deadline.remaining, QUICK_CLOCK)
                return await self._pool.run(function, *arguments, limits=limits, within=within)
            except LimitError as error:
                self._ended("quick", error.reason)
            except RaisedError as raised:
                # Decoders written in C call a file damaged when they get no memory.
                if not isinstance(raised.error, DecoderError):
                    raise raised.error from None
        async with _place(self._long, priority, deadline):
            limits = self._longest
            try:
                return await self._pool.run(
                    function, *arguments, limits=limits, within=deadline.remaining, alone=True
                )
            except LimitError as error:
                self._ended("long", error.reason)
                raise self._refusal(error) from None
            except RaisedError as raised:
                if isinstance(raised.error, DecoderError) and 2 * raised.peak > limits.memory:
                    self._ended("long", "memory")
                    raise self._refusal(OutOfMemoryError()) from None
                raise raised.error from None

    def _refusal(self, error: LimitError) -> Exception:
        match error:
            case OutOfTimeError():
                seconds = self._longest.seconds
                return TooExpensiveError(
                    f"Decoding the file takes more than {seconds:g} seconds of a processor; "
                    f"{seconds:g} are allowed."
                )
            case OverdueError():
                return BusyError()
            case DiedError():
                return ScanError("The decoder broke off: the file is damaged, or made to do that.")
            case _:
                allowed = self._longest.memory // MIB
                return TooExpensiveError(
                    f"Decoding the file takes more than {allowed} MiB of memory; "
                    f"{allowed} MiB are allowed."
                )


def quick(longest: Allowance) -> Allowance:
    """Return what the quick lane allows beside a long one that allows ``longest``."""
    return replace(QUICK, memory=min(QUICK.memory, longest.memory // 4))


@asynccontextmanager
async def _place(
    places: PrioritySemaphore, priority: Priority, deadline: Deadline
) -> AsyncIterator[None]:
    async with AsyncExitStack() as held:
        try:
            async with asyncio.timeout(max(deadline.remaining, 0)):
                await held.enter_async_context(places.hold(priority))
        except TimeoutError:
            raise BusyError from None
        yield
