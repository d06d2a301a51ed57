"""The one process that sends. Bodies are made there before a step begins, not while it runs."""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from types import TracebackType
from typing import Final, Self

from loadtests.benchmark import generator
from loadtests.benchmark.generator import Plan, Sent
from loadtests.benchmark.images import Images

KEPT: Final = 5000
"""Bodies that are kept, since every contender is sent the same; about 60 kB each."""

_images: Images | None = None
_ready: tuple[Plan, list[bytes]] | None = None


class Load:
    """Open between ``with`` and its end."""

    def __init__(self) -> None:
        # Spawned: a fork would share the harness's threads and its watch over other processes.
        self._pool = ProcessPoolExecutor(1, get_context("spawn"), _open)

    def __enter__(self) -> Self:
        # Drawing the phantoms takes seconds that belong to no contender.
        self._pool.submit(_nothing).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def prepare(self, plan: Plan) -> None:
        """Make the bodies of ``plan``; :meth:`send` then begins at once."""
        self._pool.submit(_prepare, plan).result()

    def send(self) -> Sent:
        """Send what was prepared. Returns when it is answered or given up."""
        return self._pool.submit(_send).result()


def _open() -> None:
    global _images  # noqa: PLW0603 - the state of a worker process
    _images = Images()
    # Ctrl-C is the harness's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _nothing() -> None:
    pass


def _prepare(plan: Plan) -> None:
    global _ready  # noqa: PLW0603 - as above
    _ready = plan, [_body(number) for number in plan.numbers]


@lru_cache(KEPT)
def _body(number: int) -> bytes:
    if _images is None:
        raise RuntimeError("not the process that sends")
    return _images(number)


def _send() -> Sent:
    if _ready is None:
        raise RuntimeError("nothing was prepared")
    return generator.send(*_ready)
