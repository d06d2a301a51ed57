from __future__ import annotations

import json
from pathlib import Path

import pytest

from bentos.policy import Policy


@pytest.fixture(autouse=True)
def tuning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tuning.json"
    monkeypatch.setenv("OSTEOSERVE_TUNING", str(path))
    return path


def test_defaults() -> None:
    assert Policy.from_environment("cnn") == Policy("auto", "auto", 8, 5000, 256)


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_PRECISION", "bf16")
    monkeypatch.setenv("OSTEOSERVE_MAX_BATCH_SIZE", "32")

    assert Policy.from_environment("cnn") == Policy("auto", "bf16", 32, 5000)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OSTEOSERVE_RUNTIME", "torch", "OSTEOSERVE_RUNTIME=torch: allowed are auto, openvino"),
        ("OSTEOSERVE_MAX_BATCH_SIZE", "1", "at least 2"),
        ("OSTEOSERVE_MAX_LATENCY_MS", "soon", "OSTEOSERVE_MAX_LATENCY_MS=soon"),
    ],
)
def test_a_value_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValueError, match=said):
        Policy.from_environment("cnn")


def test_what_was_measured_counts_for_its_runner_unless_the_environment_says_otherwise(
    tuning: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = {"cnn": {"max_batch_size": 16, "max_latency_ms": 700, "curve": []}}
    tuning.write_text(json.dumps({"runners": measured}))

    assert Policy.from_environment("cnn") == Policy(max_batch_size=16, max_latency_ms=700)
    assert Policy.from_environment("stack") == Policy()

    monkeypatch.setenv("OSTEOSERVE_MAX_BATCH_SIZE", "4")
    assert Policy.from_environment("cnn") == Policy(max_batch_size=4, max_latency_ms=700)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not what `make tune` writes"),
        ("[]", "is not what `make tune` writes"),
        ('{"runners": {"cnn": {"max_batch_size": 0}}}', "cnn max_batch_size=0"),
        ('{"runners": {"cnn": {"max_latency_ms": "soon"}}}', "at least 100 is allowed"),
    ],
)
def test_a_file_that_cannot_be_is_named(tuning: Path, text: str, said: str) -> None:
    tuning.write_text(text)

    with pytest.raises(ValueError, match=said):
        Policy.from_environment("cnn")
