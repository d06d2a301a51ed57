"""``python -m service gateway check``: asks every destination whether it can be sent to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, assert_never

from service.integration.destinations import (
    AnyDestination,
    DicomDestination,
    FhirDestination,
    Hl7Destination,
    Kind,
)
from service.integration.dicom import check as dicom
from service.integration.fhir import check as fhir
from service.integration.hl7 import check as hl7
from service.integration.peers import Peers

AT_ONCE: Final = 8
WELL: Final[Mapping[Kind, str]] = {
    "dicom": "answers",
    "hl7": "takes connections",
    "fhir": "answers",
}


def run(peers: Peers) -> int:
    """Print a line for each destination; return 0 where nothing is wrong with any, else 1."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(check, peers.destination))
    for destination, fault in zip(peers.destination, found, strict=True):
        if fault is None:
            print(f"{destination.name} {WELL[destination.kind]}.")
        else:
            print(fault, file=sys.stderr)
    return int(any(one is not None for one in found))


def check(destination: AnyDestination) -> str | None:
    """Return what is wrong with ``destination``, beginning with its name; None: nothing."""
    match destination:
        case DicomDestination():
            return dicom.check(destination)
        case Hl7Destination():
            return hl7.check(destination)
        case FhirDestination():
            return fhir.check(destination)
        case _:
            assert_never(destination)
