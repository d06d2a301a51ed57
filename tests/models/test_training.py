"""The whole training, small: phantoms in, four artefacts out, served again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import artifact, dataset, phantom, recipe, stack
from models.__main__ import main
from models.base import Scorer
from models.dataset import Dataset, DatasetError
from models.reading import read
from models.types import BASES


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    phantom.write(folder, 36, 4)
    return folder


@pytest.fixture(scope="module")
def trained(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("artifacts")
    assert main(["train", "--quick", "--data", str(phantoms), "--out", str(root)]) == 0
    return root


def test_training_writes_four_artefacts_that_belong_together(trained: Path) -> None:
    served = artifact.served(trained)

    assert set(served) == {*BASES, "stack"}
    combined = artifact.load("stack", trained).manifest
    assert combined["bases"] == {name: served[name] for name in BASES}
    assert set(combined["subsets"]) == {stack.key(names) for names in stack.subsets()}
    for name in served:
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
        served = recipe.prepare(read((phantoms / data.names[index]).read_bytes()))
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
    assert "auroc" in printed
    assert "the images that the models were trained on" in printed


def test_a_missing_folder_is_an_error_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--quick", "--data", str(tmp_path)]) == 1

    assert "no labelled images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        pytest.param("path,label\n", "needed are path, label and one of", id="no group column"),
        pytest.param("path,label,group\na.png,ill,g\n", "label 'ill'", id="unknown label"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_why(tmp_path: Path, manifest: str, said: str) -> None:
    (tmp_path / "manifest.csv").write_text(manifest)

    with pytest.raises(DatasetError, match=said):
        dataset.load(tmp_path)


def test_the_digest_depends_on_content_and_label_but_not_on_order(phantoms: Path) -> None:
    data = dataset.load(phantoms)
    swapped = data.select(np.arange(len(data))[::-1])
    relabelled = Dataset(
        data.images, ("osteoporosis", *data.labels[1:]), data.groups, data.names, data.digests
    )

    assert swapped.digest == data.digest
    assert relabelled.digest != data.digest
