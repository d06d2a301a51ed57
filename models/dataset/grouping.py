"""Which images belong together, once every reason is taken into account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from models.dataset import near_duplicates


def groups(
    named: Sequence[str], keys: Sequence[Iterable[str]], fingerprints: near_duplicates.Fingerprints
) -> tuple[str, ...]:
    """Return ``named``, where whatever shares a key or looks alike has the name of the first."""
    pairs = chain(sharing(keys), near_duplicates.pairs(fingerprints))
    return tuple(named[first] for first in connected_components(len(named), pairs))


def connected_components(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return for each of ``count`` things the smallest index that ``pairs`` connect it to."""
    first = list(range(count))

    def root(index: int) -> int:
        while first[index] != index:
            first[index] = first[first[index]]
            index = first[index]
        return index

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        first[high] = low
    return [root(index) for index in range(count)]


def sharing(keys: Sequence[Iterable[str]]) -> Iterable[tuple[int, int]]:
    """Yield pairs of indices that connect whatever shares a key."""
    seen: dict[str, int] = {}
    for index, own in enumerate(keys):
        for key in own:
            if key in seen:
                yield seen[key], index
            seen.setdefault(key, index)
