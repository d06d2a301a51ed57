"""Holds the chain against what is kept: the first entry that was changed, removed or moved."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from service.audit import chain, repository
from service.audit.repository import Head, Link
from service.audit.schemas import Entry
from service.audit.trail import MOST
from service.storage.transaction import Transactions


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of the chain; ``broken``: the first thing that is wrong, None: it is whole."""

    links: int
    hash: str
    cut: int
    """The number of the last link that retention has removed; 0: none."""
    unsealed: int
    oldest_unsealed: int | None
    """Microseconds since 1970."""
    broken: str | None


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Where the chain ended once, as something outside the database remembers it."""

    number: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Anchor | None:
        """Return ``NUMBER:HASH`` as an anchor; None where it is none."""
        number, _, hash = text.partition(":")
        return cls(number=int(number), hash=hash) if number.isdecimal() and hash else None

    @classmethod
    def read(cls, file: Path) -> Anchor | None:
        """Return what ``file`` remembers; None without it. Raises ValueError or OSError."""
        try:
            found = json.loads(file.read_bytes())
        except FileNotFoundError:
            return None
        return cls(number=int(found["number"]), hash=str(found["hash"]))


async def verify(
    transactions: Transactions, key: bytes, anchors: tuple[Anchor, ...] = ()
) -> Verdict:
    """Read the whole chain, which may grow meanwhile.

    Raises :class:`~service.storage.errors.StorageError`.
    """
    # Asked before the links are read: what is added behind it meanwhile is no contradiction.
    async with transactions.read() as connection:
        head = await repository.head(connection)
        start = await repository.checkpoint(connection)
    number, hash, broken = 0, chain.START, None
    remembered = {one.number: one.hash for one in anchors}
    if start is not None:
        number, hash = start.number, start.hash
        if not hmac.compare_digest(start.seal, chain.checkpoint(key, number, hash, start.cut_at)):
            broken = f"the checkpoint at link {number} was changed: nobody with the key cut there"
        told = remembered.get(number, hash)
        if broken is None and not hmac.compare_digest(told, hash):
            broken = f"link {number} is another one than was remembered"
        # What stood before is gone as it should be.
        remembered = {at: one for at, one in remembered.items() if at > number}
    while broken is None:
        async with transactions.read() as connection:
            found = await repository.links(connection, number, MOST)
        for at, one in enumerate(found):
            broken = _broken(key, number + 1, hash, one, found[at + 1 :])
            if broken is not None:
                break
            number, hash = one.number, one.hash
            known = remembered.pop(number, None)
            if known is not None and not hmac.compare_digest(known, hash):
                broken = f"link {number} is another one than was remembered"
                break
            if head is not None and head.number == number:
                seal = chain.head(key, number, hash)
                if not hmac.compare_digest(head.seal, seal):
                    broken = f"the head does not go with link {number}: it was changed"
                    break
        if len(found) < MOST:
            break
    async with transactions.read() as connection:
        if head is None:
            head = await repository.head(connection)
        count, oldest = await repository.oldest_unsealed(connection)
    if broken is None:
        broken = _end(number, head, remembered)
    return Verdict(
        links=number,
        hash=hash,
        cut=0 if start is None else start.number,
        unsealed=count,
        oldest_unsealed=oldest,
        broken=broken,
    )


def _end(number: int, head: Head | None, left: Mapping[int, str]) -> str | None:
    """Return what is wrong with where the chain ends: links may have been cut off."""
    most = max([*left, 0 if head is None else head.number])
    if most > number:
        return f"the tail is cut: link {most} was there, the last one is {number}"
    if head is None and number:
        return f"the head is removed, which said that the last link is {number} or a later one"
    return None


def _broken(
    key: bytes, expected: int, previous: str, one: Link, following: tuple[Link, ...]
) -> str | None:
    """Return what is wrong with a link that should be number ``expected``; None: nothing."""
    if one.number != expected:
        return f"link {expected} is removed"
    if one.entry is None:
        return f"link {expected}: entry {one.event_id} is removed"

    def is_right(entry: Entry, hash: str) -> bool:
        return hmac.compare_digest(chain.link(key, expected, previous, entry), hash)

    if is_right(one.entry, one.hash):
        return None
    for other in following:
        if other.entry is not None and (
            is_right(other.entry, one.hash)
            or is_right(other.entry, other.hash)
            or is_right(replace(other.entry, id=one.entry.id), one.hash)
        ):
            return (
                f"link {expected}: entry {one.event_id} is swapped with entry {other.event_id} of "
                f"link {other.number}"
            )
    return f"link {expected}: entry {one.event_id} is changed"
