"""``python -m service``: serve front or gateway, show settings, or gather sentences.

``run`` starts the five runners and the front together: what ``make run`` calls. ``edge`` is all of
them in one process.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from listener.python import behind
from service import backup_commands, commands, gateway_options
from service import settings as table
from service.language import messages as catalogue
from service.operations.storage import damaged, run_check, run_recover, run_reencrypt
from service.server import Server
from service.settings import Settings, SettingsError
from service.storage.database import Database
from service.storage.encryption import Encryption
from service.storage.errors import KeysError, StorageError
from service.storage.migrations import DowngradeError
from telemetry import journal, tracing

if TYPE_CHECKING:
    from service.integration.peers import Peers


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        overrides = {key: getattr(options, key, None) for key in ("host", "port")}
        settings = table.load(**overrides)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    command = options.command
    if command == "settings":
        _show(settings)
    elif command == "catalogue":
        for code, waiting in catalogue.update():
            print(f"{code}: {waiting} to translate")
    elif command == "storage":
        acts = {"check": run_check, "recover": run_recover, "reencrypt": run_reencrypt}
        return acts[options.action](settings)
    elif command in (
        "backup",
        "restore",
        "people",
        "sites",
        "keys",
        "ledger",
        "retention",
        "audit",
    ):
        run = backup_commands.run if command in ("backup", "restore") else commands.run
        return run(settings, options)
    elif command == "gateway" and options.action is not None:
        return _ask_gateway(settings, options)
    else:
        return _on_storage(command, settings, options)
    return 0


def _on_storage(command: str, settings: Settings, options: argparse.Namespace) -> int:
    said = damaged(settings)
    if said is not None:
        print(said, file=sys.stderr)
        return 1
    if command == "migrate":
        return _migrate(settings, options.back_to)
    if command == "gateway":
        return _gateway(settings)
    try:
        table.check(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if command == "edge":
        return _edge(settings, options)
    return _serve(settings, "front", Server) if command == "serve" else _run(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service", description=__doc__)
    added = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = added.add_parser("serve", help="serve pages and API; the runners run elsewhere")
    serve.add_argument("--host", help="address to listen on (OSTEOSERVE_HOST)")
    serve.add_argument("--port", help="port to listen on (OSTEOSERVE_PORT)")
    gateway_options.add_parser(added)
    run = added.add_parser("run", help="start five runners and the front on this machine")
    run.add_argument("--port", help="port of the front (OSTEOSERVE_PORT)")
    edge = added.add_parser(
        "edge", help="serve pages and judge a folder, with all models in this process, offline"
    )
    edge.add_argument("--host", help="address to listen on (OSTEOSERVE_HOST)")
    edge.add_argument("--port", help="port to listen on (OSTEOSERVE_PORT)")
    edge.add_argument(
        "--folder", type=Path, help="files put into its in/ are judged (edge in OSTEOSERVE_VAR)"
    )
    edge.add_argument("--language", default="en", help="of the sheets beside them (%(default)s)")
    migrate = added.add_parser("migrate", help="bring the database's schema up to date, and end")
    migrate.add_argument(
        "--back-to",
        metavar="REVISION",
        help="go back to a revision of an older version instead; no front may run",
    )
    storage = added.add_parser(
        "storage", help="look for damage in the database, mend it, or encrypt it"
    )
    storage.add_argument(
        "action",
        choices=("check", "recover", "reencrypt"),
        help="check: read all of it; recover: copy what can be read of a damaged SQLite file into "
        "a new one, and keep the old one; no front may run; reencrypt: encrypt what is kept, with "
        "the first key, or decrypt it, as the settings say, beside running fronts",
    )
    commands.add_parsers(added)
    backup_commands.add_parsers(added)
    added.add_parser("settings", help="show every setting with default, value and meaning")
    added.add_parser("catalogue", help="bring frontend/locales up to date with the pages")
    return parser


def _run(settings: Settings) -> int:
    try:
        from service.local import supervisor  # noqa: PLC0415 - not in the front's image
    except ModuleNotFoundError as error:
        if error.name != "service.local":
            raise
        print(
            "osteoserve: run starts five runners as well, which this image has not: use serve",
            file=sys.stderr,
        )
        return 2
    if (old := behind()) is not None:
        print(f"osteoserve: {old}", file=sys.stderr)
    try:
        return asyncio.run(supervisor.run(settings))
    except supervisor.StartError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1


def _edge(settings: Settings, options: argparse.Namespace) -> int:
    try:
        # It imports what computes the models, which no other command has.
        from service.edge import app as edge  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        if error.name not in ("service.edge", "scipy"):
            raise
        print(
            "osteoserve: edge computes the models itself, which is not installed here; the edge's "
            "image has it (docs/edge.md)",
            file=sys.stderr,
        )
        return 2
    try:
        return _serve(
            settings,
            "edge",
            lambda settings: edge.server(settings, options.folder, options.language),
        )
    except edge.EdgeError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 2


def _migrate(settings: Settings, back_to: str | None) -> int:
    journal.configure(settings.log_format, settings.log_level)

    async def migrate() -> None:
        database = Database(settings)
        try:
            await database.migrate(back_to)
        finally:
            await database.close()

    try:
        asyncio.run(migrate())
    except KeysError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1
    except StorageError as error:
        journal.log(
            logging.ERROR, "storage unavailable", fault=journal.fault(error.__cause__ or error)
        )
        return 1
    except DowngradeError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1
    journal.log(logging.INFO, "schema is up to date" if back_to is None else "schema is older")
    return 0


def _gateway(settings: Settings) -> int:
    # Not on top: the front needs none of it.
    from service import gateway  # noqa: PLC0415 - heavy, and the gateway's alone

    peers = _peers(settings)
    if peers is None:
        return 2
    try:
        Encryption.of(settings)
    except KeysError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 2
    return _serve(settings, "gateway", lambda settings: gateway.server(settings, peers))


def _ask_gateway(settings: Settings, options: argparse.Namespace) -> int:
    from service import gateway_commands  # noqa: PLC0415 - as above

    if options.action == "jwks" and options.files:
        return gateway_commands.jwks((one, "") for one in options.files)
    peers = _peers(settings)
    if peers is None:
        return 2
    if options.action == "check":
        return gateway_commands.run(peers)
    if options.action == "jwks":
        return gateway_commands.jwks(gateway_commands.client_keys(peers))
    if options.action == "pull":
        return commands.pull(settings, options, peers)
    return gateway_commands.rules(peers, options.files, options.peer or peers.peer[0].name)


def _peers(settings: Settings) -> Peers | None:
    """Return the file of peers; None where it cannot be used, which has been said."""
    from service.integration.peers import Peers, PeersError  # noqa: PLC0415 - as above

    if settings.gateway_peers is None:
        print(
            "osteoserve: OSTEOSERVE_GATEWAY_PEERS names no file of peers (docs/hospital.md)",
            file=sys.stderr,
        )
        return None
    try:
        return Peers.read(settings.gateway_peers)
    except PeersError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return None


def _serve(settings: Settings, name: str, server: Callable[[Settings], Server]) -> int:
    journal.configure(settings.log_format, settings.log_level)
    for line in table.unknown():
        journal.log(logging.WARNING, "unknown setting", about=line)
    if (old := behind()) is not None:
        journal.log(logging.WARNING, "python is behind", about=old)
    try:
        with tracing.exporting(name, settings.tracing_endpoint):
            server(settings).run()
    except (tracing.TracingError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        # The server has stopped cleanly and says so once more for the shell.
        return 130
    return 0


def _show(settings: Settings) -> None:
    for row in table.table(settings):
        changed = "" if row.value == row.default else f"   now: {row.value}"
        print(f"{row.variable}\n    {row.help}\n    default: {row.default or 'none'}{changed}")
    for line in table.unknown():
        print(f"warning: {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
