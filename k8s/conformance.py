"""The page of DICOM services (docs/dicom.md), from what the gateway offers and asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Final

from fastapi.routing import APIRoute
from pydicom.uid import UID

from k8s.helm import ROOT
from service.integration.dicom import fetcher, query, worklist
from service.integration.dicom.check import ECHO, RESULTS, SHEETS
from service.integration.dicom.commitment import SOP_CLASS as COMMITMENT
from service.integration.dicom.listener import offered
from service.integration.dicom.outgoing import SYNTAXES
from service.integration.workitems import api as workitems

PAGE: Final = ROOT / "docs" / "dicom.md"

_HEAD: Final = """<!-- written by python -m k8s -->

# DICOM services

What the gateway agrees to as acceptor of an association, and proposes as requestor, by SOP class,
role and transfer syntax, as a conformance statement lists it (PS3.2). Roles are the gateway's own.
Its attributes, limits and status codes: [conformance in brief](hospital.md#conformance-in-brief).
At the end: what the front answers of work items.
"""
_WHY: Final = {
    ECHO: "`gateway check`",
    **dict.fromkeys(RESULTS, "results"),
    **dict.fromkeys(SHEETS, "results, with `pdf`"),
    COMMITMENT: "with `commitment`",
    query.FIND: "archives",
    query.MOVE: "archives",
    query.GET: 'archives, with `retrieve = "get"`',
    worklist.SOP_CLASS: "worklists",
}
"""What is proposed to whom, each with the same transfer syntaxes."""

_WORKITEMS: Final = """## Work items (UPS-RS)

By HTTP, where the front speaks DICOMweb (PS3.18 section 11), in DICOM JSON: the front is the
worklist, and the gateway performs items of its codes. IHE AIW-I has the transactions by number.
[What an item becomes, and when](hospital.md#work-items).
"""
_BELOW: Final = "tests/service/integration/workitems"
_TRANSACTIONS: Final = {
    "create": ("Create Workitem", "RAD-80", "201, 400, 409"),
    "search": ("Search", "RAD-81", "200, 204, 400"),
    "change_state": ("Change Workitem State", "RAD-82, RAD-85", "200, 400, 404, 409"),
    "retrieve": ("Retrieve Workitem", "RAD-83", "200, 404"),
    "update": ("Update Workitem", "RAD-84", "200, 400, 404"),
    "request_cancellation": ("Request Cancellation", "RAD-88", "202, 404, 409"),
    "subscribe": ("Subscribe", "RAD-86", "not supported: 403"),
    "unsubscribe": ("Unsubscribe", "RAD-86", "not supported: 404"),
}
"""By the names of endpoints: what the standard calls each, IHE's transactions, and answers."""
_TESTED: Final = (
    ("data sets in DICOM JSON, read strictly", "test_document.py"),
    ("the state machine, each transition (PS3.4 table CC.1.1-2)", "test_states.py"),
    ("each request in each state, with its Warning; who may ask", "test_worklist.py"),
    ("what becomes of an item by its case; several gateways", "test_performing.py"),
    ("front, gateways and a PACS together", "test_end_to_end.py"),
)


@dataclass(frozen=True)
class Row:
    sop_class: str
    role: str
    syntaxes: tuple[str, ...]
    why: str = ""


def written() -> dict[Path, str]:
    acceptor, requestor = list(_acceptor()), list(_requestor())
    sets = _sets([*acceptor, *requestor])
    parts = (
        _HEAD,
        "## As acceptor\n",
        *_table(
            ("SOP class", "UID", "role", "transfer syntaxes"),
            ((_name(one.sop_class), one.role, sets[one.syntaxes]) for one in acceptor),
        ),
        "## As requestor\n",
        *_table(
            ("SOP class", "UID", "role", "transfer syntaxes", "for"),
            ((_name(one.sop_class), one.role, sets[one.syntaxes], one.why) for one in requestor),
        ),
        "## Transfer syntaxes\n",
        *_table(("transfer syntax", "UID", *sets.values()), _syntaxes(sets)),
        _WORKITEMS,
        *_table(("transaction", "IHE", "request", "answers"), _transactions()),
        *_table(
            ("what is tested", "where"),
            ((what, f"`{_BELOW}/{where}`") for what, where in _TESTED),
        ),
    )
    return {PAGE: "\n".join(parts)}


def _transactions() -> Iterator[tuple[str, ...]]:
    """Yield a row for each route that there is; one without a name is a KeyError."""
    routes = {one.name: one for one in workitems.router.routes if isinstance(one, APIRoute)}
    for name in sorted(routes, key=list(_TRANSACTIONS).index):
        what, number, answers = _TRANSACTIONS[name]
        method = " ".join(sorted(routes[name].methods or ()))
        yield what, number, f"`{method} {routes[name].path}`", answers


def _acceptor() -> Iterator[Row]:
    for one in offered():
        both = bool(one.scu_role and one.scp_role)
        syntaxes = tuple(map(str, one.transfer_syntax or ()))
        yield Row(str(one.abstract_syntax), "SCP, SCU" if both else "SCP", syntaxes)


def _requestor() -> Iterator[Row]:
    for sop_class, why in _WHY.items():
        yield Row(sop_class, "SCU", tuple(map(str, SYNTAXES)), why)
    yield Row(COMMITMENT, "SCP", tuple(map(str, SYNTAXES)), "reports to peers, by role selection")
    for sop_class, syntaxes in fetcher.STORED:
        why = "what C-GET brings, by role selection"
        yield Row(sop_class, "SCP", tuple(map(str, syntaxes)), why)


def _sets(rows: Iterable[Row]) -> dict[tuple[str, ...], str]:
    """Return a letter for each set of transfer syntaxes, in the order that they come."""
    return dict(zip(dict.fromkeys(one.syntaxes for one in rows), ascii_uppercase, strict=False))


def _syntaxes(sets: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for uid in sorted({uid for one in sets for uid in one}, key=_numbers):
        yield _name(uid), *("✓" if uid in one else "" for one in sets)


def _numbers(uid: str) -> tuple[int, ...]:
    return tuple(map(int, uid.split(".")))


def _name(uid: str) -> str:
    return f"{UID(uid).name} | {uid}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
