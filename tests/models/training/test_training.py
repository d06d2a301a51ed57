"""The whole training, small: phantoms in, four artefacts out, served again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from models import artifact, dataset, phantom
from models.__main__ import main
from models.commands.train import RUNS
from models.dataset import Dataset
from models.evaluation import agreement
from models.explanation import location
from models.image import recipe
from models.inference import stack
from models.inference.base import Outliner, Scorer
from models.reading import read
from models.training import ensemble
from models.types import BASES, MAPPED

FOLDS = len(BASES) * ensemble.QUICK.folds
"""Of the base models, in the log of a training that ended."""


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    phantom.write(folder, 36, 4)
    return folder


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder of its own: training keeps its runs in ``var`` below it."""
    folder = tmp_path_factory.mktemp("workplace")
    with contextlib.chdir(folder):
        yield folder


@pytest.fixture(scope="module")
def trained(phantoms: Path, workplace: Path) -> Path:
    root = workplace / "artifacts"
    assert main(["train", "--quick", "--data", str(phantoms), "--out", str(root)]) == 0
    return root


def test_training_writes_artefacts_that_belong_together(trained: Path) -> None:
    served = artifact.served(trained)

    assert set(served) == {*BASES, "vertebrae", "stack", "reference"}
    combined = artifact.load("stack", trained).manifest
    assert combined["bases"] == {name: served[name] for name in BASES}
    assert set(combined["subsets"]) == {stack.key(names) for names in stack.subsets()}
    for name in served.keys() - {"vertebrae"}:
        manifest = artifact.load(name, trained).manifest
        assert manifest["recipe"] == recipe.NAME
        assert sum(manifest["data"]["counts"].values()) == 36


@pytest.mark.parametrize("name", BASES)
def test_a_trained_model_scores_as_a_runner_would(trained: Path, phantoms: Path, name: str) -> None:
    scorer = Scorer(artifact.load(name, trained))
    images = dataset.load(phantoms).images[:3]

    votes = scorer.score(images)

    assert all(0 <= vote.probability <= 1 for vote in votes)
    assert [v.probability for v in votes] == pytest.approx(
        [scorer.score(image[None])[0].probability for image in images], abs=1e-4
    )


def test_training_sees_the_very_pixels_that_the_service_sees(phantoms: Path) -> None:
    data = dataset.load(phantoms)

    for index in (0, 17, 35):
        scan = read((phantoms / data.names[index]).read_bytes())
        (outlined,) = Outliner(artifact.load("vertebrae")).outline(recipe.frame(scan)[None])
        served = recipe.prepare(scan, outlined.spine, outlined.graphics)
        assert np.array_equal(data.images[index], recipe.decode(recipe.encode(served)))


def test_evaluating_and_listing_what_was_trained(
    trained: Path,
    phantoms: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(trained))

    assert main(["list"]) == 0
    assert main(["evaluate", "--data", str(phantoms)]) == 0
    assert main(["predict", str(next((phantoms / "normal").glob("*.png")))]) == 0

    printed = capsys.readouterr().out
    assert artifact.served(trained)["cnn"] in printed
    assert "AUROC" in printed
    assert "the images that the models were trained on" in printed


