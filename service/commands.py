"""``python -m service people``, ``sites``, ``keys``, ``ledger``, ``retention``, ``audit``.

Beside running fronts, on the same database. Acts of the command line are in the trail without an
account: whoever may run it has the database anyway.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from service import ledger_commands, retention_commands
from service.audit.install import anchor
from service.audit.trail import record
from service.audit.verify import Anchor, Verdict, verify
from service.clock import now
from service.errors import ServiceError
from service.events import Event, Listeners
from service.identity import schemas
from service.identity.actor import DEFAULT_SITE, KEY_ROLES, ROLES, Actor
from service.identity.attempts import Attempts
from service.identity.factors import Factors
from service.identity.passwords import Passwords
from service.identity.people import FIRST, People
from service.identity.programs import DAYS, Programs
from service.identity.rings import ring_of
from service.identity.schemas import ApiKey, Person
from service.identity.sites import Sites
from service.settings import Settings, SettingsError, check
from service.storage.database import Database
from service.storage.errors import StorageError
from service.storage.transaction import Transactions

if TYPE_CHECKING:
    from service.integration.peers import Peers

OPERATOR: Final = Actor.anonymous()
LINK_FILE: Final = "first-administrator"
"""In the folder of state, for its owner alone: the link that makes the first account."""

Work = Callable[[Transactions], Awaitable[None]]


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommands, each with its actions."""
    people = commands.add_parser("people", help="accounts of people: list, add, disable and so on")
    acts = people.add_subparsers(dest="action", required=True, metavar="ACTION")
    acts.add_parser("list", help="show every account")
    acts.add_parser("claim", help="print a link that makes the first administrator")
    add = acts.add_parser("add", help="add an account and print the link for its password")
    add.add_argument("--login", required=True, help="what they sign in with")
    add.add_argument("--name", required=True, help="as it stands beside what they sign")
    add.add_argument(
        "--sealed",
        action="store_true",
        help="for when the identity provider cannot be used: signs in by password all the same",
    )
    _roles(add)
    roles = acts.add_parser("roles", help="replace somebody's roles")
    roles.add_argument("login")
    _roles(roles)
    for name, help in (
        ("disable", "end an account, its sign-ins and what it has under way"),
        ("enable", "take a disabled account up again"),
        ("link", "print a link by which somebody chooses a new password"),
        ("reset-second", "remove somebody's second factor, and end their sign-ins"),
    ):
        acts.add_parser(name, help=help).add_argument("login")
    acts.add_parser("reseal", help="seal second factors with the first of OSTEOSERVE_SECRET_KEYS")
    _site(acts)
    sites = commands.add_parser("sites", help="sites, each with people, keys and results apart")
    acts = sites.add_subparsers(dest="action", required=True, metavar="ACTION")
    acts.add_parser("list", help="show every site")
    add = acts.add_parser("add", help="add a site")
    add.add_argument("site", help="its code: 1 to 63 of a to z, digits and -")
    rename = acts.add_parser("rename", help="have people call a site by another name")
    rename.add_argument("site", help="its code")
    rename.add_argument("name", help="what people call it; the code stays")
    add.add_argument(
        "--administrator", required=True, metavar="LOGIN", help="who manages its people and keys"
    )
    keys = commands.add_parser("keys", help="keys of programs: add, list, rotate, revoke")
    acts = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    acts.add_parser("list", help="show every key, without the key")
    add = acts.add_parser("add", help="make a key; it is the last line, and shown once")
    add.add_argument("--name", required=True, help="what program it is for")
    add.add_argument("--role", required=True, choices=KEY_ROLES)
    add.add_argument("--days", default=str(DAYS), help=f"how long it is good ({DAYS})")
    for name, help in (
        ("rotate", "make a second key of the same program; the old one ends within a week"),
        ("revoke", "end a key at once"),
    ):
        acts.add_parser(name, help=help).add_argument("id", help="number, as list shows it")
    _site(acts)
    ledger_commands.add_parser(commands)
    retention_commands.add_parser(commands)
    audit = commands.add_parser("audit", help="the trail: verify that it is whole")
    acts = audit.add_subparsers(dest="action", required=True, metavar="ACTION")
    whole = acts.add_parser(
        "verify", help="0: it is whole; 1: it is broken, and where; 2: it cannot be looked at"
    )
    whole.add_argument(
        "--anchor",
        action="append",
        default=[],
        metavar="NUMBER:HASH",
        help="where the chain ended once, as the front's log said",
    )


