"""Audit messages as DICOM and syslog ask for them (cases A34, attack 37)."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from lxml import etree

from service.audit import fhir
from service.audit.atna.message import framed, line, xml
from service.audit.schemas import KINDS, Entry

SCHEMA = etree.RelaxNG(etree.parse(str(Path(__file__).with_name("audit-message.rng"))))
OBJECTS = (None, "account", "result", "patient", "list", "trail", "batch", "glass", "database")


def entry(kind: str = "read", object_kind: str | None = "result", **changes: object) -> Entry:
    values = {
        "id": uuid4(), "at": 1_796_000_000_123_456, "kind": kind, "site": "north",
        "account_id": uuid4(), "key_id": None, "address": "10.0.0.7", "object_kind": object_kind,
        "object_id": str(uuid4()) if object_kind else None, "detail": '{"route":"/results/{id}"}',
        **changes,
    }  # fmt: skip
    return Entry(**values)  # type: ignore[arg-type]


def read(one: Entry) -> etree._Element:
    found = etree.fromstring(xml(one, "clinic"))
    assert SCHEMA.validate(found), SCHEMA.error_log
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("about", OBJECTS)
def test_a34_every_kind_of_entry_is_a_valid_message(kind: str, about: str | None) -> None:
    found = read(entry(kind, about))
    assert (
        found.xpath("string(EventIdentification/EventID/@csd-code)")
        == fhir.coded(entry(kind, about)).code
    )
    own = found.xpath("EventIdentification/EventTypeCode[@codeSystemName='99OSTEOSERVE']")
    assert [one.get("csd-code") for one in own] == [kind]


def test_nobody_without_address_is_a_participant_all_the_same() -> None:
    found = read(entry("sign_in_failed", None, account_id=None, address=None))
    who = found.xpath("ActiveParticipant[@UserIsRequestor='true']")
    assert [one.get("UserID") for one in who] == ["nobody"]
    assert found.xpath("string(EventIdentification/@EventOutcomeIndicator)") == "4"


def test_an_emergency_is_told_as_one() -> None:
    begun = read(entry("glass_broken", "glass"))
    assert begun.xpath("EventIdentification/EventTypeCode[@csd-code='110127']")
    during = read(entry("read", "result", detail=json.dumps({"glass": "x"})))
    assert during.xpath("string(EventIdentification/PurposeOfUse/@csd-code)") == "BTG"
    assert not read(entry()).xpath("EventIdentification/PurposeOfUse")


@pytest.mark.parametrize(
    "text", ["a\r\nb", "\x1b[2J", "\u202egpj.exe", "]]>", "<script>", "=HYPERLINK()", '"&\''],
    ids=["lines", "escape", "reversed", "cdata", "script", "formula", "quotes"],
)  # fmt: skip
def test_attack_37_text_of_others_stays_one_line_and_breaks_nothing(text: str) -> None:
    one = entry(detail=json.dumps({"reason": text}))
    message = line(one, "host\r\n<1>", "clinic")
    assert b"\n" not in message
    assert b"\r" not in message
    assert b"\x1b" not in message
    value = read(one).xpath(
        "string(ParticipantObjectIdentification/ParticipantObjectDetail/@value)"
    )
    told = base64.b64decode(value).decode()
    assert told.isprintable()


def test_the_line_is_syslog_s_with_the_facility_of_security() -> None:
    message = line(entry(), "front-1", "clinic")
    head = re.match(
        rb"<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) front-1 osteoserve - IHE\+RFC-3881 - "
        rb"\xef\xbb\xbf<AuditMessage>",
        message,
    )
    assert head is not None
    assert divmod(int(head[1]), 8) == (10, 5)
    assert framed(message) == str(len(message)).encode() + b" " + message
    # What a collector that was not told otherwise takes.
    assert len(line(entry(detail=json.dumps({"x": "y" * 900})), "h" * 255, "s" * 48)) < 8192