def test_a_training_that_was_killed_goes_on_and_ends_as_one_that_was_not(
    trained: Path,
    phantoms: Path,
    workplace: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    again = ["train", "--quick", "--data", str(phantoms), "--out", str(workplace / "again")]
    whole = [log.read_text() for log in RUNS.glob("*/log.jsonl")]
    command = [sys.executable, "-m", "models", *again]
    environment = {**os.environ, "PYTHONPATH": str(Path(models.__file__).parents[1])}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        (log,) = RUNS.glob("*/log.jsonl")
        while process.poll() is None and log.read_text().count('"event": "fold"') < 4 + FOLDS:
            time.sleep(0.02)
        process.kill()
    finally:
        process.wait()
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
    assert not (workplace / "again" / artifact.SERVED).exists()

    assert main(again) == 0

    assert "goes on after cnn-all, cnn-fold-0" in capsys.readouterr().out
    for name in (*BASES, "stack"):
        before, after = (artifact.load(name, root) for root in (trained, workplace / "again"))
        # Metrics, calibration, threshold, the stack's weights: to the last bit.
        assert judged(after) == judged(before)
        # The int8 file alone may differ: it holds names that TensorFlow counts up.
        for file in ("weights.safetensors", "forest.safetensors", "evaluation.json"):
            assert after.manifest["files"].get(file) == before.manifest["files"].get(file)
    events = [json.loads(line) for line in log.read_text().removeprefix(whole[0]).splitlines()]
    assert [e["part"] for e in events if e["event"] == "fold" and e["model"] == "cnn"] == [
        f"fold-{number}" for number in range(ensemble.QUICK.folds)
    ]


def test_8_bits_are_made_anew_for_all_that_is_served(
    trained: Path,
    phantoms: Path,
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = workplace / "quantised"
    shutil.copytree(trained, root)
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(root))

    assert main(["quantise", "--data", str(phantoms)]) == 0

    printed = capsys.readouterr().out
    served = artifact.served(root)
    assert artifact.load("stack", root).manifest["bases"] == {name: served[name] for name in BASES}
    assert {one.version for one in location.read(root).values()} == {served[n] for n in MAPPED}
    for name in BASES:
        before, after = artifact.load(name, trained), artifact.load(name, root)
        assert judged(after) | {"runtimes": 0} == judged(before) | {"runtimes": 0}
        refused = [one.manifest["refused_runtimes"].keys() for one in (before, after)]
        assert refused[0] == refused[1]
        assert after.manifest["runtimes"].keys() == before.manifest["runtimes"].keys()
        assert len(after.path("card.md").read_text()) == len(before.path("card.md").read_text())
        assert served[name][:19] in printed


def test_8_bits_are_made_on_the_images_of_the_training_alone(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(trained))
    phantom.write(tmp_path, 12, 5)
    before = artifact.served(trained)

    assert main(["quantise", "--data", str(tmp_path)]) == 1

    assert "cnn was trained on other images than these" in capsys.readouterr().err
    assert artifact.served(trained) == before


def judged(model: artifact.Artifact) -> dict[str, Any]:
    """Return what a manifest says, but for what may differ in int8: versions, files, and how far
    off a refused one was."""
    left_out = ("bases", "files", "refused_runtimes")
    return {key: said for key, said in model.manifest.items() if key not in left_out}


def test_weights_that_are_not_the_official_ones_end_it_before_anything_is_trained(
    phantoms: Path, workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    invented = tmp_path / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    invented.write_bytes(b"not these")
    out = workplace / "refused"
    command = ["train", "--quick", "--data", str(phantoms), "--out", str(out)]

    assert main([*command, "--backbone", "resnet50", "--weights", str(invented)]) == 1

    assert "its checksum is none of md5:" in capsys.readouterr().err
    assert not out.exists()


def test_a_model_that_judges_copies_otherwise_is_not_served(
    phantoms: Path,
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(ensemble, "QUICK", replace(ensemble.QUICK, serving=True))
    monkeypatch.setattr(agreement, "VOTING", agreement.Limits(alike=1.1, moved=0.0, lost=0.0))
    out = workplace / "unlike"

    assert main(["train", "--quick", "--data", str(phantoms), "--out", str(out)]) == 1

    assert "cnn is not served: copies of its scans have outcomes alike" in capsys.readouterr().err
    assert not (out / "cnn").exists()
    assert not (out / artifact.SERVED).exists()


def test_a_missing_folder_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--quick", "--data", str(tmp_path)]) == 1

    assert "no labelled images" in capsys.readouterr().err


def test_the_digest_depends_on_content_and_label_but_not_on_order(phantoms: Path) -> None:
    data = dataset.load(phantoms)
    swapped = data.select(np.arange(len(data))[::-1])
    relabelled = Dataset(
        data.images, ("osteoporosis", *data.labels[1:]), data.groups, data.names, data.digests
    )

    assert swapped.digest == data.digest
    assert relabelled.digest != data.digest
