"""Letting the oldest part of the trail go: links are cut, and a sealed checkpoint says where."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final

from service.audit import chain, repository
from service.audit.repository import Checkpoint
from service.audit.schemas import microseconds
from service.identity.actor import Actor
from service.retention.events import TrailCut
from service.storage.transaction import Transaction, Transactions

PIECE: Final = 5_000
"""Links cut in one transaction: whoever acts meanwhile waits for it."""


async def cut(transactions: Transactions, key: bytes, actor: Actor, before: datetime) -> int:
    """Remove links whose entries, and all before them, were made ``before``; return how many.

    The last link always stays. Whether the chain is whole should be known first: what is cut can
    tell of nothing any more. Raises :class:`~service.storage.errors.StorageError`.
    """
    at, gone = microseconds(before), 0

    async def piece(transaction: Transaction) -> int:
        connection = transaction.connection
        last = await repository.last(connection)
        if last is None or not await repository.alone(connection):
            return 0
        start = await repository.checkpoint(connection)
        begun = 0 if start is None else start.number
        young = await repository.younger(connection, at)
        end = min(last[0] - 1 if young is None else young - 1, last[0] - 1, begun + PIECE)
        if end <= begun:
            return 0
        (link,) = await repository.links(connection, end - 1, 1)
        cut_at = time.time_ns() // 1000
        seal = chain.checkpoint(key, end, link.hash, cut_at)
        mark = Checkpoint(number=end, hash=link.hash, cut_at=cut_at, seal=seal)
        count = await repository.cut(connection, mark)
        await transaction.emit(TrailCut(actor=actor, number=end, entries=count))
        return count

    while count := await transactions.write(piece, frees=True):
        gone += count
    return gone
