"""For whom passkeys are made."""

from __future__ import annotations

import pytest

from service.identity.ceremony import Party, party


@pytest.mark.parametrize(("public_url", "host", "expected"), [
    ("https://dxa.clinic.example", "x", ("dxa.clinic.example", "https://dxa.clinic.example")),
    ("https://dxa.clinic.example:443/", "x", ("dxa.clinic.example", "https://dxa.clinic.example")),
    ("https://intranet.example:8443/osteoserve", "x",
     ("intranet.example", "https://intranet.example:8443")),
    ("http://localhost:8000/osteoserve", "x", ("localhost", "http://localhost:8000")),
    ("http://dxa.clinic.example", "dxa.clinic.example", None),
    ("https://10.0.0.7", "10.0.0.7", None),
    ("https://[fd00::7]", "[fd00::7]", None),
    (None, "localhost:8000", ("localhost", "http://localhost:8000")),
    (None, "LOCALHOST", ("localhost", "http://localhost")),
    (None, "127.0.0.1:8000", None),
    (None, "[::1]:8000", None),
    (None, "evil.example", None),
    (None, "localhost.evil.example", None),
    (None, "", None),
])  # fmt: skip
def test_for_whom_passkeys_are_made(
    public_url: str | None, host: str, expected: tuple[str, str] | None
) -> None:
    """The public address counts, whatever a request says that it is for."""
    found = party(public_url, host)
    assert found == (None if expected is None else Party(id=expected[0], origin=expected[1]))
