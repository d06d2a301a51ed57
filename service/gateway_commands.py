"""``python -m service gateway check``: asks every destination whether it can be sent to."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from service.integration.dicom.check import check
from service.integration.peers import Peers

AT_ONCE: Final = 8


def run(peers: Peers) -> int:
    """Print a line for each destination; return 0 where all of them answer, else 1."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(check, peers.destination))
    for destination, fault in zip(peers.destination, found, strict=True):
        if fault is None:
            print(f"{destination.name} answers.")
        else:
            print(fault, file=sys.stderr)
    return int(any(one is not None for one in found))
