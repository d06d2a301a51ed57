from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loadtests import machine
from loadtests.__main__ import main
from loadtests.capacity.costs import COMPONENTS as MEASURED_OF
from loadtests.front import COMPONENTS
from loadtests.plan import Plan
from loadtests.report import Report
from tests.loadtests.counts import STEADY, good


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
        (["capacity", "--scans-per-day", "0"], "0 scans a day; at least 1 can be"),
        (["capacity", "--cpu-seconds", "vgg16"], "'vgg16' is not NAME=SECONDS"),
        (["capacity", "--cpu-seconds", "vgg16=2"], "an image takes 2."),
        (["capacity", "--gpu-seconds", "stack=0.1"], "stack: cnn, vgg16, resnet can use a GPU"),
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
    document = Report.of(STEADY, good(), begun, own=True).document()
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


def test_what_was_measured_is_a_whole_row_and_gives_a_rate() -> None:
    found = machine.read()
    assert set(MEASURED_OF) <= set(found.cpu_seconds_per_image) <= set(COMPONENTS)
    assert Plan(shape="steady", rate=found.working_rate).requests > 100
