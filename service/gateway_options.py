"""What ``python -m service gateway`` takes: without an action it serves."""

from __future__ import annotations

import argparse
from datetime import date, datetime
from pathlib import Path
from typing import Final

WAIT_SECONDS: Final = 3600.0
TYPED: Final = "-"
"""As a patient's number: it is typed, or read from standard input; no list of processes has it."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand, with its actions."""
    gateway = commands.add_parser("gateway", help="take images by DICOM and send results back")
    acts = gateway.add_subparsers(dest="action", metavar="ACTION")
    acts.add_parser(
        "check",
        help="ask every destination whether it can be sent to, and every archive and worklist "
        "whether it can be asked, say what is wrong, and end",
    )
    jwks = acts.add_parser(
        "jwks",
        help="print the public keys that destinations know us by, as a JWK set, and end",
    )
    jwks.add_argument(
        "files", nargs="*", type=Path, metavar="FILE",
        help="a private key in PEM; by itself those that the file of peers names",
    )  # fmt: skip
    rules = acts.add_parser("rules", help="say which files would be judged, ignored or held")
    rules.add_argument("--peer", help="who would send them; the first in the file by itself")
    rules.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a DICOM file")
    pull = acts.add_parser("pull", help="have an archive asked for studies, and wait for them")
    pull.add_argument("archive", metavar="ARCHIVE", help="its name in the file of peers")
    pull.add_argument("--study", default="", metavar="UID", help="Study Instance UID")
    pull.add_argument("--accession", default="", metavar="NUMBER", help="accession number")
    pull.add_argument(
        "--patient",
        choices=(TYPED,),
        help="of one patient, whose number is typed, or read from standard input",
    )
    pull.add_argument("--issuer", default="", help="who gave the patient that number")
    pull.add_argument(
        "--from", dest="since", type=_day, metavar="DAY", help="the first day: 2026-01-31"
    )
    pull.add_argument("--to", dest="until", type=_day, metavar="DAY", help="the last day")
    pull.add_argument(
        "--modality",
        action="append",
        default=[],
        help="series of this one alone; may be given several times",
    )
    pull.add_argument("--most", type=int, help="studies; of more that fit none is fetched")
    pull.add_argument(
        "--wait",
        type=float,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for the end (%(default)g); it goes on all the same",
    )


def _day(value: str) -> date:
    return datetime.strptime(value, "%Y-%m-%d").date()
