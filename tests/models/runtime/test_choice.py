from __future__ import annotations

import os

import pytest

from models.runtime import CHOICES, choice, parse_name, runtime_name

ALL = {runtime_name(*known) for known in CHOICES}


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything installed, no GPU, a CPU with bfloat16 and VNNI, without AMX."""
    monkeypatch.setattr(choice, "has_gpu", lambda: False)
    monkeypatch.setattr(choice, "has_amx", lambda: False)
    monkeypatch.setattr(choice, "supported", lambda *_: True)


@pytest.mark.parametrize(
    ("allowed", "taken"),
    [
        (ALL, ("openvino", "int8")),
        (ALL - {"openvino-int8"}, ("openvino", "bf16")),
        ({"keras-f32", "openvino-f32", "litert-f32"}, ("openvino", "f32")),
        ({"keras-f32", "litert-f32"}, ("litert", "f32")),
        ({"keras-f32"}, ("keras", "f32")),
        (set(), None),
    ],
)
@pytest.mark.usefixtures("plain")
def test_the_fastest_allowed_is_taken(allowed: set[str], taken: object) -> None:
    assert choice.automatic(allowed) == taken


@pytest.mark.usefixtures("plain")
def test_with_amx_a_whole_network_in_bfloat16_is_faster_than_a_part_in_8_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choice, "has_amx", lambda: True)

    assert choice.automatic(ALL) == ("openvino", "bf16")
    assert choice.automatic(ALL - {"openvino-bf16"}) == ("openvino", "int8")


@pytest.mark.usefixtures("plain")
def test_what_is_named_is_kept_to() -> None:
    assert choice.automatic(ALL, runtime="litert") == ("litert", "f32")
    assert choice.automatic(ALL, precision="bf16") == ("openvino", "bf16")
    assert choice.automatic(ALL - {"openvino-bf16"}, precision="bf16") is None
    assert choice.automatic(ALL, runtime="litert", precision="int8") is None


def test_bfloat16_is_not_taken_on_a_cpu_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "has_gpu", lambda: False)
    monkeypatch.setattr("models.runtime.openvino.has_bfloat16", lambda: False)

    assert choice.automatic({"openvino-bf16", "openvino-f32"}) == ("openvino", "f32")
    assert choice.automatic({"openvino-bf16"}, precision="bf16") is None


def test_8_bits_are_not_taken_on_a_cpu_whose_sums_would_overflow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choice, "has_gpu", lambda: False)
    monkeypatch.setattr(choice, "has_vnni", lambda: False)

    assert choice.automatic({"openvino-int8", "openvino-f32"}) == ("openvino", "f32")
    assert choice.automatic({"openvino-int8"}, precision="int8") is None


def test_a_gpu_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "has_gpu", lambda: True)
    monkeypatch.setattr(choice, "supported", lambda *_: True)

    assert choice.automatic(ALL) == ("keras", "f32")
    assert choice.automatic(ALL, runtime="openvino", precision="f32") == ("openvino", "f32")


def test_a_gpu_is_shared_unless_somebody_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    wish = "TF_FORCE_GPU_ALLOW_GROWTH"
    monkeypatch.setenv(wish, "")  # to be put back as it was
    monkeypatch.delenv(wish)
    choice.share_gpu()
    assert os.environ[wish] == "true"

    monkeypatch.setenv(wish, "false")
    choice.share_gpu()
    assert os.environ[wish] == "false"


@pytest.mark.parametrize("known", CHOICES, ids=lambda known: runtime_name(*known))
def test_names_are_read_back(known: tuple[str, str]) -> None:
    assert parse_name(runtime_name(*known)) == known


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="runtime torch-f32: allowed are keras-f32"):
        parse_name("torch-f32")
