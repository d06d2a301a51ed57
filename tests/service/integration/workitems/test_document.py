"""DICOM JSON, read strictly: what is none is refused and quoted nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydicom.dataset import Dataset

from service.integration.workitems.document import (
    DEEPEST,
    MOST_ELEMENTS,
    DocumentError,
    element,
    parse,
    text,
    values,
)
from tests.service.integration.workitems.kit import workitem

SECRET = "SECRET-4711"  # noqa: S105 - a patient's number


def body(**elements: Any) -> bytes:
    return json.dumps({name.removeprefix("t"): one for name, one in elements.items()}).encode()


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"00404021": {"vr": "SQ", "Value": [found]}}
    return found


@pytest.mark.parametrize("packed", [False, True], ids=["alone", "in a list"])
def test_an_item_is_read_as_it_was_written(packed: bool) -> None:
    item = workitem()
    found = parse(json.dumps([item] if packed else item).encode())
    assert found == item
    data = Dataset.from_json(found)
    assert data.PatientName == "Müller^Jürgen"
    assert data.ScheduledWorkitemCodeSequence[0].CodeValue == "110004"
    assert text(found, "PatientID") == "4711"
    assert values(found, "PatientBirthDate") == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"[{},{}]", b"[[{}]]", b"\xff\xfe{\x00}\x00",
        b'\xef\xbb\xbf{}', b'{"00100020":{"vr":"LO"},"00100020":{"vr":"LO"}}',
        b'{"00741004":{"vr":"DS","Value":[NaN]}}', b"[" * 100_000,
        b'{"00741004":{"vr":"DS","Value":[' + b"9" * 5_000 + b"]}}",
    ],
    ids=[
        "empty", "cut", "none", "null", "text", "two", "lists", "UTF-16", "mark", "twice", "NaN",
        "deep", "digits",
    ],
)  # fmt: skip
def test_what_is_no_single_data_set_is_refused(body: bytes) -> None:
    with pytest.raises(DocumentError):
        parse(body)


@pytest.mark.parametrize(
    "body",
    [
        body(PatientID={"vr": "LO", "Value": [SECRET]}),
        body(t0010002={"vr": "LO", "Value": [SECRET]}),
        body(t0010002g={"vr": "LO"}),
        json.dumps({"0010000d": {"vr": "UI"}}).encode(),
        body(t00020010={"vr": "UI", "Value": ["1.2"]}),
        body(t00001000={"vr": "UI", "Value": ["1.2"]}),
        body(t00100020=[SECRET]),
        body(t00100020={"Value": [SECRET]}),
        body(t00100020={"vr": "SH", "Value": [SECRET]}),
        body(t00100020={"vr": "XX", "Value": [SECRET]}),
        body(t00100020={"vr": ["LO"], "Value": [SECRET]}),
        body(t00100020={"vr": "LO", "Value": SECRET}),
        body(t00100020={"vr": "LO", "Value": [SECRET], "more": 1}),
        body(t00100020={"vr": "LO", "Value": [4711]}),
        body(t00100020={"vr": "LO", "Value": [True]}),
        body(t00100020={"vr": "LO", "Value": [{"Alphabetic": SECRET}]}),
        body(t00100020={"vr": "LO", "Value": [SECRET * 9]}),
        body(t00100020={"vr": "LO", "Value": [SECRET + "\\2"]}),
        body(t00100020={"vr": "LO", "Value": [SECRET + "\x00"]}),
        body(t00100020={"vr": "LO", "Value": [SECRET + "\x1b[2J"]}),
        body(t00100020={"vr": "LO", "Value": [SECRET + "\ud800"]}),
        body(t00100010={"vr": "PN", "Value": [SECRET]}),
        body(t00100010={"vr": "PN", "Value": [{"Alphabetic": "A=B"}]}),
        body(t00100010={"vr": "PN", "Value": [{"Other": "A"}]}),
        body(t00100010={"vr": "PN", "Value": [{"Alphabetic": ["A"]}]}),
        body(t00100030={"vr": "DA", "Value": ["20261399"]}),
        body(t00404005={"vr": "DT", "Value": ["tomorrow"]}),
        body(t00741000={"vr": "CS", "Value": ["in progress"]}),
        body(t00080018={"vr": "UI", "Value": ["1.2.03"]}),
        body(t00080018={"vr": "UI", "Value": ["../../etc/passwd"]}),
        body(t00081190={"vr": "UR", "Value": ["a b"]}),
        body(t00400400={"vr": "LT", "Value": ["one", "two"]}),
        body(t00741004={"vr": "DS", "Value": ["ten"]}),
        body(t00404021={"vr": "SQ", "Value": ["x"]}),
        body(t00404021={"vr": "SQ", "Value": [{"x": {}}]}),
        body(t7FE00010={"vr": "OW", "InlineBinary": "AAAA"}),
        body(t7FE00010={"vr": "OW", "BulkDataURI": "http://127.0.0.1:9/x"}),
        body(t7FE00010={"vr": "OW", "Value": [1]}),
        json.dumps(nested(DEEPEST + 1)).encode(),
        json.dumps({f"0011{n:04X}": {"vr": "LO"} for n in range(MOST_ELEMENTS + 1)}).encode(),
    ],
)
def test_what_no_element_may_be_is_refused_without_a_word_of_it(body: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        parse(body)
    assert SECRET not in str(refused.value)
    assert "passwd" not in str(refused.value)


@pytest.mark.parametrize(
    "item",
    [
        element("PatientID"),
        {"00100020": {"vr": "LO", "Value": []}},
        {"00100020": {"vr": "LO", "Value": [None]}},
        {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Ideographic": "山田^太郎"}]}},
        {"00741004": {"vr": "DS", "Value": [10.5]}},
        {"00741004": {"vr": "DS", "Value": ["10.5"]}},
        {"00110010": {"vr": "LO", "Value": ["a private one"]}},
        {"00281101": {"vr": "US", "Value": [1, 2, 3]}},
        {"0040A370": {"vr": "SQ", "Value": [{"00080050": {"vr": "SH", "Value": ["A1"]}}]}},
        nested(DEEPEST),
    ],
)  # fmt: skip
def test_what_the_standard_allows_is_taken(item: dict[str, Any]) -> None:
    assert parse(json.dumps(item).encode()) == item
