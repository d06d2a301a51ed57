"""``python -m service ledger``: what waits in the gateway's ledger, and what people decide."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Awaitable, Callable
from uuid import UUID

from service.errors import ServiceError
from service.identity.actor import Actor
from service.integration.ledger.schemas import NotDecidedError
from service.integration.ledger.service import Ledger
from service.settings import Settings
from service.storage.transaction import Transactions


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand, with its actions."""
    ledger = commands.add_parser("ledger", help="the gateway's ledger: list, balance, decide")
    acts = ledger.add_subparsers(dest="action", required=True, metavar="ACTION")
    acts.add_parser("list", help="show what is in progress, in quarantine or dead, oldest first")
    acts.add_parser("balance", help="show what became of every object that was acknowledged")
    restart = acts.add_parser("restart", help="try a dead delivery or a case in quarantine again")
    discard = acts.add_parser("discard", help="give up a delivery, a case or an object")
    for one in (restart, discard):
        one.add_argument("id", help="number, as list shows it")
    discard.add_argument("--reason", required=True, help="why; kept beside it")


def work(
    settings: Settings, options: argparse.Namespace, actor: Actor
) -> Callable[[Transactions], Awaitable[None]]:
    """Return what does what ``options`` ask for."""

    async def done(transactions: Transactions) -> None:
        ledger = Ledger(settings, transactions)
        match options.action:
            case "list":
                for line in await ledger.waiting():
                    since = line.since.isoformat(timespec="seconds")
                    reason = line.reason or "-"
                    told = [str(line.id), line.kind, line.state, reason, line.about, since]
                    if line.detail:
                        told.append(line.detail)
                    print("\t".join(told))
            case "balance":
                balance = await ledger.balance()
                for name, count in dataclasses.asdict(balance).items():
                    print(f"{name}\t{count}")
                print(f"unaccounted\t{balance.unaccounted}")
            case act:
                try:
                    number = UUID(options.id)
                    if act == "restart":
                        await ledger.restart(actor, number)
                    else:
                        await ledger.discard(actor, number, options.reason)
                except (ValueError, NotDecidedError):
                    raise ServiceError(
                        "invalid_request",
                        "There is nothing of this number to decide on; 'ledger list' shows what "
                        "waits, and only what is dead or in quarantine can be restarted.",
                    ) from None

    return done
