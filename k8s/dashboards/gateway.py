"""What scanners sent, where it stands, and how it comes to its destinations. Counts alone."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from k8s.dashboards.board import board, lines, numbers, of, rate
from k8s.rules.gateway import LATE_SECONDS
from service.integration.cds.metrics import CALLS, FEEDBACK
from service.integration.metrics import (
    ASKED,
    ASSOCIATIONS,
    ATTEMPTS,
    LEDGER,
    MESSAGES,
    OBJECTS,
    OLDEST,
    PULLED,
    READ,
    REJECTED,
    STATES,
    UNACCOUNTED,
)
from service.integration.smart.metrics import LAUNCHES
from service.integration.smart.metrics import UP as RECORD_UP
from service.integration.web.metrics import OBJECTS as DICOMWEB
from service.integration.web.metrics import WORKITEMS

CASES: Final = 'kind="case"'
DELIVERIES: Final = 'kind="delivery"'
PULLS: Final = 'kind="pull"'
ITEMS: Final = 'kind="workitem"'


def build() -> Dashboard:
    return board(
        "gateway",
        "gateway and ledger",
        {
            "Is everything accounted for?": [
                numbers(
                    "Unaccounted",
                    "none",
                    "Objects that were acknowledged and of which the ledger cannot say what "
                    "becomes of them. Anything but 0 is a fault.",
                    {"unaccounted": f"max({of(UNACCOUNTED)})"},
                    bad_from=1.0,
                ),
                numbers(
                    "Where all objects stand",
                    "none",
                    "Everything that was ever acknowledged; each object is counted once.",
                    {"{{state}}": f"max by (state) ({of(LEDGER)})"},
                ),
                numbers(
                    "Oldest in progress",
                    "s",
                    "A study that is received or judged; a delivery that waits or is sent.",
                    {"{{kind}}": f"max by (kind) ({of(OLDEST)})"},
                    bad_from=LATE_SECONDS,
                ),
            ],
            "In": [
                lines(
                    "Objects, by what became of them",
                    "reqps",
                    "not_stored: A700, their sender has to send them again.",
                    {"{{result}}": f"sum by (result) ({rate(OBJECTS)})"},
                ),
                lines(
                    "Connections and associations that were not accepted",
                    "reqps",
                    "address: a stranger, or a load balancer that looks; peer: titles or "
                    "certificate; crowd: too many; stopping: a gateway that ends.",
                    {"{{reason}}": f"sum by (reason) ({rate(REJECTED)})"},
                ),
                lines(
                    "Objects by STOW-RS, by what became of them",
                    "reqps",
                    "not_stored: 503, their sender has to send them again.",
                    {"{{result}}": f"sum by (result) ({rate(DICOMWEB)})"},
                ),
                lines(
                    "Scanners' own reports, by what became of their numbers",
                    "reqps",
                    "partly: numbers that cannot be believed were left out; refused: the whole "
                    "report is in quarantine.",
                    {"{{result}}": f"sum by (result) ({rate(READ)})"},
                ),
                lines(
                    "HL7 messages, by what became of them",
                    "reqps",
                    "not_kept: AR, their sender has to send them again; refused: AE or AR, of "
                    "which the answer says why.",
                    {"{{result}}": f"sum by (result) ({rate(MESSAGES)})"},
                ),
                lines(
                    "Studies asked of archives, by what became of them",
                    "reqps",
                    "skipped: it is here already; failed: tried again, or a person decides.",
                    {"{{result}}": f"sum by (result) ({rate(PULLED)})"},
                ),
                lines(
                    "Questions to archives, by state",
                    "short",
                    "dead: a person decides.",
                    {"{{state}}": f"max by (state) ({of(STATES, PULLS)})"},
                ),
                lines(
                    "Questions to worklists, by what they were answered",
                    "reqps",
                    "ambiguous: items of two orders fit, and none is taken.",
                    {"{{result}}": f"sum by (result) ({rate(ASKED)})"},
                ),
                lines(
                    "Work items, by what programs did with them",
                    "reqps",
                    "By UPS-RS; what gateways do with them is not in it.",
                    {"{{act}}": f"sum by (act) ({rate(WORKITEMS)})"},
                ),
                lines(
                    "Work items, by state",
                    "short",
                    "scheduled: their images have not all arrived, or nobody performs them.",
                    {"{{state}}": f"max by (state) ({of(STATES, ITEMS)})"},
                ),
                lines(
                    "Open connections",
                    "short",
                    "Of all gateways.",
                    {"open": f"sum({of(ASSOCIATIONS)})"},
                ),
                lines(
                    "Cases, by state",
                    "short",
                    "Studies on their way to a result.",
                    {"{{state}}": f"max by (state) ({of(STATES, CASES)})"},
                ),
            ],
            "In records": [
                lines(
                    "Calls of CDS Hooks, by what they were answered with",
                    "reqps",
                    "no_patient: none of its identifiers may be ours; ambiguous: two patients.",
                    {"{{service}}: {{result}}": f"sum by (service, result) ({rate(CALLS)})"},
                ),
                lines(
                    "Cards that somebody answered",
                    "reqps",
                    "By what became of them.",
                    {"{{outcome}}": f"sum by (outcome) ({rate(FEEDBACK)})"},
                ),
                lines(
                    "Launches, by what was found or why they were refused",
                    "reqps",
                    "none: nothing is here of the patient; no_role: the record's groups give none.",
                    {"{{outcome}}": f"sum by (outcome) ({rate(LAUNCHES)})"},
                ),
                lines(
                    "Records that answer",
                    "none",
                    "1: the record's authorization server answered when it was asked last.",
                    {"{{record}}": f"min by (record) ({of(RECORD_UP)})"},
                ),
            ],
            "Out": [
                lines(
                    "Attempts to deliver, by the state after it",
                    "reqps",
                    "waiting: tried again later.",
                    {"{{state}}": f"sum by (state) ({rate(ATTEMPTS)})"},
                ),
                lines(
                    "Deliveries, by state",
                    "short",
                    "dead: a person decides.",
                    {"{{state}}": f"max by (state) ({of(STATES, DELIVERIES)})"},
                ),
            ],
        },
    )
