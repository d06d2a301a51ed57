"""What every source has in common: groups, contradictions, and what cannot be used."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, dcmwrite

from models import artifact, phantom
from models.dataset import Dataset, DatasetError, load, phantoms
from models.inference.base import Outliner
from models.phantom import HELD_OUT, Artefact, dicom
from tests.models.dataset import files


def test_a_folder_gives_labels_names_and_the_recipes_pixels(tmp_path: Path) -> None:
    path = files.picture(tmp_path / "normal" / "a.png", 1)
    files.picture(tmp_path / "osteoporosis" / "b.tiff", 2)
    (tmp_path / "osteoporosis" / "notes.txt").write_text("not an image")

    data = load(tmp_path)

    assert data.names == ("normal/a.png", "osteoporosis/b.tiff")
    assert data.labels == ("normal", "osteoporosis")
    assert data.groups == data.names
    assert np.array_equal(data.images[0], files.canonical(path.read_bytes()))


def test_without_patients_the_same_file_and_its_likes_are_one_group(tmp_path: Path) -> None:
    path = files.picture(tmp_path / "normal" / "a.png", 1)
    shutil.copy(path, tmp_path / "normal" / "b.png")
    # Exported once more: rescaled, and lossy.
    with Image.open(path) as image:
        image.resize((190, 310)).save(tmp_path / "normal" / "c.jpg", quality=70)
    files.picture(tmp_path / "normal" / "d.png", 2)

    assert load(tmp_path).groups == ("normal/a.png",) * 3 + ("normal/d.png",)


def test_a_group_reaches_from_like_to_like(tmp_path: Path) -> None:
    first = files.phantom(1)
    second = files.phantom(2)
    for name, image in (("a", first), ("b", first), ("c", second)):
        (tmp_path / "normal").mkdir(exist_ok=True)
        Image.fromarray(image.image).save(tmp_path / "normal" / f"{name}.png", compress_level=1)
    manifest = files.table(
        tmp_path / "list.csv",
        ("path", "label", "patient"),
        ("normal/a.png", "normal", "one"),
        ("normal/b.png", "normal", "two"),
        ("normal/c.png", "normal", "two"),
    )

    assert load(manifest).groups == ("one", "one", "one"), "a and b are one image, b and c one man"


def test_one_file_under_two_labels_is_refused(tmp_path: Path) -> None:
    path = files.picture(tmp_path / "normal" / "a.png", 1)
    (tmp_path / "osteopenia").mkdir()
    shutil.copy(path, tmp_path / "osteopenia" / "b.png")

    with pytest.raises(DatasetError, match=r"normal/a\.png and osteopenia/b\.png are the same"):
        load(tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "normal").mkdir()
    (tmp_path / "normal" / "a.png").write_bytes(b"%PDF-1.7")

    with pytest.raises(DatasetError, match=r"normal/a\.png: The file is a PDF document"):
        load(tmp_path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = files.picture(tmp_path / "elsewhere" / "a.png", 1)
    (tmp_path / "data" / "normal").mkdir(parents=True)
    (tmp_path / "data" / "normal" / "a.png").symlink_to(outside)

    with pytest.raises(DatasetError, match=r"normal/a\.png points outside the folder"):
        load(tmp_path / "data")


@pytest.mark.parametrize("name", ["nowhere", "nowhere.csv"])
def test_nothing_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="does not exist; a folder or a CSV file is needed"):
        load(tmp_path / name)


def test_nothing_in_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no labelled images"):
        load(tmp_path)


def test_two_lists_of_labels_are_one_too_many(tmp_path: Path) -> None:
    for name in ("manifest.csv", "labels.csv"):
        (tmp_path / name).write_text("")

    with pytest.raises(DatasetError, match=r"both manifest\.csv and labels\.csv"):
        load(tmp_path)


def test_phantoms_without_files_are_those_of_a_folder(tmp_path: Path) -> None:
    phantom.write(tmp_path, 5, 3, HELD_OUT)
    outline = Outliner(artifact.load("vertebrae")).outline
    written, drawn = load(tmp_path), phantoms(5, 3, HELD_OUT, outline=outline)

    assert np.array_equal(written.images, drawn.images)
    for field in ("labels", "groups", "names", "digests", "attributes", "digest"):
        assert getattr(written, field) == getattr(drawn, field), field
    assert drawn.synthetic.all()
    assert set(drawn.attributes) == {"sex", "age_band", "vendor", "artefact", "origin"}


def test_no_phantoms_are_no_dataset() -> None:
    with pytest.raises(ValueError, match="count is 0"):
        phantoms(0, 1)


def test_a_selection_keeps_attributes_and_fingerprints_in_step() -> None:
    data = phantoms(6, 5)
    chosen = data.select([4, 1])

    assert chosen.attributes["sex"] == (data.attributes["sex"][4], data.attributes["sex"][1])
    assert chosen.names == (data.names[4], data.names[1])
    assert np.array_equal(chosen.fingerprints.views, data.fingerprints.views[[4, 1]])
    assert not Dataset(
        data.images, data.labels, data.groups, data.names, data.digests
    ).synthetic.any()


def test_fields_of_unequal_length_are_refused() -> None:
    images = np.zeros((2, 4, 4), np.uint8)
    two = ("a", "b")
    with pytest.raises(ValueError, match="1 sex for 2 images"):
        Dataset(images, ("normal", "normal"), two, two, two, {"sex": ("female",)})


def test_another_body_part_is_left_out_and_counted(tmp_path: Path) -> None:
    spine, hip = (_dicom(seed, part) for seed, part in ((1, "LSPINE"), (2, "HIP")))
    folder = tmp_path / "normal"
    folder.mkdir()
    (folder / "spine.dcm").write_bytes(spine)
    (folder / "hip.dcm").write_bytes(hip)

    data = load(tmp_path)

    assert data.names == ("normal/spine.dcm",)
    assert data.skipped == {"another body part": 1}


def test_nothing_but_another_view_is_said_with_a_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "normal"
    folder.mkdir()
    (folder / "lateral.dcm").write_bytes(_dicom(1, "LSPINE", view="LATERAL"))

    with pytest.raises(DatasetError, match="correct Body Part Examined and View Position"):
        load(tmp_path)


def _dicom(seed: int, part: str, view: str = "AP") -> bytes:
    drawn = phantom.draw(np.random.default_rng(seed), artefact=Artefact.NONE)
    data = dcmread(io.BytesIO(dicom.encode(drawn)))
    data.BodyPartExamined, data.ViewPosition = part, view
    buffer = io.BytesIO()
    dcmwrite(buffer, data)
    return buffer.getvalue()
