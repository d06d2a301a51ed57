"""What is requested, and how often: a hospital's day in two hundred requests.

Shares are an assumption: half of all requests send an image, a fifth looks at results, the rest are
pages. Each row names an objective of the service; a test holds that every one is requested.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from service.observability.slo import SLO, SLOS


@dataclass(frozen=True)
class RequestKind:
    """``weight`` of two hundred requests; each sends ``images`` images. ``slo`` is its name."""

    slo: str
    weight: int
    images: int = 0


MIX: Final = tuple(RequestKind(*row) for row in (
    ("predict", 80, 1), ("analyse", 22, 1), ("batch", 1, 4), ("batch-page", 1, 4),
    ("prediction", 16), ("result-page", 12), ("heat-map", 6), ("report", 2), ("predictions", 6),
    ("history-page", 8), ("batch-progress", 4),
    ("front-page", 16), ("faq-page", 8), ("models-page", 4),
    ("treatment-page", 6), ("treatment", 4), ("considerations", 4),
))  # fmt: skip
LEAST: Final = 2  # Requests of an endpoint, fewer than which say nothing of it
OBJECTIVES: Final[Mapping[str, SLO]] = {slo.name: slo for slo in SLOS}


def kinds(only: Collection[str] = ()) -> tuple[RequestKind, ...]:
    """Return the mix, or those rows of it that are named."""
    return tuple(kind for kind in MIX if not only or kind.slo in only)


def images(rows: tuple[RequestKind, ...]) -> float:
    """Return how many images one request of ``rows`` sends on average."""
    return sum(row.weight * row.images for row in rows) / sum(row.weight for row in rows)


def endless(rows: tuple[RequestKind, ...], rng: random.Random) -> Iterator[RequestKind]:
    """Yield request kinds for ever, in shuffled rounds that each hold every row ``weight`` times.

    Drawn independently, a rare one would now and then not come up in a whole run.
    """
    one = [row for row in rows for _ in range(row.weight)]
    rounds = (rng.sample(one, len(one)) for _ in itertools.count())
    return itertools.chain.from_iterable(rounds)


def measured(
    rows: tuple[RequestKind, ...], count: int, rng: random.Random, least: int = LEAST
) -> Iterator[RequestKind]:
    """Yield the same, but of every row at least ``least`` among the first ``count``.

    Those that whole rounds do not bring often enough are mixed into the first half.
    """
    kinds = endless(rows, rng)
    # Whole ones, whatever is mixed in besides.
    rounds = max(0, count - least * len(rows)) // sum(row.weight for row in rows)
    lacking = [row for row in rows for _ in range(least - rounds * row.weight)]
    if lacking:
        lacking += itertools.islice(kinds, max(0, count // 2 - len(lacking)))
        yield from rng.sample(lacking, len(lacking))
    yield from kinds
