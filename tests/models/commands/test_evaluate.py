"""``evaluate`` with the shipped models on phantoms: real scans are never in the project."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import artifact, phantom
from models.commands import evaluate
from models.dataset import DatasetError, load
from models.evaluation.schema import FILE, Evaluation
from models.types import LABELS

PHANTOMS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms, and two images of noise that the gate refuses."""
    folder = tmp_path_factory.mktemp("phantoms")
    manifest = phantom.write(folder, PHANTOMS, 6)
    fields = manifest.read_text(encoding="utf-8").splitlines()[0].split(",")
    rng = np.random.default_rng(0)
    with manifest.open("a", encoding="utf-8") as file:
        for number in range(2):
            name = f"normal/noise-{number}.png"
            Image.fromarray(rng.integers(0, 256, (300, 300), dtype=np.uint8)).save(folder / name)
            row = {"path": name, "label": "normal", "group": name, "patient": name}
            file.write(",".join(row.get(field, "") for field in fields) + "\n")
    return folder


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add(parser)
    return evaluate.run(parser.parse_args(["--resamples", "30", *arguments]))


@pytest.fixture(scope="module")
def out(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "new"
    assert run("--data", str(folder), "--out", str(out)) == 0
    return out


@pytest.fixture(scope="module")
def evaluation(out: Path) -> Evaluation:
    return Evaluation.from_bytes((out / FILE).read_bytes())


def test_it_writes_the_evaluation_its_plots_and_a_report(out: Path) -> None:
    assert {path.name for path in out.iterdir()} == {
        FILE,
        "report.md",
        "roc.svg",
        "precision-recall.svg",
        "reliability.svg",
        "confusion.svg",
    }
    report = (out / "report.md").read_text(encoding="utf-8")
    assert "synthetic phantoms, which say nothing of clinical accuracy" in report
    assert "](roc.svg)" in report


def test_refused_images_are_counted_and_stand_in_no_figure(
    evaluation: Evaluation, folder: Path
) -> None:
    data = evaluation.data

    assert data.refused_images >= 2
    assert sum(data.refused.get(code, 0) for code in ("not_spine_dxa", "vertebrae_not_found")) >= 2
    assert sum(data.counts.values()) + data.refused_images == PHANTOMS + 2
    for report in evaluation.models.values():
        assert {label: row.images for label, row in report.classes.items()} == data.counts
    assert data.digest == load(folder).digest


def test_it_judges_at_the_thresholds_that_serve(evaluation: Evaluation) -> None:
    for name, report in evaluation.models.items():
        stack = artifact.load("stack").manifest
        facts = stack["subsets"][name] if "+" in name else artifact.load(name).manifest
        assert (report.threshold, list(report.band)) == (facts["threshold"], facts["band"])
    assert evaluation.source == "held-out"


def test_the_patients_of_a_manifest_become_subgroups(evaluation: Evaluation) -> None:
    assert {cell.field for cell in evaluation.subgroups} >= {"sex", "vendor"}


def test_images_that_the_models_were_trained_on_only_show_memory(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """The same folder, with a stack that says it was trained on it."""
    for name, version in artifact.served(artifact.FOLDER).items():
        if name != "stack":
            (tmp_path / name).mkdir()
            digits = version.removeprefix("sha256:")[:12]
            (tmp_path / name / digits).symlink_to(artifact.FOLDER / name / digits)
    shipped = artifact.load("stack", artifact.FOLDER)
    facts = {**shipped.manifest["data"], "digest": load(folder).digest}
    files = {name: shipped.path(name).read_bytes() for name in shipped.manifest["files"]}
    trained = artifact.write(tmp_path, "stack", {**shipped.manifest, "data": facts}, files)
    artifact.serve(tmp_path, {**artifact.served(artifact.FOLDER), "stack": trained.version})
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))

    assert run("--data", str(folder), "--out", str(tmp_path / "out")) == 0

    printed = capsys.readouterr().out
    assert "the images that the models were trained on" in printed
    assert "Honest figures, cross-validated" in printed
    assert json.loads((tmp_path / "out" / FILE).read_bytes())["source"] == "training"


def test_a_folder_of_refused_images_is_an_error_that_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for label in LABELS:
        (tmp_path / label).mkdir()
        noise = rng.integers(0, 256, (64, 64), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / label / "a.png")

    # In noise there may or may not seem to be a spine; what has none is counted apart.
    with pytest.raises(DatasetError, match=r"0 of (\d) images were accepted \(\1 too_small"):
        run("--data", str(tmp_path))
