"""``python -m service storage``: whether the database is sound, a way out where it is not, and
what is encrypted in it."""

from __future__ import annotations

import asyncio
import sys

from service.predictions import repository as predictions
from service.predictions.query import MOST, Query
from service.storage.database import Database, database_file, database_url
from service.storage.documents import Unreadable
from service.storage.errors import StorageError
from service.storage.recovery import RecoveryError, damage, recover
from service.storage.reencryption import Progress, reencrypt
from service.storage.settings import StorageSettings


def damaged(settings: StorageSettings) -> str | None:
    """Return one sentence on a database that cannot be served, with the way out; None: it can."""
    file = database_file(database_url(settings))
    found = None if file is None else damage(file)
    if found is None:
        return None
    return (
        f"osteoserve: the database {file} is damaged ({found}); stop all fronts, then "
        "'python -m service storage recover' copies what can be read into a new file and keeps "
        "the old one."
    )


def run_check(settings: StorageSettings) -> int:
    """Look at every page and every result; return 0 where all is well."""
    file = database_file(database_url(settings))
    found = None if file is None else damage(file, None)
    if found is not None:
        print(f"damaged: {found}", file=sys.stderr)
        print("python -m service storage recover copies what can be read.", file=sys.stderr)
        return 1
    try:
        count, hidden = asyncio.run(_read(settings))
    except StorageError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1
    print(f"{count} results can be read")
    for one in hidden:
        print(f"cannot be read by this version: {one.id}", file=sys.stderr)
    return 1 if hidden else 0


def run_recover(settings: StorageSettings) -> int:
    """Copy what can be read; return 0 where a new file stands in the damaged one's place."""
    file = database_file(database_url(settings))
    if file is None:
        print("osteoserve: only SQLite files are recovered here.", file=sys.stderr)
        return 2
    try:
        done = recover(file)
    except RecoveryError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1
    for table in done.tables:
        print(f"{table.table}: {table.rows} copied" + (f", {table.lost} lost" * (table.lost > 0)))
    print(f"The damaged file is kept as {done.aside}.")
    return 0


def run_reencrypt(settings: StorageSettings) -> int:
    """Bring every row to what the settings say of encryption; return 0 where none is left."""
    try:
        last = asyncio.run(_reencrypt(settings))
    except StorageError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1
    lost = sum(one.lost for one in last)
    if lost:
        print(
            f"osteoserve: {lost} are opened by no key of OSTEOSERVE_COLUMN_KEYS and are left as "
            "they are: put the key back that is missing.",
            file=sys.stderr,
        )
    left = sum(one.left for one in last)
    if left:
        print(
            f"osteoserve: {left} are left: something writes with other settings; restart it, and "
            "do this once more.",
            file=sys.stderr,
        )
    if lost or left:
        return 1
    print(
        "Every row is encrypted with the first key."
        if settings.column_encryption
        else "No row is encrypted."
    )
    return 0


async def _reencrypt(settings: StorageSettings) -> list[Progress]:
    database = Database(settings)
    last: dict[str, Progress] = {}
    try:
        await database.migrate()
        async for one in reencrypt(database):
            print(f"{one.what}: {one.done} done, {one.left} left", flush=True)
            last[one.what] = one
    finally:
        await database.close()
    return list(last.values())


async def _read(settings: StorageSettings) -> tuple[int, list[Unreadable]]:
    database = Database(settings)
    count = 0
    hidden: list[Unreadable] = []
    try:
        asked: dict[str, object] = {"sort": "oldest", "limit": MOST, "retired": None}
        while asked:
            async with database.connect() as connection:
                found, following = await predictions.page(
                    connection, None, Query.model_validate(asked)
                )
            hidden += [one for one in found if isinstance(one, Unreadable)]
            count += len(found)
            asked = {**asked, "after": following.cursor()} if following else {}
    finally:
        await database.close()
    return count - len(hidden), hidden
