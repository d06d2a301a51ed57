"""Calls of CDS Hooks 2.0 and what is told of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from service.errors import ServiceError
from service.language.locale import N_

Hook = Literal["patient-view", "order-select"]
Outcome = Literal["accepted", "overridden"]

SERVICES: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "hook": "patient-view",
        "id": "osteoserve-results",
        "title": "Spine DXA: results that wait or are signed",
        "description": "Tells of the patient's stored spine DXA results, whether a reader has "
        "signed them, and what guidelines say of the facts that were entered. Research use only.",
        "prefetch": {"patient": "Patient/{{context.patientId}}"},
    },
    {
        "hook": "order-select",
        "id": "osteoserve-order",
        "title": "Spine DXA: orders of a scan or of a drug against osteoporosis",
        "description": "Tells when the last scan was, what change can be told apart, and what is "
        "contraindicated by the facts that were entered. Research use only.",
        "prefetch": {"patient": "Patient/{{context.patientId}}"},
    },
)
HOOKS: Final[Mapping[str, str]] = {one["id"]: one["hook"] for one in SERVICES}

MOST_SELECTIONS: Final = 100
MOST_FEEDBACK: Final = 50
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
"""Of a FHIR resource (R4, datatypes, id)."""


class PrefetchError(Exception):
    """What is known of the patient was not sent, and cannot be asked for."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of a hook; ``patient``: the prefetched resource, None where there is none."""

    hook: str
    patient_id: str
    patient: Mapping[str, Any] | None = field(repr=False)
    selections: tuple[str, ...] = ()
    orders: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    fhir_server: str | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """What became of a card. What somebody wrote about it is not kept."""

    card: UUID
    outcome: Outcome
    suggestions: int
    reason: str | None


def call(service: str, sent: Mapping[str, Any]) -> Call:
    """Return the call in a body. Raises :class:`~service.errors.ServiceError`."""
    if sent.get("hook") != HOOKS[service]:
        raise _invalid(N_("hook is not the one of this service."))
    if _UUID.fullmatch(str(sent.get("hookInstance"))) is None:
        raise _invalid(N_("hookInstance is a UUID."))
    context = sent.get("context")
    if not isinstance(context, dict):
        raise _invalid(N_("context is an object."))
    patient_id, user = context.get("patientId"), context.get("userId")
    if not isinstance(patient_id, str) or _ID.fullmatch(patient_id) is None:
        raise _invalid(N_("context.patientId is the id of a FHIR resource."))
    if not isinstance(user, str) or not user:
        raise _invalid(N_("context.userId is missing."))
    server, authorization = sent.get("fhirServer"), sent.get("fhirAuthorization")
    if authorization is not None and not isinstance(server, str):
        raise _invalid(N_("fhirAuthorization comes with fhirServer."))
    token = authorization.get("access_token") if isinstance(authorization, dict) else None
    selections, orders = _orders(sent["hook"], context)
    return Call(
        hook=sent["hook"],
        patient_id=patient_id,
        patient=_prefetched(sent.get("prefetch")),
        selections=selections,
        orders=orders,
        fhir_server=server if isinstance(server, str) else None,
        token=token if isinstance(token, str) else None,
    )


def _orders(
    hook: str, context: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]:
    if hook != "order-select":
        return (), ()
    selections, drafts = context.get("selections"), context.get("draftOrders")
    if not isinstance(selections, list) or not all(isinstance(one, str) for one in selections):
        raise _invalid(N_("context.selections is a list of references."))
    entries = drafts.get("entry") if isinstance(drafts, dict) else None
    if not isinstance(drafts, dict) or not isinstance(entries, list | None):
        raise _invalid(N_("context.draftOrders is a FHIR Bundle."))
    found = [one.get("resource") for one in entries or () if isinstance(one, dict)]
    orders = tuple(one for one in found[:MOST_SELECTIONS] if isinstance(one, dict))
    return tuple(selections[:MOST_SELECTIONS]), orders


def _prefetched(prefetch: Any) -> Mapping[str, Any] | None:
    """Return the patient; an OperationOutcome, as servers put where they failed, is none."""
    found = prefetch.get("patient") if isinstance(prefetch, dict) else None
    is_patient = isinstance(found, dict) and found.get("resourceType") == "Patient"
    return found if is_patient else None


def feedback(sent: Mapping[str, Any]) -> tuple[Feedback, ...]:
    """Return the feedback in a body. Raises :class:`~service.errors.ServiceError`."""
    listed = sent.get("feedback")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_FEEDBACK:
        raise _invalid(N_("feedback is a list of one to fifty."))
    return tuple(map(_feedback, listed))


def _feedback(one: Any) -> Feedback:
    if not isinstance(one, dict) or _UUID.fullmatch(str(one.get("card"))) is None:
        raise _invalid(N_("card is the uuid of a card."))
    outcome, accepted = one.get("outcome"), one.get("acceptedSuggestions")
    if outcome not in ("accepted", "overridden"):
        raise _invalid(N_("outcome is accepted or overridden."))
    if outcome == "accepted" and not (isinstance(accepted, list) and accepted):
        raise _invalid(N_("acceptedSuggestions is missing."))
    if not isinstance(one.get("outcomeTimestamp"), str):
        raise _invalid(N_("outcomeTimestamp is missing."))
    reason = one.get("overrideReason")
    coded = reason.get("reason") if isinstance(reason, dict) else None
    code = coded.get("code") if isinstance(coded, dict) else None
    return Feedback(
        card=UUID(one["card"]),
        outcome=outcome,
        suggestions=len(accepted) if isinstance(accepted, list) else 0,
        reason=code if code in REASONS else None,
    )


REASONS: Final[Mapping[str, str]] = {
    "known": "Already known",
    "not-this-patient": "Does not apply to this patient",
    "later": "Will be looked at later",
}
"""Why a card is overridden, as cards offer it."""
REASONS_SYSTEM: Final = "urn:osteoserve:cds:override-reasons"


def _invalid(said: str) -> ServiceError:
    return ServiceError("malformed_body", said)
