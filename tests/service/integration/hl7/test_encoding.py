"""HL7 in ER7: what means something is escaped, what a set lacks is written in Unicode."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.integration.hl7.encoding import composite, escape, message, segment

MEANING = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\"}


def unescaped(text: str) -> str:
    """Read ``text`` as section 2.7 says, by itself."""
    found, parts = "", text.split("\\")
    for place, one in enumerate(parts):
        if place % 2 == 0:
            found += one
        elif one in MEANING:
            found += MEANING[one]
        else:
            assert one[0] == "X"
            found += chr(int(one[1:], 16))
    return found


@given(st.text())
def test_what_is_escaped_has_no_meaning_and_can_be_read_again(text: str) -> None:
    there = escape(text)
    assert not set(there) & set("|^&~\r\n\v\x1c")
    assert unescaped(there) == text


def test_a_field_has_no_empty_components_at_its_end() -> None:
    assert composite("a", "", "b&c", "", "") == r"a^^b\T\c"
    assert composite("", "") == ""
    assert composite(r"a\.br\b") == r"a\E\.br\E\b"


def test_fields_stand_where_the_standard_counts_them() -> None:
    assert segment("PV1", {1: "1", 2: "U", 9: ""}) == "PV1|1|U"
    assert segment("OBX", {3: "x"}) == "OBX|||x"
    assert segment("MSH", {2: r"^~\&", 4: "us"}) == r"MSH|^~\&||us"


@pytest.mark.parametrize(
    ("charset", "name", "said", "encoded"),
    [
        ("8859/1", "Müller", "8859/1", b"M\xfcller"),
        ("8859/2", "Dvořák", "8859/2", b"Dvo\xf8\xe1k"),
        ("8859/1", "Łukasz", "UNICODE UTF-8", "Łukasz".encode()),
        ("ASCII", "Müller", "UNICODE UTF-8", "Müller".encode()),
        ("UNICODE UTF-8", "名前", "UNICODE UTF-8", "名前".encode()),
    ],
)
def test_case_36_msh_18_says_what_the_bytes_are(
    charset: str, name: str, said: str, encoded: bytes
) -> None:
    made = message({3: "us"}, [segment("PID", {5: name})], charset)  # type: ignore[arg-type]
    head, patient, end = made.split(b"\r")
    assert head.split(b"|")[17] == said.encode()
    assert patient == b"PID|||||" + encoded
    assert end == b""
