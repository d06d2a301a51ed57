"""Who may ask what: one table over all routes. What is not in it is not served.

Rules speak of roles alone; which results a role may be used on is decided where they are read
(:class:`~service.identity.actor.Within`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from service.identity.actor import ROLES, Actor, Role

Whom = Literal["anybody", "person", "signed_in", "monitoring"]
"""``monitoring``: besides the roles whoever asks without a proxy in between, as scrapers do."""

Read = Literal["result", "list", "patient", "batch", "trail"]
"""What of a patient's or of the trail is read."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Whom a route answers."""

    whom: Whom = "signed_in"
    roles: frozenset[Role] = frozenset(ROLES)
    """Any of them will do; ``anybody`` and ``person`` ask for none."""
    reads: Read | None = None
    """What is written into the trail before it is answered."""

    def allows(self, actor: Actor) -> bool:
        if self.whom == "anybody":
            return True
        if self.whom == "person":
            return actor.is_person
        return bool(self.roles & actor.roles)


def _of(*roles: Role, reads: Read | None = None) -> Rule:
    return Rule(roles=frozenset(roles), reads=reads)


ANYBODY: Final = Rule(whom="anybody")
MONITORING: Final = Rule(whom="monitoring", roles=frozenset({"administrator", "auditor"}))
PERSON: Final = Rule(whom="person")
SIGNED_IN: Final = Rule()
ADMINISTRATOR: Final = _of("administrator")
PROVISION: Final = _of("provisioner")
"""Of the hospital's directory, which can do nothing else."""
AUDITOR: Final = _of("auditor")
UPLOAD: Final = _of("clinician", "integrator")
SIGN: Final = _of("clinician")
RETIRE: Final = _of("clinician", "administrator")
READ: Final = _of("viewer", "clinician", "integrator", reads="result")
SEE: Final = _of("viewer", "clinician", reads="result")
"""Pages are for people: an integrator reads what it sent by the API."""

CDS: Final = _of("viewer", "clinician")
"""Records read what readers read: each patient that is found is noted by the verb."""
RESULTS: Final = _of("viewer", "clinician", "integrator")
"""By DICOMweb, which notes by itself what was read: by the number of a case, not of a UID."""

_PREDICTION: Final = "/api/v1/predictions/{id}"
_RESULT: Final = "/results/{id}"
_SERIES: Final = "/dicom-web/studies/{study}/series/{series}"
_WORKITEM: Final = "/dicom-web/workitems/{workitem}"

RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("GET", "/"): SIGNED_IN,
    ("POST", "/"): _of("clinician"),
    ("GET", "/about"): ANYBODY,
    ("GET", "/account"): PERSON,
    ("POST", "/account/password"): PERSON,
    ("POST", "/account/passkey"): PERSON,
    ("GET", "/account/passkeys"): PERSON,
    ("POST", "/account/passkeys"): PERSON,
    ("POST", "/account/passkeys/again"): PERSON,
    ("POST", "/account/passkeys/options"): PERSON,
    ("POST", "/account/passkeys/{id}/remove"): PERSON,
    ("GET", "/account/second"): PERSON,
    ("POST", "/account/second"): PERSON,
    ("POST", "/account/second/codes"): PERSON,
    ("POST", "/account/second/confirm"): PERSON,
    ("POST", "/account/second/remove"): PERSON,
    ("GET", "/account/sessions"): PERSON,
    ("POST", "/account/sessions/again"): PERSON,
    ("POST", "/account/sessions/end"): PERSON,
    ("POST", "/account/sessions/{id}/end"): PERSON,
    ("POST", "/account/site"): PERSON,
    ("GET", "/api/docs"): SIGNED_IN,
    ("GET", "/api/openapi.json"): SIGNED_IN,
    ("POST", "/api/v1/batches"): UPLOAD,
    ("GET", "/api/v1/batches/{id}"): _of("viewer", "clinician", "integrator", reads="batch"),
    ("POST", "/api/v1/batches/{id}/cancel"): UPLOAD,
    ("GET", "/api/v1/batches/{id}/quality.csv"): _of(
        "viewer", "clinician", "integrator", reads="batch"
    ),
    ("GET", "/api/v1/batches/{id}/quality.xlsx"): _of(
        "viewer", "clinician", "integrator", reads="batch"
    ),
    ("GET", "/api/v1/batches/{id}/results"): _of(
        "viewer", "clinician", "integrator", reads="batch"
    ),
    ("POST", "/api/v1/considerations"): SIGNED_IN,
    ("POST", "/api/v1/morphometry"): SIGNED_IN,
    ("GET", "/api/v1/models"): SIGNED_IN,
    ("GET", "/api/v1/predictions"): _of("viewer", "clinician", "integrator", reads="list"),
    ("POST", "/api/v1/predictions"): UPLOAD,
    ("DELETE", _PREDICTION): ADMINISTRATOR,
    ("GET", _PREDICTION): READ,
    ("GET", f"{_PREDICTION}/image"): READ,
    ("GET", f"{_PREDICTION}/maps/{{model}}"): READ,
    ("GET", f"{_PREDICTION}/report.pdf"): READ,
    ("GET", f"{_PREDICTION}/reviews"): READ,
    ("POST", f"{_PREDICTION}/reviews"): SIGN,
    ("GET", f"{_PREDICTION}/sent-image"): READ,
    ("GET", f"{_PREDICTION}/worklist"): READ,
    ("PATCH", f"{_PREDICTION}/worklist"): _of("clinician"),
    ("GET", f"{_PREDICTION}/study"): READ,
    ("PUT", f"{_PREDICTION}/study"): _of("clinician"),
    ("GET", f"{_PREDICTION}/modalities"): READ,
    ("POST", f"{_PREDICTION}/ct"): _of("clinician"),
    ("GET", f"{_PREDICTION}/ct"): READ,
    ("PUT", f"{_PREDICTION}/ct"): _of("clinician"),
    ("DELETE", f"{_PREDICTION}/ct"): _of("clinician"),
    ("GET", f"{_PREDICTION}/heights"): READ,
    ("PUT", f"{_PREDICTION}/heights"): _of("clinician"),
    ("DELETE", f"{_PREDICTION}/heights"): _of("clinician"),
    ("PUT", f"{_PREDICTION}/ultrasound"): _of("clinician"),
    ("DELETE", f"{_PREDICTION}/ultrasound"): _of("clinician"),
    ("GET", "/api/v1/patients/{key}/progression"): _of(
        "viewer", "clinician", "integrator", reads="patient"
    ),
    ("GET", "/api/v1/patients/{key}/report.pdf"): _of(
        "viewer", "clinician", "integrator", reads="patient"
    ),
    ("GET", "/audit"): _of("auditor", reads="trail"),
    ("GET", "/audit/export.csv"): AUDITOR,
    ("GET", "/audit/export.ndjson"): AUDITOR,
    ("GET", "/auth/oidc/again"): PERSON,
    ("GET", "/auth/oidc/callback"): ANYBODY,
    ("POST", "/auth/oidc/logout"): ANYBODY,
    ("GET", "/auth/oidc/signin"): ANYBODY,
    ("GET", "/bulk"): _of("clinician"),
    ("POST", "/bulk"): _of("clinician"),
    ("GET", "/bulk/{id}"): _of("viewer", "clinician", reads="batch"),
    ("POST", "/bulk/{id}/cancel"): _of("clinician"),
    ("GET", "/bulk/{id}/quality.csv"): _of("viewer", "clinician", reads="batch"),
    ("GET", "/bulk/{id}/quality.xlsx"): _of("viewer", "clinician", reads="batch"),
    ("GET", "/cds-services"): ANYBODY,
    ("OPTIONS", "/cds-services"): ANYBODY,
    ("POST", "/cds-services/{id}"): CDS,
    ("OPTIONS", "/cds-services/{id}"): ANYBODY,
    ("POST", "/cds-services/{id}/feedback"): CDS,
    ("OPTIONS", "/cds-services/{id}/feedback"): ANYBODY,
    ("POST", "/dicom-web/studies"): _of("integrator"),
    ("GET", "/dicom-web/studies"): RESULTS,
    ("POST", "/dicom-web/studies/{study}"): _of("integrator"),
    ("GET", "/dicom-web/studies/{study}"): RESULTS,
    ("GET", "/dicom-web/studies/{study}/instances"): RESULTS,
    ("GET", "/dicom-web/studies/{study}/metadata"): RESULTS,
    ("GET", "/dicom-web/studies/{study}/series"): RESULTS,
    ("GET", f"{_SERIES}"): RESULTS,
    ("GET", f"{_SERIES}/instances"): RESULTS,
    ("GET", f"{_SERIES}/instances/{{instance}}"): RESULTS,
    ("GET", f"{_SERIES}/instances/{{instance}}/metadata"): RESULTS,
    ("GET", f"{_SERIES}/metadata"): RESULTS,
    ("GET", "/dicom-web/workitems"): RESULTS,
    ("POST", "/dicom-web/workitems"): _of("integrator"),
    ("GET", _WORKITEM): RESULTS,
    ("POST", _WORKITEM): _of("integrator"),
    ("POST", f"{_WORKITEM}/cancelrequest"): _of("integrator"),
    ("PUT", f"{_WORKITEM}/state"): _of("integrator"),
    ("DELETE", f"{_WORKITEM}/subscribers/{{aet}}"): RESULTS,
    ("POST", f"{_WORKITEM}/subscribers/{{aet}}"): RESULTS,
    ("GET", "/faq"): SIGNED_IN,
    ("GET", "/glass"): SIGN,
    ("POST", "/glass"): SIGN,
    ("POST", "/glass/end"): PERSON,
    ("GET", "/glass/uses"): _of("auditor", reads="trail"),
    ("POST", "/glass/uses/{id}/close"): AUDITOR,
    ("GET", "/health/live"): ANYBODY,
    ("GET", "/health/ready"): ANYBODY,
    ("GET", "/health/startup"): ANYBODY,
    ("GET", "/history"): _of("viewer", "clinician", reads="list"),
    ("POST", "/history"): _of("viewer", "clinician", reads="list"),
    ("GET", "/history/export.csv"): _of("viewer", "clinician"),
    ("GET", "/history/export.xlsx"): _of("viewer", "clinician"),
    ("GET", "/history/next"): _of("viewer", "clinician"),
    ("GET", "/integrate"): SIGNED_IN,
    ("GET", "/keys"): ADMINISTRATOR,
    ("POST", "/keys"): ADMINISTRATOR,
    ("POST", "/keys/{id}/revoke"): ADMINISTRATOR,
    ("POST", "/keys/{id}/rotate"): ADMINISTRATOR,
    ("POST", "/language"): ANYBODY,
    ("GET", "/metrics"): MONITORING,
    ("GET", "/models"): SIGNED_IN,
    ("GET", "/models/plots/{name}.svg"): SIGNED_IN,
    ("POST", "/patients"): _of("viewer", "clinician"),
    ("GET", "/patients/{key}"): _of("viewer", "clinician", reads="patient"),
    ("GET", "/patients/{key}/report.pdf"): _of("viewer", "clinician", reads="patient"),
    ("GET", "/people"): ADMINISTRATOR,
    ("POST", "/people"): ADMINISTRATOR,
    ("GET", "/people/{id}"): ADMINISTRATOR,
    ("POST", "/people/{id}/disable"): ADMINISTRATOR,
    ("POST", "/people/{id}/enable"): ADMINISTRATOR,
    ("POST", "/people/{id}/link"): ADMINISTRATOR,
    ("POST", "/people/{id}/roles"): ADMINISTRATOR,
    ("POST", "/people/{id}/second/reset"): ADMINISTRATOR,
    ("GET", "/problems"): ANYBODY,
    ("GET", "/queue"): ADMINISTRATOR,
    ("GET", "/queue/{id}/discard"): ADMINISTRATOR,
    ("POST", "/queue/{id}/discard"): ADMINISTRATOR,
    ("POST", "/queue/{id}/restart"): ADMINISTRATOR,
    ("GET", _RESULT): SEE,
    ("GET", f"{_RESULT}/delete"): ADMINISTRATOR,
    ("POST", f"{_RESULT}/delete"): ADMINISTRATOR,
    ("GET", f"{_RESULT}/report.pdf"): SEE,
    ("POST", f"{_RESULT}/flag"): _of("clinician"),
    ("POST", f"{_RESULT}/assign"): _of("clinician"),
    ("GET", f"{_RESULT}/retire"): RETIRE,
    ("POST", f"{_RESULT}/retire"): RETIRE,
    ("POST", f"{_RESULT}/restore"): RETIRE,
    # Part of a list, whose reading is noted.
    ("GET", f"{_RESULT}/thumbnail.png"): _of("viewer", "clinician"),
    ("POST", f"{_RESULT}/reviews"): SIGN,
    ("GET", f"{_RESULT}/study"): _of("clinician", reads="result"),
    ("POST", f"{_RESULT}/study"): _of("clinician"),
    ("GET", f"{_RESULT}/ct"): SEE,
    ("POST", f"{_RESULT}/ct"): _of("clinician"),
    ("POST", f"{_RESULT}/ct/region"): _of("clinician"),
    # Parts of the page, whose reading is noted.
    ("GET", f"{_RESULT}/ct/overview.png"): _of("viewer", "clinician"),
    ("GET", f"{_RESULT}/ct/{{number}}.png"): _of("viewer", "clinician"),
    ("GET", f"{_RESULT}/ultrasound"): _of("clinician", reads="result"),
    ("POST", f"{_RESULT}/ultrasound"): _of("clinician"),
    ("GET", f"{_RESULT}/heights"): SEE,
    ("POST", f"{_RESULT}/heights"): SEE,
    ("POST", f"{_RESULT}/heights/keep"): _of("clinician"),
    ("GET", f"{_RESULT}/treatment"): SEE,
    ("GET", "/retention"): ADMINISTRATOR,
    ("POST", "/retention/holds"): ADMINISTRATOR,
    ("POST", "/retention/holds/{id}/release"): ADMINISTRATOR,
    ("GET", "/scim/v2/Groups"): PROVISION,
    ("POST", "/scim/v2/Groups"): PROVISION,
    ("DELETE", "/scim/v2/Groups/{id}"): PROVISION,
    ("GET", "/scim/v2/Groups/{id}"): PROVISION,
    ("PATCH", "/scim/v2/Groups/{id}"): PROVISION,
    ("PUT", "/scim/v2/Groups/{id}"): PROVISION,
    ("GET", "/scim/v2/ResourceTypes"): PROVISION,
    ("GET", "/scim/v2/ResourceTypes/{name}"): PROVISION,
    ("GET", "/scim/v2/Schemas"): PROVISION,
    ("GET", "/scim/v2/Schemas/{name}"): PROVISION,
    ("GET", "/scim/v2/ServiceProviderConfig"): PROVISION,
    ("GET", "/scim/v2/Users"): PROVISION,
    ("POST", "/scim/v2/Users"): PROVISION,
    ("DELETE", "/scim/v2/Users/{id}"): PROVISION,
    ("GET", "/scim/v2/Users/{id}"): PROVISION,
    ("PATCH", "/scim/v2/Users/{id}"): PROVISION,
    ("PUT", "/scim/v2/Users/{id}"): PROVISION,
    ("GET", "/setup"): ANYBODY,
    ("POST", "/setup"): ANYBODY,
    ("GET", "/signin"): ANYBODY,
    ("POST", "/signin"): ANYBODY,
    ("POST", "/signin/passkey"): ANYBODY,
    ("GET", "/signin/second"): ANYBODY,
    ("POST", "/signin/second"): ANYBODY,
    ("POST", "/signin/second/passkey"): ANYBODY,
    ("POST", "/signout"): PERSON,
    ("GET", "/sites"): ADMINISTRATOR,
    ("POST", "/sites"): ADMINISTRATOR,
    ("POST", "/sites/{site}/name"): ADMINISTRATOR,
    ("GET", "/smart/callback/{name}"): ANYBODY,
    ("GET", "/smart/launch"): ANYBODY,
    ("GET", "/smart/nothing"): _of("viewer", "clinician"),
    ("MOUNT", "/static"): ANYBODY,
    ("MOUNT", "/static/swagger"): ANYBODY,
    ("GET", "/treatment"): SIGNED_IN,
    ("POST", "/treatment"): SIGNED_IN,
    ("GET", "/usage"): ADMINISTRATOR,
    ("GET", "/usage/export.csv"): ADMINISTRATOR,
    ("GET", "/welcome"): ANYBODY,
    ("POST", "/welcome"): ANYBODY,
}

LANDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "/": ("POST", "/"),
    "/history": ("GET", "/history"),
    "/people": ("GET", "/people"),
    "/audit": ("GET", "/audit"),
    "/models": ("GET", "/models"),
}
"""Where somebody begins, the first whose rule lets them: its address, and what they do there."""


def may(actor: Actor, method: str, template: str) -> bool:
    """Whether ``actor`` is answered at ``template``."""
    return RULES[method, template].allows(actor)


def landing(actor: Actor) -> str:
    """Return the address where ``actor`` begins."""
    return next((at for at, asked in LANDINGS.items() if may(actor, *asked)), "/about")


def gaps(routes: set[tuple[str, str]]) -> Iterator[str]:
    """Yield what stands between ``routes`` and the table, either way."""
    for method, template in sorted(routes - RULES.keys()):
        yield f"{method} {template} has no rule in service/identity/rules.py"
    for method, template in sorted(RULES.keys() - routes):
        yield f"{method} {template} has a rule in service/identity/rules.py and no route"
