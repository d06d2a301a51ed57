"""``python -m service gateway pull``: has an archive asked for studies, and says what came of it.

The gateway does it, on the same database; this only asks, and waits. Ctrl-C ends the waiting alone.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Final
from uuid import UUID

from service.errors import ServiceError
from service.identity.actor import Actor
from service.integration.archives import Archive
from service.integration.ledger.contexts import why
from service.integration.peers import Peers
from service.integration.pulls.schemas import UNDER_WAY, Progress, Question, QuestionError
from service.integration.pulls.service import Pulls
from service.settings import Settings
from service.storage.transaction import Transactions

LOOK_SECONDS: Final = 0.5


def work(
    settings: Settings, options: argparse.Namespace, peers: Peers, actor: Actor
) -> Callable[[Transactions], Awaitable[None]]:
    """Return what asks, and waits. Raises :class:`~service.errors.ServiceError`."""
    archive = next((one for one in peers.archive if one.name == options.archive), None)
    if archive is None:
        known = ", ".join(one.name for one in peers.archive) or "none"
        raise _refused(f"No archive is called {options.archive}; there are: {known}.")
    try:
        question = _question(options, archive)
    except QuestionError as error:
        raise _refused(str(error)) from None
    who = replace(actor, site=peers.sends(archive).site)

    async def done(transactions: Transactions) -> None:
        pulls = Pulls(settings, transactions)
        id = await pulls.ask(who, archive.name, question)
        print(f"{id}: {archive.name} is asked.", flush=True)
        last = await _waited(pulls, id, options.wait)
        for line in told(last):
            print(line, flush=True)
        if last.state != "done":
            raise _refused("Not all of it has come.")

    return done


def _question(options: argparse.Namespace, archive: Archive) -> Question:
    patient = ""
    if options.patient is not None:
        typed = getpass.getpass("Patient ID: ") if sys.stdin.isatty() else sys.stdin.readline()
        patient = typed.strip()
    if options.most is not None and not 0 < options.most <= archive.most:
        raise QuestionError(f"This archive is asked for 1 to {archive.most} studies at a time.")
    return Question(
        study_uid=options.study,
        accession=options.accession,
        patient=patient,
        issuer=options.issuer,
        since=options.since,
        until=options.until,
        modalities=tuple(one.upper() for one in options.modality) or archive.modality,
        most=archive.most if options.most is None else options.most,
    )


async def _waited(pulls: Pulls, id: UUID, seconds: float) -> Progress:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        found = await pulls.progress(id)
        if found is None:
            raise _refused("It is not there any more.")
        if found.state not in UNDER_WAY or loop.time() >= end:
            return found
        await asyncio.sleep(LOOK_SECONDS)


def told(found: Progress) -> Iterator[str]:
    """Yield in words how far a question has come."""
    if found.found is not None:
        came = found.studies.get("fetched", 0)
        yield f"{found.found} found, {came} fetched with {found.objects} objects."
    for study_uid, reason in found.failures:
        yield (
            f"{study_uid}: {reason}: {why(reason)}"
            if why(reason) != reason
            else (f"{study_uid}: {reason}")
        )
    match found.state:
        case "asked" | "fetching":
            said = "" if found.reason is None else f" ({found.reason}: {why(found.reason)})"
            yield f"It is still under way{said}: 'ledger list' shows it, 'ledger discard' ends it."
        case "dead":
            yield f"Given up: {found.reason}: {why(found.reason)}"
        case "discarded":
            yield "Somebody has given it up."
        case "done":
            pass


def _refused(said: str) -> ServiceError:
    return ServiceError("invalid_request", said)