def _site(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for one in acts.choices.values():
        one.add_argument("--site", default=DEFAULT_SITE, help=f"of which site ({DEFAULT_SITE})")


def _roles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        choices=ROLES,
        help="may be given several times",
    )


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Do what ``options`` ask for; return the exit status."""
    if options.command == "audit":
        return _audit(settings, options.anchor)
    if options.command == "ledger":
        return _on(settings, ledger_commands.work(settings, options, OPERATOR))
    if options.command == "retention":
        return _on(settings, retention_commands.work(settings, options))
    work = {"people": _people, "keys": _keys, "sites": _sites}[options.command]
    return _on(settings, work(settings, options))


async def _at(transactions: Transactions, site: str) -> Actor:
    """Return who acts from the command line at ``site``."""
    if site not in await Sites(transactions).all(OPERATOR):
        raise _refused("There is no such site; 'sites list' shows all, 'sites add' adds one.")
    return replace(OPERATOR, site=site)


def _sites(settings: Settings, options: argparse.Namespace) -> Work:
    async def work(transactions: Transactions) -> None:
        sites = Sites(transactions)
        if options.action == "add":
            people = People(settings, transactions, Passwords(settings))
            who = await _who(people, options.administrator)
            await sites.add(OPERATOR, schemas.site(options.site), who.id)
        elif options.action == "rename" and not await sites.rename(
            OPERATOR, options.site, schemas.site_name(options.name)
        ):
            raise _refused("There is no such site; 'sites list' shows all.")
        names = await sites.names()
        for one in await sites.all(OPERATOR):
            print(f"{one}\t{names[one]}" if one in names else one)

    return work


def pull(settings: Settings, options: argparse.Namespace, peers: Peers) -> int:
    """Have an archive asked, and wait; return the exit status."""
    # Not on top: it is the gateway's alone.
    from service import pull_commands  # noqa: PLC0415 - as above

    try:
        return _on(settings, pull_commands.work(settings, options, peers, OPERATOR))
    except ServiceError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("osteoserve: it goes on; 'ledger list' shows it", file=sys.stderr)
        return 130


def _on(settings: Settings, work: Work) -> int:
    async def opened() -> None:
        database = Database(settings)
        listeners = Listeners()
        listeners.within_sync(Event, record)
        try:
            # It may be the first that is done with the database.
            await database.migrate()
            await work(Transactions(database, listeners))
        finally:
            await database.close()

    try:
        asyncio.run(opened())
    except ServiceError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1
    return 0


async def _reseal(settings: Settings, transactions: Transactions) -> None:
    try:
        ring = ring_of(settings, settings)
    except OSError as error:
        raise _refused(f"The key cannot be read: {error.strerror}.") from None
    done, lost = await Factors(settings, transactions, Attempts(transactions), ring).reseal()
    print(f"{done} sealed anew")
    if lost:
        raise _refused(f"{lost} are opened by none of the keys.")


def _people(settings: Settings, options: argparse.Namespace) -> Work:
    if options.action == "reseal":
        return lambda transactions: _reseal(settings, transactions)

    async def work(transactions: Transactions) -> None:
        people = People(settings, transactions, Passwords(settings))
        actor = await _at(transactions, options.site)
        match options.action:
            case "list":
                for one in await people.all(actor):
                    print(_told(one))
            case "claim":
                first = await people.first_link(actor)
                if first is None:
                    raise _refused(
                        "There is an account already, or an identity provider signs people in; "
                        "'people link LOGIN' or 'people add --sealed' makes a link."
                    )
                print(f"{_address(settings)}/setup#{first}")
            case "add":
                login, name = schemas.account({"login": options.login, "name": options.name})
                _, token = await people.add(actor, login, name, options.role, sealed=options.sealed)
                print(f"{_address(settings)}/welcome#{token}")
            case "link":
                person = await _who(people, options.login)
                print(f"{_address(settings)}/welcome#{await people.link(actor, person.id)}")
            case act:
                person = await _who(people, options.login)
                if act == "roles":
                    await people.set_roles(actor, person.id, options.role)
                elif act == "reset-second":
                    await people.reset_second(actor, person.id)
                elif act == "disable":
                    await people.disable(actor, person.id)
                else:
                    await people.enable(actor, person.id)
                print(_told(await people.get(actor, person.id) or person))

    return work


async def _who(people: People, login: str) -> Person:
    found = await people.known(login)
    if found is None:
        raise _refused("Nobody signs in by this name; 'people list' shows who does.")
    return found


def _keys(_: Settings, options: argparse.Namespace) -> Work:
    async def work(transactions: Transactions) -> None:
        programs = Programs(transactions, Attempts(transactions))
        actor = await _at(transactions, options.site)
        match options.action:
            case "list":
                for one in await programs.all(actor):
                    print(_key(one))
            case "add":
                name, days = schemas.key_name(options.name), schemas.key_days(options.days)
                made, key = await programs.add(actor, name, options.role, days)
                print(f"number {made}; shown once:")
                print(key)
            case "rotate":
                again = await programs.renew(actor, _number(options.id))
                if again is None:
                    raise _refused("There is no such key, or it is good no more.")
                print("shown once:")
                print(again)
            case _:
                if not await programs.revoke(actor, _number(options.id)):
                    raise _refused("There is no such key; 'keys list' shows them.")

    return work


def _number(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _refused("'keys list' shows the numbers of keys.") from None


def _refused(said: str) -> ServiceError:
    return ServiceError("invalid_request", said)


def _told(person: Person) -> str:
    state = "disabled" if person.disabled_at else _state(person)
    return f"{person.login}\t{state}\t{','.join(person.roles) or '-'}\t{person.name}"


def _state(person: Person) -> str:
    state = "active" if person.has_password or person.by_provider else "invited"
    return f"sealed, {state}" if person.is_sealed else state


def _key(key: ApiKey) -> str:
    state = "revoked" if key.revoked_at else "ended" if key.ends_at <= now() else "good"
    used = key.used_on or "never used"
    return f"{key.id}\t{state}\t{key.role}\tuntil {key.ends_at:%Y-%m-%d}\t{used}\t{key.name}"


def _address(settings: Settings) -> str:
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    return settings.local_url


async def first_link(settings: Settings) -> str | None:
    """Return a new link for the first account, and write it to a file; None: there is an account.

    Raises :class:`~service.storage.errors.StorageError` or OSError.
    """
    database = Database(settings)
    listeners = Listeners()
    listeners.within_sync(Event, record)
    try:
        people = People(settings, Transactions(database, listeners), Passwords(settings))
        token = await people.first_link(OPERATOR)
    finally:
        await database.close()
    file = settings.var / LINK_FILE
    file.unlink(missing_ok=True)
    if token is None:
        return None
    link = f"{_address(settings)}/setup#{token}"
    _keep(file, link)
    return link


LINK_MINUTES: Final = int(FIRST.total_seconds() // 60)


def _keep(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
        made.write(f"{text}\n")


def _audit(settings: Settings, told: list[str]) -> int:
    """Return 0 where the trail is whole, 1 where it is broken, 2 where nobody can say."""
    anchors = [Anchor.parse(one) for one in told]
    database: Database | None = None
    try:
        check(settings)
        if None in anchors:
            raise ValueError("--anchor takes NUMBER:HASH, as the front's log has it")
        key = settings.key(settings.var, make=False)
        if key is None:
            raise ValueError(f"there is no key of the trail in {settings.var}")
        database = Database(settings)
        if database.file is not None and not database.file.is_file():
            raise ValueError(f"there is no {database.file}")
        file = anchor(database)
        # Before the chain is read, which may grow meanwhile.
        kept = None if file is None else Anchor.read(file)
        known = tuple(one for one in (*anchors, kept) if one is not None)
        verdict = asyncio.run(_verify(database, key, known))
    except (StorageError, SettingsError, ValueError, KeyError, OSError) as error:
        print(f"osteoserve: the trail cannot be looked at: {error}", file=sys.stderr)
        return 2
    return _said(verdict)


async def _verify(database: Database, key: bytes, anchors: tuple[Anchor, ...]) -> Verdict:
    try:
        return await verify(Transactions(database), key, anchors)
    finally:
        await database.close()


def _said(verdict: Verdict) -> int:
    if verdict.broken is not None:
        print(f"broken: {verdict.broken}", file=sys.stderr)
        return 1
    print(f"whole: {verdict.links} links, the last one {verdict.links}:{verdict.hash}")
    if verdict.cut:
        print(f"cut by retention: links up to {verdict.cut}")
    if verdict.oldest_unsealed is not None:
        at = datetime.fromtimestamp(verdict.oldest_unsealed / 1e6, UTC)
        print(
            f"not sealed yet: {verdict.unsealed}, the oldest of {at.isoformat(timespec='seconds')}"
        )
    return 0
