from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from pathlib import Path

import pytest
from PIL import Image

from models import dataset
from models.phantom import HELD_OUT, Artefact, write
from models.types import LABELS

COUNT = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("phantoms"), COUNT, seed=9).parent


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_file_is_listed_as_it_is(folder: Path) -> None:
    rows = manifest(folder)
    assert {row["path"] for row in rows} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.png")
    }
    assert len(rows) == COUNT
    for row in rows:
        path = folder / row["path"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        assert path.parent.name == row["label"]
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("L", (int(row["width"]), int(row["height"])))
            assert "synthetic" in image.info["Comment"]


def test_a_patient_is_one_group_with_one_truth(folder: Path) -> None:
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in manifest(folder):
        assert row["group"] == row["patient"]
        groups[row["group"]].append(row)
    assert any(len(rows) > 1 for rows in groups.values())
    assert len(groups) > COUNT // 3
    for rows in groups.values():
        for column in ("label", "sex", "age", "vendor", "t_score"):
            assert len({row[column] for row in rows}) == 1
        assert len({row["sha256"] for row in rows}) == len(rows)


def test_classes_are_near_balance(folder: Path) -> None:
    for label in LABELS:
        assert sum(row["label"] == label for row in manifest(folder)) >= COUNT // 5


def test_truth_columns(folder: Path) -> None:
    row = manifest(folder)[0]
    assert row["seed"] == "9"
    assert {row["origin"] for row in manifest(folder)} == {"synthetic"}
    for name in ("l1", "l2", "l3", "l4"):
        bmd, bmc, area = (float(row[f"{key}_{name}"]) for key in ("bmd", "bmc", "area"))
        assert bmc / area == pytest.approx(bmd, abs=0.001)
    assert row["artefact"] in set(Artefact)
    assert {"measured_t_score", "artefact_code", "curvature", "spacing", "valid_l4"} <= set(row)


def test_same_seed_same_bytes_and_another_seed_other_patients(tmp_path: Path) -> None:
    one, two, other = (
        manifest(write(tmp_path / name, 4, seed, HELD_OUT).parent)
        for name, seed in (("one", 1), ("two", 1), ("other", 2))
    )
    assert one == two
    assert not {row["group"] for row in one} & {row["group"] for row in other}
    assert not {row["sha256"] for row in one} & {row["sha256"] for row in other}


def test_size_stretches_the_image_alone(tmp_path: Path) -> None:
    row = manifest(write(tmp_path, 1, 3, size=(224, 224)).parent)[0]
    assert (row["width"], row["height"]) == ("224", "224")


def test_a_folder_is_never_mixed(folder: Path) -> None:
    with pytest.raises(FileExistsError, match=r"manifest\.csv"):
        write(folder, 1, seed=10)


def test_none_is_not_a_count(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="count is 0"):
        write(tmp_path, 0, seed=1)


def test_training_reads_the_folder_like_one_of_real_scans(folder: Path) -> None:
    loaded = dataset.load(folder)
    assert len(loaded) == COUNT
    assert list(loaded.groups) == [row["group"] for row in manifest(folder)]
    assert loaded.synthetic.all()
    assert list(loaded.attributes["sex"]) == [row["sex"] for row in manifest(folder)]
