from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loadtests import machine
from loadtests.__main__ import main
from loadtests.plan import Plan
from loadtests.report import Report
from tests.loadtests.figures import STEADY, good


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--shape", "wave"], "there is no shape 'wave'"),
        (["run", "--rate", "-1"], "the rate is -1.0"),
        (["run", "--url", "localhost:8000"], "the address is not http://HOST[:PORT]"),
        (["run", "--url", "ftp://a.example"], "the address is not http://HOST[:PORT]"),
        (
            ["run", "--url", "http://127.0.0.1:9", "--patience", "0.1"],
            "osteoserve did not answer within 0.1 s: URLError: <urlopen error [Errno 111]",
        ),
        (["worker", "--url", "http://127.0.0.1:9", "--master", "here"], "it is HOST:PORT"),
        (["capacity", "--scans-per-day", "0"], "0 scans a day, "),
        (["capacity", "--seconds", "vgg16"], "'vgg16' is not NAME=SECONDS"),
        (["capacity", "--seconds", "vgg16=2"], "an image takes 2."),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else None,
)
def test_what_cannot_be_done_is_said_and_is_no_verdict(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def kept(out: Path, minute: int, slow: bool = False) -> None:
    begun = datetime(2026, 2, 3, 9, minute, tzinfo=UTC)
    document = Report.of(STEADY, good(), begun, local=True).document()
    if slow:
        document["endpoints"]["predict"]["p50"] = 0.8
    folder = out / f"steady-{minute}"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(document))


def test_a_baseline_is_kept_and_compared_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path)]
    assert main(["compare", *out]) == 2
    assert "python -m loadtests baseline makes it" in capsys.readouterr().err
    for minute in range(3):
        kept(tmp_path, minute)
    assert main(["baseline", *out]) == 0
    assert main(["compare", *out]) == 0
    for minute in range(3, 6):
        kept(tmp_path, minute, slow=True)
    assert main(["compare", *out]) == 1
    assert "WORSE predict: p50 is 0.8 s" in capsys.readouterr().out


def test_what_was_measured_gives_a_rate() -> None:
    assert Plan(shape="steady", rate=machine.read().working_rate).requests > 100


def test_capacity_says_replicas_and_cores(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capacity", "--scans-per-day", "1000", "--seconds", "vgg16=0.2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "0.03 images a second in the busiest hour"
    assert "vgg16            200.0         2" in said
    assert said[-1].startswith("12 cores; ")
