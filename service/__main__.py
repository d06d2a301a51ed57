"""``python -m service``: serve the front, or show its settings.

``run`` starts the four runners and the front together: what ``make run`` calls.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from service import journal, supervisor
from service import settings as table
from service.server import Server
from service.settings import Settings, SettingsError


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
    elif command == "serve":
        return _serve(settings)
    elif command == "run":
        return _run(settings)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve pages and API; the runners run elsewhere")
    serve.add_argument("--host", help="address to listen on (OSTEOSERVE_HOST)")
    serve.add_argument("--port", help="port to listen on (OSTEOSERVE_PORT)")
    run = commands.add_parser("run", help="start four runners and the front on this machine")
    run.add_argument("--port", help="port of the front (OSTEOSERVE_PORT)")
    commands.add_parser("settings", help="show every setting with default, value and meaning")
    return parser


def _run(settings: Settings) -> int:
    try:
        return asyncio.run(supervisor.run(settings))
    except supervisor.StartError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1


def _serve(settings: Settings) -> int:
    journal.configure(settings.log_format, settings.log_level)
    for line in table.unknown():
        journal.log(logging.WARNING, "unknown setting", about=line)
    try:
        Server(settings).run()
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
