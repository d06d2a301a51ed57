from __future__ import annotations

import io
import json
import logging
import warnings

import pytest

from telemetry import journal


def test_json_lines(lines: io.StringIO) -> None:
    journal.configure("json", "info", lines)
    journal.log(logging.INFO, "request", method="GET", status=200, prediction=None)
    journal.log(logging.DEBUG, "too fine")
    line = json.loads(lines.getvalue())
    assert line["time"].endswith("Z")
    del line["time"]
    assert line == {
        "level": "info",
        "logger": "osteoserve",
        "event": "request",
        "method": "GET",
        "status": 200,
    }


def test_plain_lines(lines: io.StringIO) -> None:
    journal.configure("plain", "info", lines)
    journal.log(logging.WARNING, "runner", runner="cnn", state="down")
    assert lines.getvalue().endswith("Z warning runner runner=cnn state=down\n")


@pytest.mark.parametrize("form", ["plain", "json"])
def test_an_exception_is_told_without_its_message(lines: io.StringIO, form: str) -> None:
    journal.configure(form, "info", lines)
    try:
        int("DOE^JANE")
    except ValueError:
        logging.getLogger("somebody.else").exception("failed")
    assert "DOE" not in lines.getvalue()
    assert "builtins.ValueError at test_an_exception" in lines.getvalue()


def test_decoders_and_warnings_cannot_quote_a_file(lines: io.StringIO) -> None:
    journal.configure("plain", "debug", lines)
    for name in ("pydicom", "PIL.Image", "python_multipart.multipart"):
        logging.getLogger(name).error("DOE^JANE")
    warnings.showwarning("DOE^JANE", UserWarning, "x.py", 1)
    assert "DOE" not in lines.getvalue()
    assert "UserWarning" in lines.getvalue()


def test_a_line_that_cannot_be_written_tells_nothing_either(
    lines: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    journal.configure("plain", "info", lines)
    lines.close()
    try:
        int("DOE^JANE")
    except ValueError:
        journal.log(logging.ERROR, "bug")
    assert "DOE" not in "".join(capfd.readouterr())
