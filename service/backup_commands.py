"""``python -m service backup`` and ``restore``: the database in a file, and back again.

A restored database is not opened to anybody before who was erased since is erased again, sign-ins
of its day are void, and its trail verifies.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from models.files import replace
from service.audit.install import anchor
from service.audit.trail import Trail, record
from service.audit.verify import Anchor, Verdict, verify
from service.errors import ServiceError
from service.events import Event, Listeners
from service.identity.actor import Actor
from service.retention import repository
from service.retention.erasure import Erasure
from service.retention.events import BackedUp, Restored
from service.retention.repository import Tombstone
from service.settings import Settings, SettingsError, check
from service.storage import backup
from service.storage.backup import BackupError, Manifest
from service.storage.database import Database
from service.storage.errors import KeysError, StorageError
from service.storage.transaction import Transaction, Transactions

OPERATOR = Actor.anonymous()


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommands."""
    save = commands.add_parser("backup", help="write the database to a file, beside running fronts")
    save.add_argument("file", type=Path, help="file that is not there yet")
    back = commands.add_parser(
        "restore", help="put a backup in the database's place; no front runs"
    )
    back.add_argument("file", type=Path, help="file that backup wrote, with its manifest beside it")
    back.add_argument(
        "--over",
        action="store_true",
        help="though there is data: what is there is kept under another name",
    )
    back.add_argument(
        "--erasures",
        type=Path,
        metavar="FILE",
        help="lines of 'retention erasures' from elsewhere, beside those of the database that is "
        "replaced",
    )
    back.add_argument(
        "--no-erasures", action="store_true", help="nobody was erased since the backup was made"
    )


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Do what ``options`` ask for; return 0, 1 where it failed, 2 where it cannot begin."""
    try:
        check(settings)
        key = settings.key(settings.var, make=False)
        if key is None:
            raise SettingsError(
                f"There is no key of the trail in {settings.var}: put it back first, or set "
                "OSTEOSERVE_AUDIT_KEY."
            )
    except (SettingsError, OSError) as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 2
    try:
        if options.command == "backup":
            _save(settings, options.file)
        else:
            _restore(settings, options, key)
    except (BackupError, ServiceError, SQLAlchemyError, OSError) as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1
    return 0


def _save(settings: Settings, file: Path) -> None:
    made = backup.save(settings, file)

    async def note() -> None:
        async with _opened(settings) as transactions:
            event = BackedUp(actor=OPERATOR, sha256=made.sha256)
            await transactions.emit(event)

    try:
        asyncio.run(note())
    except StorageError:
        file.unlink()
        backup.manifest_of(file).unlink()
        raise
    print(
        f"{made.bytes} bytes in {file}; the trail ends with {made.audit_number}:{made.audit_hash}"
    )
    print("The key of the trail is not in it: keep that elsewhere.")


def _restore(settings: Settings, options: argparse.Namespace, key: bytes) -> None:
    manifest = backup.read(options.file)
    tombstones, is_known = _buried(settings)
    if options.erasures is not None:
        tombstones |= set(_lines(options.erasures))
        is_known = True
    if not is_known and not options.no_erasures:
        raise BackupError(
            "Nothing here tells who was erased since the backup: give --erasures FILE with the "
            "lines of 'retention erasures', or --no-erasures where nobody was."
        )
    if not options.over and _has_data(settings):
        raise BackupError(
            "The database has data: --over puts the backup in its place and keeps what is there "
            "under another name."
        )
    with backup.restored(settings, options.file, manifest) as url:
        inner = settings.model_copy(update={"database_url": _secret(url)})
        verdict, erased = asyncio.run(_brought_up(inner, key, manifest, tombstones))
        if verdict.broken is not None:
            raise BackupError(
                f"The trail of the backup is broken: {verdict.broken}. All is as it was before."
            )
    _remember(settings, verdict)
    print(f"whole: {verdict.links} links; {erased} erased again; everybody signs in anew.")


def _has_data(settings: Settings) -> bool:
    try:
        return backup.has_data(settings)
    except SQLAlchemyError:
        # Whatever it is, it is not nothing.
        return True


def _buried(settings: Settings) -> tuple[set[Tombstone], bool]:
    """Return who was erased as the database knows it now, and whether it can be asked."""

    async def ask() -> set[Tombstone]:
        async with _opened(settings) as transactions, transactions.read() as connection:
            return set(await repository.tombstones(connection))

    file = Database(settings).file
    if file is not None and not file.is_file():
        return set(), False
    try:
        return asyncio.run(ask()), True
    except KeysError:
        raise
    except StorageError:
        return set(), False


def _lines(file: Path) -> Iterator[Tombstone]:
    for number, line in enumerate(file.read_text().splitlines(), 1):
        try:
            found = json.loads(line)
            yield Tombstone(
                id=UUID(found["id"]),
                site=str(found["site"]),
                hash=str(found["hash"]),
                erased_at=datetime.fromisoformat(found["erased_at"]),
            )
        except (ValueError, KeyError, TypeError):
            raise BackupError(f"{file}, line {number}: no line of 'retention erasures'.") from None


async def _brought_up(
    settings: Settings, key: bytes, manifest: Manifest, tombstones: Iterable[Tombstone]
) -> tuple[Verdict, int]:
    async with _opened(settings, migrate=True) as transactions:
        known = Anchor(number=manifest.audit_number, hash=manifest.audit_hash)
        # What was saved, before anything is added to it.
        verdict = await verify(transactions, key, (known,) if manifest.audit_number else ())
        if verdict.broken is not None:
            return verdict, 0
        erased = await Erasure(transactions, key).again(OPERATOR, list(tombstones))

        async def begin(transaction: Transaction) -> None:
            await repository.end_sign_ins(transaction.connection)
            event = Restored(actor=OPERATOR, sha256=manifest.sha256, erased=erased)
            await transaction.emit(event)

        await transactions.write(begin)
        await Trail(transactions, key, None).seal()
        return await verify(transactions, key), erased


def _remember(settings: Settings, verdict: Verdict) -> None:
    """Have the file beside SQLite's say where the restored chain ends; the old one is kept."""
    file = anchor(Database(settings))
    if file is None:
        return
    with suppress(FileNotFoundError):
        file.replace(file.with_name(f"{file.name}.before-restore"))
    replace(file, json.dumps({"number": verdict.links, "hash": verdict.hash}).encode())


def _secret(url: URL) -> SecretStr:
    return SecretStr(url.render_as_string(hide_password=False))


@asynccontextmanager
async def _opened(settings: Settings, *, migrate: bool = False) -> AsyncIterator[Transactions]:
    """Open the database, with the trail listening."""
    database = Database(settings)
    listeners = Listeners()
    listeners.within_sync(Event, record)
    try:
        if migrate:
            await database.migrate()
        yield Transactions(database, listeners)
    finally:
        await database.close()
