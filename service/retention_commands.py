"""``python -m service retention``: what is kept how long, held, erased, exported."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from pydantic import ValidationError

from service.audit.cutting import cut
from service.audit.verify import verify
from service.clock import now
from service.errors import ServiceError
from service.exams.schemas import reference
from service.holds.schemas import ObjectKind
from service.holds.service import Holds
from service.identity.actor import DEFAULT_SITE, Actor
from service.identity.sites import Sites
from service.predictions.query import Query
from service.retention import copy, export, repository
from service.retention.erasure import TYPED, Erasure
from service.retention.events import ERASURE_REASONS, DataExported
from service.retention.repository import Tombstone
from service.retention.service import Retention
from service.retention.settings import EVERY
from service.settings import Settings
from service.storage.transaction import Transactions

Work = Callable[[Transactions], Awaitable[None]]

KEY_BYTES: Final = 32


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand, with its actions."""
    retention = commands.add_parser(
        "retention", help="what is kept how long, held, erased or exported"
    )
    acts = retention.add_subparsers(dest="action", required=True, metavar="ACTION")
    apply = acts.add_parser("apply", help="remove what OSTEOSERVE_RETENTION says is due")
    apply.add_argument("--dry-run", action="store_true", help="say how much, and remove nothing")
    holds = acts.add_parser("holds", help="show legal holds")
    holds.add_argument("--all", action="store_true", help="those that were released as well")
    hold = acts.add_parser("hold", help="keep a patient or a result, whatever is due")
    what = hold.add_mutually_exclusive_group(required=True)
    _patient(what)
    what.add_argument("--result", metavar="ID", help="number of a result")
    hold.add_argument("--reason", required=True, help="why; kept beside it")
    acts.add_parser("release", help="end a legal hold").add_argument(
        "id", help="number, as holds shows it"
    )
    erase = acts.add_parser("erase", help="remove all of a patient, also from later restores")
    _patient(erase.add_mutually_exclusive_group(required=True))
    erase.add_argument("--issuer", default=TYPED, help="who issued the reference, of DICOM's")
    erase.add_argument("--reason", required=True, choices=ERASURE_REASONS)
    acts.add_parser("erasures", help="print who was erased, as restore --erasures takes it")
    out = acts.add_parser("export", help="write results without identifiers, for research")
    out.add_argument("--out", required=True, type=Path, help="file that is not there yet")
    out.add_argument("--format", choices=("ndjson", "csv"), default="ndjson")
    out.add_argument("--from", dest="since", metavar="DAY", help="judged on this day or later")
    out.add_argument("--to", dest="until", metavar="DAY", help="judged on this day or earlier")
    out.add_argument(
        "--key-file",
        type=Path,
        help="32 bytes or more that make the same numbers of the same patients in a later export; "
        "whoever has them and the database can tell who is meant",
    )
    one = acts.add_parser("copy", help="write all that is kept of one patient, as JSON")
    _patient(one.add_mutually_exclusive_group(required=True))
    one.add_argument("--out", required=True, type=Path, help="file that is not there yet")
    for act in ("holds", "hold", "release", "erase", "export", "copy"):
        acts.choices[act].add_argument(
            "--site", default=DEFAULT_SITE, help=f"of which site ({DEFAULT_SITE})"
        )


def _patient(group: argparse._MutuallyExclusiveGroup) -> None:
    group.add_argument("--patient", metavar="KEY", help="as in the address of the patient's page")
    group.add_argument(
        "--reference",
        metavar="TEXT",
        help="as it was entered; - reads it from standard input, so that no history has it",
    )


def work(settings: Settings, options: argparse.Namespace) -> Work:
    """Return what does what ``options`` ask for."""
    acts: dict[str, Callable[[Settings, argparse.Namespace, Transactions], Awaitable[None]]] = {
        "apply": _apply, "holds": _holds, "hold": _hold, "release": _release, "erase": _erase,
        "erasures": _erasures, "export": _export, "copy": _copy,
    }  # fmt: skip

    async def done(transactions: Transactions) -> None:
        await acts[options.action](settings, options, transactions)

    return done


def key_of(settings: Settings) -> bytes:
    """Return the key of the trail. Raises :class:`~service.errors.ServiceError`."""
    try:
        key = settings.key(settings.var, make=True)
    except OSError as error:
        raise _refused(f"The key of the trail cannot be read: {error.strerror}.") from None
    if key is None:
        raise _refused("There is no key of the trail.")
    return key


async def _apply(
    settings: Settings, options: argparse.Namespace, transactions: Transactions
) -> None:
    retention = Retention(settings, transactions)
    if not settings.is_set:
        print("OSTEOSERVE_RETENTION names nothing: all is kept.")
        return
    if options.dry_run:
        for site, counts in (await retention.due()).items():
            for kind, count in counts.items():
                print(f"{site}\t{kind}\t{count} due")
        return
    for site, counts in (await retention.apply(Actor.anonymous())).items():
        for kind, count in counts.items():
            print(f"{site}\t{kind}\t{count} removed")
    days = settings.days(EVERY).get("audit")
    if days is not None:
        key = key_of(settings)
        verdict = await verify(transactions, key)
        if verdict.broken is not None:
            raise _refused(f"The trail is broken and not cut: {verdict.broken}.")
        gone = await cut(transactions, key, Actor.anonymous(), now() - timedelta(days=days))
        print(f"{EVERY}\taudit\t{gone} removed")


async def _holds(_: Settings, options: argparse.Namespace, transactions: Transactions) -> None:
    actor = await _at(transactions, options.site)
    for one in await Holds(transactions).all(actor, released=options.all):
        state = "open" if one.released_at is None else f"released {one.released_at:%Y-%m-%d}"
        placed = f"{one.placed_at:%Y-%m-%d}"
        print("\t".join(
            (str(one.id), state, placed, one.object_kind, str(one.object_id), one.reason)
        ))  # fmt: skip


