"""What drift is measured against, and by what."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from models import artifact, phantom
from models.__main__ import main
from models.artifact import ArtifactError
from models.drift import reference
from models.drift.reference import BINS, Bins, stability_index
from models.drift.statistics import STATISTICS, describe


def test_statistics_of_images_that_can_be_told_by_hand() -> None:
    halves = np.zeros((224, 224), np.uint8)
    halves[112:] = 255

    assert describe(halves) == pytest.approx(
        {"brightness": 0.5, "contrast": 0.5, "detail": 1 / 223}, abs=1e-6
    )
    assert describe(np.full((224, 224), 51, np.uint8)) == pytest.approx(
        {"brightness": 0.2, "contrast": 0.0, "detail": 0.0}, abs=1e-6
    )


def test_the_index_is_the_sum_that_its_name_stands_for() -> None:
    shares = [(0.25, 0.5), (0.75, 0.5)]
    expected = sum((a - e) * math.log(a / e) for e, a in shares)

    # So many images that the half image of smoothing does not show.
    assert stability_index([250_000, 750_000], [500_000, 500_000]) == pytest.approx(
        expected, abs=1e-5
    )
    assert stability_index([10, 20, 30], [100, 200, 300]) == pytest.approx(0, abs=1e-3)


def test_the_index_is_finite_where_a_bin_is_empty() -> None:
    assert 1 < stability_index([20, 20, 20, 20, 20], [200, 0, 0, 0, 0]) < 100


def test_counts_over_other_bins_are_not_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        stability_index([1, 2, 3], [1, 2])


def test_without_change_the_index_is_spread_as_the_docstring_says() -> None:
    """Mean (1/m + 1/n)(bins − 1): what the alert's threshold is chosen by."""
    rng = np.random.default_rng(4)
    found = [
        stability_index(
            rng.multinomial(114, [1 / BINS] * BINS), rng.multinomial(200, [1 / BINS] * BINS)
        )
        for _ in range(2000)
    ]

    assert np.mean(found) == pytest.approx((1 / 114 + 1 / 200) * (BINS - 1), rel=0.1)
    assert np.mean(np.array(found) > 0.25) < 0.005


def test_bins_hold_every_value_once_and_nearly_alike() -> None:
    values = np.random.default_rng(1).normal(size=101)

    bins = Bins.of(values)

    assert len(bins.edges) == BINS - 1
    assert sum(bins.counts) == 101
    assert max(bins.counts) - min(bins.counts) <= 2
    assert [bins.place(value) for value in (-9.0, bins.edges[0], 9.0)] == [0, 1, BINS - 1]


def test_values_that_are_all_the_same_make_no_bins_without_width() -> None:
    bins = Bins.of(np.full(10, 0.3))

    assert bins.edges == (0.3,)
    assert bins.counts == (0, 10)


def test_the_shipped_reference_is_of_the_shipped_stack() -> None:
    found = reference.served()

    assert found.stack == artifact.served(artifact.FOLDER)["stack"]
    assert found.outcomes == (47, 23, 44)
    assert set(found.images) == set(STATISTICS)
    assert {sum(bins.counts) for bins in found.images.values()} == {114}


def test_a_reference_of_other_images_than_the_stacks_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    images = np.stack([phantom.draw(rng).canonical for _ in range(6)])
    shipped = artifact.load("stack", artifact.FOLDER)
    stack = artifact.write(tmp_path, "stack", _written(shipped), _files(shipped))
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))

    artifact.serve(tmp_path, {"stack": stack.version})
    assert reference.served().images == {}
    for digest in ("sha256:other", shipped.manifest["data"]["digest"]):
        data = {"provenance": "Phantoms.", "digest": digest, "counts": {"normal": 6}}
        written = reference.write(tmp_path, images, data)
        artifact.serve(tmp_path, {"reference": written.version})
        assert bool(reference.served().images) == (digest != "sha256:other")


def test_a_stack_that_does_not_tell_its_outcomes_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = artifact.write(tmp_path, "stack", {"data": {"digest": "sha256:x"}}, {})
    artifact.serve(tmp_path, {"stack": stack.version})
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))

    with pytest.raises(ArtifactError, match="classes"):
        reference.served()


def test_the_command_refuses_images_that_the_stack_was_not_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phantom.write(tmp_path, 6, 4)
    before = artifact.served(artifact.FOLDER)

    assert main(["reference", "--data", str(tmp_path)]) == 1

    assert "was trained on sha256:8a759cf5" in capsys.readouterr().err
    assert artifact.served(artifact.FOLDER) == before


def _written(model: artifact.Artifact) -> dict[str, object]:
    return {k: v for k, v in model.manifest.items() if k not in ("model", "recipe", "files")}


def _files(model: artifact.Artifact) -> dict[str, bytes]:
    return {name: model.path(name).read_bytes() for name in model.manifest["files"]}
