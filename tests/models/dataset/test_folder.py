"""Every file below a folder of labels is read, refused by name, or counted."""

from __future__ import annotations

import io
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from models.dataset import DatasetError, gather, images
from models.dataset.faults import NAMED
from models.dataset.folder import NO_IMAGE, UNLABELLED
from models.dataset.tree import HIDDEN, NO_FILE
from models.phantom.dicom import encode
from tests.models.dataset import files


def content(kind: str, seed: int = 1) -> bytes:
    drawn = files.phantom(seed)
    if kind == "dicom":
        return encode(drawn)
    buffer = io.BytesIO()
    Image.fromarray(drawn.image).save(buffer, kind)
    return buffer.getvalue()


def put(path: Path, data: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def found(root: Path) -> tuple[dict[str, str], Counter[str]]:
    skipped: Counter[str] = Counter()
    labels = {entry.name: str(entry.label) for entry, _, _ in images(root, skipped)}
    on_disk = sum(len(names) for _, _, names in os.walk(root))
    assert len(labels) + skipped.total() == on_disk, "a file was passed over in silence"
    return labels, skipped


def test_labels_are_told_in_any_case_and_images_at_any_depth(tmp_path: Path) -> None:
    placed = {
        "normal/patient 1/2024-01-02/a.png": content("png", 1),
        "normal /b.png": content("png", 2),
        "Normal/c.png": content("png", 3),
        "OSTEOPENIA/d.png": content("png", 4),
        " Osteoporosis/patient 2/e.png": content("png", 5),
    }
    for name, data in placed.items():
        put(tmp_path / name, data)

    labels, skipped = found(tmp_path)

    assert labels == {name: name.split("/")[0].strip().lower() for name in placed}
    assert not skipped


def test_an_image_is_told_by_its_content(tmp_path: Path) -> None:
    placed = {
        "normal/scan.jfif": content("jpeg"),
        "normal/IM0001": content("dicom", 2),
        "normal/1.2.840.113619.2.5": content("dicom", 3),
        "normal/scan.PNG": content("png", 4),
        "normal/scan.img": content("tiff", 5),
        "normal/named.png": content("jpeg", 6),
    }
    for name, data in placed.items():
        put(tmp_path / name, data)

    labels, skipped = found(tmp_path)

    assert labels.keys() == placed.keys()
    assert not skipped


def test_whatever_else_lies_there_is_counted(tmp_path: Path) -> None:
    put(tmp_path / "normal" / "a.png", content("png"))
    hidden = [
        "normal/._a.png", "normal/.DS_Store", "normal/Thumbs.db", "normal/.hidden.png",
        "normal/__MACOSX/._a.png", "__MACOSX/normal/._a.png", "normal/.ipynb_checkpoints/a-1.png",
        ".gitignore", ".git/objects/ab/cd", "normal/desktop.ini",
    ]  # fmt: skip
    others = ["normal/notes.txt", "normal/scan.bmp", "normal/report.pdf", "normal/x/list.csv"]
    unlabelled = ["README.md", "unsorted/b.png", "train/normal/c.png"]
    for name in (*hidden, *others, *unlabelled):
        put(tmp_path / name, content("png", 2) if name.endswith(".png") else b"BM, or something")

    labels, skipped = found(tmp_path)

    assert labels == {"normal/a.png": "normal"}
    assert skipped == {
        HIDDEN: len(hidden),
        NO_IMAGE: len(others),
        UNLABELLED: len(unlabelled),
    }


def test_a_folder_without_labels_says_what_lies_there(tmp_path: Path) -> None:
    put(tmp_path / "healthy" / "a.png", content("png"))
    put(tmp_path / ".DS_Store")

    with pytest.raises(DatasetError, match="no labelled images") as caught:
        images(tmp_path)
    assert f"1 files ({UNLABELLED})" in str(caught.value)
    assert f"1 files ({HIDDEN})" in str(caught.value)
    assert "normal/, osteopenia/, osteoporosis/" in str(caught.value)


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    normal, thin = tmp_path / "normal", tmp_path / "osteoporosis"
    put(normal / "a.png", content("png"))
    put(thin / "same.png", content("png"))
    put(normal / "broken.png", content("png")[:500])
    put(normal / "deep" / "broken.dcm", content("dicom")[:3000])
    put(normal / "empty.jpg", b"")
    put(normal / "document.png", b"%PDF-1.7")
    put(tmp_path.parent / f"{tmp_path.name}-outside" / "b.png", content("png"))
    (normal / "outside.png").symlink_to(tmp_path.parent / f"{tmp_path.name}-outside" / "b.png")
    (normal / "folder").symlink_to(tmp_path.parent / f"{tmp_path.name}-outside")
    (thin / "nothing.png").symlink_to(tmp_path / "gone.png")
    (thin / "round.png").symlink_to(thin / "round.png")

    with pytest.raises(DatasetError, match="9 things are wrong") as caught:
        gather(tmp_path)
    said = str(caught.value)
    for name, why in {
        "normal/broken.png": "truncated",
        "normal/deep/broken.dcm": "",
        "normal/empty.jpg": "empty",
        "normal/document.png": "PDF",
        "normal/outside.png": "outside the folder",
        "normal/folder": "outside the folder",
        "osteoporosis/nothing.png": "link to nothing",
        "osteoporosis/round.png": "link to nothing",
        "normal/a.png and osteoporosis/same.png": "the same file",
    }.items():
        (line,) = [line for line in said.splitlines() if line.strip().startswith(name)]
        assert any(word in line for word in why.split("|")), line


def test_many_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    for number in range(NAMED + 5):
        put(tmp_path / "normal" / f"{number:02}.png", b"")

    with pytest.raises(DatasetError, match=f"{NAMED + 5} things are wrong") as caught:
        images(tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == NAMED + 2
    assert lines[-1].strip() == "and 5 more"


@pytest.mark.parametrize("method", ["open", "read_bytes"])
def test_what_may_not_be_read_is_named(
    tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, who runs tests in containers, reads all: refused as the system would."""
    put(tmp_path / "normal" / "a.png", content("png"))
    put(tmp_path / "normal" / "locked.png", content("png", 2))
    actual = getattr(Path, method)

    def guarded(path: Path, *given: Any, **named: Any) -> Any:
        if path.name == "locked.png":
            raise PermissionError(13, "Permission denied")
        return actual(path, *given, **named)

    monkeypatch.setattr(Path, method, guarded)
    with pytest.raises(DatasetError, match=r"normal/locked\.png.* cannot be read: Permission"):
        images(tmp_path)


def test_links_within_the_folder_are_followed_once(tmp_path: Path) -> None:
    put(tmp_path / "raw" / "a.png", content("png"))
    (tmp_path / "normal").symlink_to(tmp_path / "raw")
    (tmp_path / "raw" / "again").symlink_to(tmp_path / "raw")

    skipped: Counter[str] = Counter()
    assert [entry.name for entry, _, _ in images(tmp_path, skipped)] == ["normal/a.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_counted_and_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "normal" / "a.png", content("png"))
    os.mkfifo(tmp_path / "normal" / "pipe.png")

    assert found(tmp_path)[1] == {NO_FILE: 1}


def test_files_beside_a_manifest_are_counted(tmp_path: Path) -> None:
    put(tmp_path / "a.png", content("png"))
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    put(tmp_path / ".DS_Store")
    files.table(tmp_path / "manifest.csv", ("path", "label"), ("a.png", "normal"))

    skipped: Counter[str] = Counter()
    assert len(images(tmp_path, skipped)) == 1
    assert skipped == {"not in manifest.csv": 2}
