"""Group commit: few transactions for many, and nobody's fault is another's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service.storage.database import Database
from service.storage.errors import StorageUnavailableError
from service.storage.group_commit import GroupCommit
from service.storage.transaction import Transaction, Transactions

pytestmark = pytest.mark.anyio


class Book:
    """Doubles numbers; a negative one cannot be written, and 0 means that the database is away."""

    def __init__(self) -> None:
        self.tries: list[list[int]] = []

    async def write(self, transaction: Transaction, items: Sequence[int]) -> list[int]:
        self.tries.append(list(items))
        await transaction.connection.exec_driver_sql("SELECT 1")
        if 0 in items:
            raise StorageUnavailableError("away", 2.0)
        if min(items) < 0:
            raise ValueError("negative")
        return [2 * one for one in items]


async def test_what_waits_is_written_together_and_each_gets_its_own(database: Database) -> None:
    book = Book()
    commit = GroupCommit(Transactions(database), book.write, most=16)
    found = await asyncio.gather(*(commit(one) for one in range(1, 41)))
    assert found == [2 * one for one in range(1, 41)]
    assert [len(one) for one in book.tries] == [16, 16, 8]
    assert await commit(50) == 100
    assert book.tries[-1] == [50]


async def test_one_that_cannot_be_written_fails_alone(database: Database) -> None:
    book = Book()
    commit = GroupCommit(Transactions(database), book.write, most=16)
    found = await asyncio.gather(*(commit(one) for one in (1, -2, 3)), return_exceptions=True)
    assert [found[0], found[2]] == [2, 6]
    assert isinstance(found[1], ValueError)
    assert book.tries == [[1, -2, 3], [1], [-2], [3]]


async def test_a_database_that_is_away_is_not_asked_for_each(database: Database) -> None:
    book = Book()
    commit = GroupCommit(Transactions(database), book.write, most=16)
    found = await asyncio.gather(*(commit(one) for one in (1, 0, 3)), return_exceptions=True)
    assert all(isinstance(one, StorageUnavailableError) for one in found)
    assert book.tries == [[1, 0, 3]]
