from __future__ import annotations

import json
from pathlib import Path

import pytest

from bentos.policy import Policy
from loadtests.tuning import __main__ as tuning
from loadtests.tuning.policy import Batching, choose

SIZES = (1, 2, 4, 8, 16, 32)


def curve(fixed: float, each: float) -> dict[int, float]:
    return {size: fixed + each * size for size in SIZES}


def test_a_batch_of_all_runners_twice_takes_half_of_the_objective_at_most() -> None:
    curves = {"a": curve(0.02, 0.008), "b": curve(0.02, 0.008)}
    # Twice both at 8 images: 0.336 s; at 16 images 0.592 s.
    assert choose(curves, 1.0) == {
        "a": Batching(8, 1000),
        "b": Batching(8, 1000),
    }


def test_no_batch_is_larger_than_it_is_worth() -> None:
    chosen = choose({"flat": curve(0.0, 0.001), "steep": curve(0.02, 0.001)}, 1.0)
    assert chosen["flat"].max_batch_size == 2
    assert chosen["steep"].max_batch_size == 32


def test_a_machine_that_is_too_slow_still_answers() -> None:
    (batching,) = choose({"slow": curve(0.0, 2.0)}, 1.0).values()
    assert batching.max_batch_size == 2
    assert batching.max_latency_ms >= 8000


def test_what_is_written_is_what_runners_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = ("toy-f32", curve(0.01, 0.005))
    monkeypatch.setattr(tuning, "measure", lambda _: measured)
    out, picture = tmp_path / "tuning.json", tmp_path / "curves.svg"

    assert tuning.main(["--out", str(out), "--picture", str(picture)]) == 0

    monkeypatch.setenv("OSTEOSERVE_TUNING", str(out))
    written = json.loads(out.read_text())["runners"]["vgg16"]
    policy = Policy.from_environment("vgg16")
    assert policy.max_batch_size == written["max_batch_size"]
    assert policy.max_latency_ms == written["max_latency_ms"]
    assert "images in a batch" in picture.read_text()