async def _hold(_: Settings, options: argparse.Namespace, transactions: Transactions) -> None:
    actor = await _at(transactions, options.site)
    kind: ObjectKind = "patient" if options.result is None else "result"
    if options.result is not None:
        id = _number(options.result)
    else:
        id = await _key(transactions, actor, options)
    made = await Holds(transactions).place(actor, kind, id, options.reason)
    if made is None:
        raise _refused(f"There is no such {kind} at this site.")
    print(made.id)


async def _release(_: Settings, options: argparse.Namespace, transactions: Transactions) -> None:
    actor = await _at(transactions, options.site)
    if not await Holds(transactions).release(actor, _number(options.id)):
        raise _refused("No open hold of this site has this number; 'retention holds' shows them.")


async def _erase(
    settings: Settings, options: argparse.Namespace, transactions: Transactions
) -> None:
    actor = await _at(transactions, options.site)
    erasure = Erasure(transactions, key_of(settings))
    if options.patient is not None:
        found = await erasure.name_of(actor, _number(options.patient))
        if found is None:
            raise _refused("Nobody of this site has this key.")
        issuer, identifier = found
    else:
        issuer, identifier = options.issuer, _typed(options.reference)
    erased = await erasure.erase(actor, identifier, issuer, options.reason)
    print(
        f"{erased.deleted} results deleted, {erased.unlinked} signed ones kept without the "
        f"person, {erased.received} received objects emptied.",
        file=sys.stderr,
    )
    print(
        "A backup from before still has the person: restore erases them again by this line, which "
        "the database keeps as well.",
        file=sys.stderr,
    )
    print(told(erased.tombstone))


def told(one: Tombstone) -> str:
    """Return a tombstone as a line of JSON."""
    found = {**asdict(one), "id": str(one.id), "erased_at": one.erased_at.isoformat()}
    return json.dumps(found, separators=(",", ":"))


async def _erasures(_: Settings, __: argparse.Namespace, transactions: Transactions) -> None:
    async with transactions.read() as connection:
        for one in await repository.tombstones(connection):
            print(told(one))


async def _export(_: Settings, options: argparse.Namespace, transactions: Transactions) -> None:
    actor = await _at(transactions, options.site)
    try:
        query = Query.model_validate(
            {name: it for name, it in (("from", options.since), ("to", options.until)) if it}
        )
    except ValidationError:
        raise _refused("--from and --to take days as 2026-01-31, in order.") from None
    form, keyed = options.format, export.Keyed(key=_export_key(options.key_file))
    with _new(options.out) as file:
        rows = 0
        if form == "csv":
            file.write(export.head())
        async for one in export.lines(transactions, actor, keyed, query):
            file.write(export.as_csv(one) if form == "csv" else export.as_json(one))
            rows += 1
        # Before it has its name: there is no export that the trail does not know of.
        event = DataExported(actor=actor, form=form, rows=rows)
        await transactions.emit(event)
    manifest = {
        "site": actor.site, "format": form, "rows": rows, "fields": export.FIELDS,
        "done": export.DONE, "from": options.since, "to": options.until,
        "key": "kept elsewhere" if options.key_file else "forgotten",
    }  # fmt: skip
    with _new(options.out.with_name(options.out.name + ".manifest.json")) as file:
        file.write(json.dumps(manifest, indent=1) + "\n")
    print(f"{rows} results in {options.out}")


def _export_key(file: Path | None) -> bytes:
    if file is None:
        return secrets.token_bytes(KEY_BYTES)
    try:
        key = file.read_bytes()
    except OSError as error:
        raise _refused(f"{file} cannot be read: {error.strerror}.") from None
    if len(key) < KEY_BYTES:
        raise _refused(f"{file} has fewer than {KEY_BYTES} bytes.")
    return key


async def _copy(_: Settings, options: argparse.Namespace, transactions: Transactions) -> None:
    actor = await _at(transactions, options.site)
    key = await _key(transactions, actor, options)
    found = await copy.of(transactions, actor, key)
    if found is None:
        raise _refused("Nobody of this site has this key.")
    rows = len(found["results"])
    with _new(options.out) as file:
        file.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        event = DataExported(actor=actor, form="json", rows=rows, patient_key=key)
        await transactions.emit(event)
    print(f"{rows} results in {options.out}")


async def _key(transactions: Transactions, actor: Actor, options: argparse.Namespace) -> UUID:
    if options.patient is not None:
        return _number(options.patient)
    async with transactions.read() as connection:
        found = await repository.known_by(connection, actor.site, TYPED, _typed(options.reference))
    if found is None:
        raise _refused("Nobody of this site is kept under this reference.")
    return found


def _typed(text: str) -> str:
    return reference(sys.stdin.readline().rstrip("\r\n") if text == "-" else text)


async def _at(transactions: Transactions, site: str) -> Actor:
    if site not in await Sites(transactions).all(Actor.anonymous()):
        raise _refused("There is no such site; 'sites list' shows all.")
    return replace(Actor.anonymous(), site=site)


@contextmanager
def _new(file: Path) -> Iterator[IO[str]]:
    """Open a new file for its owner alone, which has its name once all is written."""
    draft = file.with_name(f".{file.name}.part")
    if file.exists():
        raise _refused(f"{file} is there already.")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _refused(f"{file} cannot be written: {os.strerror(error.errno or 0)}.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as made:
            yield made
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


def _number(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _refused("This is no number of ours.") from None


def _refused(said: str) -> ServiceError:
    return ServiceError("invalid_request", said)
