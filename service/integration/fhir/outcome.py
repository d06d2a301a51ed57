"""What a FHIR server answers: a transaction's response, or an OperationOutcome."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from service.integration.redaction import redacted


def all_done(body: bytes, entries: int) -> bool:
    """Whether ``body`` is the response to a transaction of ``entries``, all of which succeeded."""
    found = _object(body)
    done = found.get("entry")
    if found.get("resourceType") != "Bundle" or not isinstance(done, list):
        return False
    return len(done) == entries and all(_status(one).startswith("2") for one in done)


def told(body: bytes, words: Iterable[str]) -> str | None:
    """Return what an OperationOutcome says, without any of ``words``; None where it is none."""
    found = _object(body)
    if found.get("resourceType") != "OperationOutcome":
        return None
    return redacted("; ".join(_issues(found)), words)


def identifying(bundle: bytes) -> frozenset[str]:
    """Return what a transaction of ours says of the patient and the order."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("value"), str) and "type" in value:
                found.add(value["value"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(json.loads(bundle))
    return frozenset(found)


def _issues(found: Mapping[str, Any]) -> Iterator[str]:
    issues = found.get("issue")
    every = [one for one in issues if isinstance(one, dict)] if isinstance(issues, list) else []
    # Many a server tells all that it noticed: what it refused for comes first.
    for one in sorted(every, key=lambda one: one.get("severity") not in ("fatal", "error")):
        code = str(one.get("code", ""))
        details = one.get("details")
        text = details.get("text") if isinstance(details, dict) else None
        words = " ".join(str(part) for part in (one.get("diagnostics"), text) if part)
        yield f"{code if re.fullmatch('[a-z-]{1,32}', code) else 'issue'}: {words}"


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _status(entry: Any) -> str:
    response = entry.get("response") if isinstance(entry, dict) else None
    return str(response.get("status", "")) if isinstance(response, dict) else ""
