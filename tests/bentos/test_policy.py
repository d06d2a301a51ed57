from __future__ import annotations

import pytest

from bentos.policy import Policy


def test_defaults() -> None:
    assert Policy.from_environment() == Policy("auto", "auto", 8, 5000)


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_PRECISION", "bf16")
    monkeypatch.setenv("OSTEOSERVE_MAX_BATCH_SIZE", "32")

    assert Policy.from_environment() == Policy("auto", "bf16", 32, 5000)


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
        Policy.from_environment()
