"""``python -m service gateway check`` asks everybody in the file of peers whether they can be sent
to, or asked; ``gateway rules`` says what would be done with files; ``gateway jwks`` prints the
public keys that we sign with."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, assert_never

from models.image.errors import ScanError
from service.integration import assertion
from service.integration.archives import Asked
from service.integration.destinations import (
    AnyDestination,
    DicomDestination,
    DicomWebDestination,
    FhirDestination,
    Hl7Destination,
    Kind,
)
from service.integration.dicom import check as dicom
from service.integration.dicom import head
from service.integration.dicomweb import check as dicomweb
from service.integration.fhir import check as fhir
from service.integration.hl7 import check as hl7
from service.integration.ledger.schemas import MANUFACTURER
from service.integration.peers import Peers
from service.integration.rules import decide
from service.integration.web.reading import parted

AT_ONCE: Final = 8
WELL: Final[Mapping[Kind, str]] = {
    "dicom": "answers",
    "dicomweb": "answers",
    "hl7": "takes connections",
    "fhir": "answers",
}


def run(peers: Peers) -> int:
    """Print a line for each destination, archive and worklist; return 0 where nothing is wrong with
    any, else 1."""
    every = (*peers.destination, *peers.archive, *peers.worklist)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(check, every))
    for one, fault in zip(every, found, strict=True):
        if fault is None:
            print(f"{one.name} {'answers' if isinstance(one, Asked) else WELL[one.kind]}.")
        else:
            print(fault, file=sys.stderr)
    return int(any(one is not None for one in found))


def check(destination: AnyDestination | Asked) -> str | None:
    """Return what is wrong with ``destination``, beginning with its name; None: nothing."""
    match destination:
        case DicomDestination() | Asked():
            return dicom.check(destination)
        case DicomWebDestination():
            return dicomweb.check(destination)
        case Hl7Destination():
            return hl7.check(destination)
        case FhirDestination():
            return fhir.check(destination)
        case _:
            assert_never(destination)


def client_keys(peers: Peers) -> list[tuple[Path, str]]:
    """Return the files of private keys that destinations know us by, each with its id there."""
    return [
        (one.client_key_file, one.client_key_id)
        for one in peers.destination
        if isinstance(one, FhirDestination) and one.client_key_file is not None
    ]


def jwks(named: Iterable[tuple[Path, str]]) -> int:
    """Print the public halves of keys in files, each with its id, as a JWK set.

    Return 0 where all could be read, else 1, and then nothing is printed.
    """
    try:
        found = {key.id: key.public() for key in (assertion.read(*one) for one in named)}
    except assertion.KeyFileError as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"keys": list(found.values())}, indent=2))
    return 0


def rules(peers: Peers, paths: Iterable[Path], peer: str) -> int:
    """Print for each file what would be done with it if ``peer`` sent it; nothing is kept or sent.

    Return 0 where all could be read, else 1; 2 where the file of peers names no such peer.
    """
    if peer not in {one.name for one in peers.peer}:
        known = ", ".join(one.name for one in peers.peer)
        print(f"osteoserve: no peer is called {peer}; there are {known}", file=sys.stderr)
        return 2
    unread = 0
    for path in paths:
        try:
            print(f"{path}: {_said(peers, path.read_bytes(), peer)}")
        except OSError as error:
            print(f"{path}: cannot be read: {error.strerror}", file=sys.stderr)
            unread += 1
        except (ScanError, head.HeadError) as error:
            print(f"{path}: refused: {error}", file=sys.stderr)
            unread += 1
    return int(unread > 0)


def _said(peers: Peers, data: bytes, peer: str) -> str:
    found = head.read(*parted(data))
    if found.manufacturer == MANUFACTURER:
        return "ignore, a result of ours"
    rule = decide(peers.rule, peer, found.traits)
    if rule is not None and (found.is_image or rule.then == "ignore"):
        to = "" if rule.to is None else f" for {', '.join(rule.to)}"
        return f"{rule.then}{to}, by rule {rule.name}"
    return "judge, no rule fits" if found.is_image else "no image: nothing to judge"
