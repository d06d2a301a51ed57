"""What is asked, and how often: a hospital's day in two hundred requests.

Shares are an assumption, written down once and changed here alone: half of all requests send an
image, a fifth looks at results, the rest are pages. Each row names an objective of
:data:`service.observability.slo.SLOS`; a test holds that every objective is asked for.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from service.observability.slo import SLO, SLOS


@dataclass(frozen=True)
class Ask:
    """``weight`` of two hundred requests; each sends ``images`` images. ``slo`` is its name."""

    slo: str
    weight: int
    images: int = 0


MIX: Final = (
    Ask("predict", 80, images=1),
    Ask("analyse", 22, images=1),
    Ask("prediction", 16),
    Ask("result-page", 12),
    Ask("heat-map", 6),
    Ask("report", 2),
    Ask("predictions", 6),
    Ask("history-page", 8),
    Ask("batch", 1, images=4),
    Ask("batch-page", 1, images=4),
    Ask("batch-progress", 4),
    Ask("front-page", 16),
    Ask("faq-page", 8),
    Ask("treatment-page", 6),
    Ask("treatment", 4),
    Ask("considerations", 4),
    Ask("models-page", 4),
)

LEAST: Final = 2
"""Requests of an endpoint, fewer than which say nothing of it."""

OBJECTIVES: Final[Mapping[str, SLO]] = {slo.name: slo for slo in SLOS}


def asks(only: Collection[str] = ()) -> tuple[Ask, ...]:
    """Return the mix, or those rows of it that are named."""
    return tuple(ask for ask in MIX if not only or ask.slo in only)


def images(rows: tuple[Ask, ...]) -> float:
    """Return how many images one request of ``rows`` sends on average."""
    return sum(row.weight * row.images for row in rows) / sum(row.weight for row in rows)


def endless(rows: tuple[Ask, ...], rng: random.Random) -> Iterator[Ask]:
    """Yield asks for ever, in shuffled rounds that each hold every row ``weight`` times.

    Drawn independently, a rare one would now and then not come up in a whole run.
    """
    one = [row for row in rows for _ in range(row.weight)]
    rounds = (rng.sample(one, len(one)) for _ in itertools.count())
    return itertools.chain.from_iterable(rounds)


def measured(
    rows: tuple[Ask, ...], count: int, rng: random.Random, least: int = LEAST
) -> Iterator[Ask]:
    """Yield the same, but of every row at least ``least`` among the first ``count``.

    A short or a gentle load measures the rare ones too: those that whole rounds do not bring often
    enough are mixed into the first half.
    """
    asks = endless(rows, rng)
    # Whole ones, whatever is mixed in besides.
    rounds = max(0, count - least * len(rows)) // sum(row.weight for row in rows)
    lacking = [row for row in rows for _ in range(least - rounds * row.weight)]
    if lacking:
        lacking += itertools.islice(asks, max(0, count // 2 - len(lacking)))
        yield from rng.sample(lacking, len(lacking))
    yield from asks
