"""What is asked for by a search, and what an address says of an item (PS3.18 section 11.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from service.errors import ServiceError
from service.integration.dicom import head
from service.integration.ledger.schemas import WorkitemState
from service.integration.workitems.schemas import WORDS, invalid

LIMIT: Final = 100
"""Items of one search, also where more are asked for."""
FURTHEST: Final = 10_000
_LONGEST: Final = 64

_KEYS: Final[Mapping[str, str]] = {
    "sopinstanceuid": "uid", "00080018": "uid",
    "procedurestepstate": "state", "00741000": "state",
    "studyinstanceuid": "study", "0020000d": "study",
    "inputinformationsequence.studyinstanceuid": "study", "00404021.0020000d": "study",
    "worklistlabel": "label", "00741202": "label",
    "scheduledworkitemcodesequence.codevalue": "code", "00404018.00080100": "code",
}  # fmt: skip
_HARMLESS: Final = frozenset({"includefield", "fuzzymatching", "accept", "charset"})
_UIDS: Final = frozenset({"uid", "study"})
_CREATED_AS: Final = frozenset({"workitem", "affectedsopinstanceuid", "sopinstanceuid", "00080018"})
_TRANSACTIONS: Final = frozenset({"transaction", "transactionuid", "00081195"})
"""How editions of the standard, and programs, have called it; without signs between words."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What must match; None: anything does."""

    uid: str | None = None
    state: WorkitemState | None = None
    study: str | None = None
    label: str | None = None
    code: str | None = None
    limit: int = LIMIT
    offset: int = 0


def sought(query: Iterable[tuple[str, str]]) -> Sought:
    """Return what ``query`` asks for. Raises :class:`~service.errors.ServiceError`.

    Patients' names and numbers are not matched: they would stand in addresses, which are logged
    by others.
    """
    found: dict[str, str] = {}
    numbers = {"limit": LIMIT, "offset": 0}
    for key, value in query:
        name = key.lower()
        if name in numbers:
            if not value.isdecimal() or len(value) > 9:
                raise _refused(f"{name} is a whole number, not less than 0.")
            numbers[name] = int(value)
        elif name in _KEYS:
            wanted = _KEYS[name]
            if found.setdefault(wanted, value) != value:
                raise _refused(f"{wanted} is asked for twice.")
        elif name not in _HARMLESS:
            raise _refused(
                "Items are found by SOPInstanceUID, ProcedureStepState, StudyInstanceUID, "
                "WorklistLabel and ScheduledWorkitemCodeSequence.CodeValue, with limit and "
                "offset; nothing else is matched."
            )
    for name, value in found.items():
        if name in _UIDS and not _is_uid(value):
            raise _refused("A UID is one, of numbers and dots.")
        if not value or len(value) > _LONGEST or not value.isprintable():
            raise _refused(f"A value has 1 to {_LONGEST} characters.")
    if numbers["offset"] > FURTHEST:
        raise _refused(f"offset is at most {FURTHEST}.")
    return Sought(
        uid=found.get("uid"),
        state=_state(found.get("state")),
        study=found.get("study"),
        label=found.get("label"),
        code=found.get("code"),
        limit=max(1, min(numbers["limit"], LIMIT)),
        offset=numbers["offset"],
    )


def created_as(query: Iterable[tuple[str, str]]) -> str | None:
    """Return the UID that an item is to be created under; None: the address names none.

    It stands alone behind the question mark, or by a name. Raises as :func:`sought`.
    """
    return _one(query, _CREATED_AS)


def transaction(query: Iterable[tuple[str, str]]) -> str | None:
    """Return the transaction UID of an update; None: there is none. Raises as :func:`sought`."""
    return _one(query, _TRANSACTIONS)


def _one(query: Iterable[tuple[str, str]], names: frozenset[str]) -> str | None:
    found: set[str] = set()
    for key, value in query:
        name = key.lower().replace("-", "").replace("_", "")
        if name in names:
            found.add(value.strip())
        elif not value:
            found.add(key)
        elif name not in _HARMLESS:
            raise invalid("The address has a parameter that is not known here.")
    if len(found) > 1:
        raise invalid("The address names two UIDs.")
    for one in found:
        if not _is_uid(one):
            raise invalid("What the address names is no UID.")
        return one
    return None


def _state(word: str | None) -> WorkitemState | None:
    if word is None:
        return None
    for state, known in WORDS.items():
        if known == word:
            return state
    raise _refused(f"ProcedureStepState is one of {', '.join(WORDS.values())}.")


def _is_uid(text: str) -> bool:
    try:
        return head.uid(text) == text
    except head.HeadError:
        return False


def _refused(detail: str) -> ServiceError:
    return ServiceError("bad_request", detail)
