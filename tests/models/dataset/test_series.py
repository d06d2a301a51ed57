"""Trees of real DICOM files, written by pydicom."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from models.dataset import DatasetError, gather, load
from models.dataset.tree import HIDDEN
from tests.models.dataset import files


def labels(root: Path, key: str, *rows: tuple[object, str]) -> None:
    files.table(root / "labels.csv", (key, "label"), *rows)


@pytest.mark.parametrize("key", ["SeriesInstanceUID", "StudyInstanceUID", "PatientID"])
def test_files_find_their_label_by(tmp_path: Path, key: str) -> None:
    one = files.image_object(tmp_path / "deep" / "er" / "IM0001", 1, PatientSex="F")
    two = files.image_object(tmp_path / "other.bin", 2, PatientAge="081Y", PatientSex="M")
    labels(tmp_path, key, (one[key].value, "normal"), (two[key].value, "osteoporosis"))

    data = load(tmp_path)

    by_label = dict(zip(data.labels, range(2), strict=True))
    first, second = by_label["normal"], by_label["osteoporosis"]
    content = (tmp_path / "deep" / "er" / "IM0001").read_bytes()
    assert data.digests[first] == hashlib.sha256(content).hexdigest()
    assert (data.images[first] == files.canonical(content)).all()
    assert data.attributes["sex"][first] == "female"
    assert data.attributes["sex"][second] == "male"
    assert data.attributes["age_band"][second] == "80+"
    assert set(data.attributes["vendor"]) <= {"hologic", "ge"}
    assert data.skipped == {}


def test_nothing_that_identifies_a_patient_is_kept(tmp_path: Path) -> None:
    made = files.image_object(tmp_path / "DOE^JANE" / "IM0001", 1)
    labels(tmp_path, "PatientID", ("SECRET1", "normal"))

    data = load(tmp_path)

    said = f"{data.names} {data.groups} {data.attributes} {data.skipped}"
    for secret in ("SECRET1", "DOE", "JANE", made.StudyInstanceUID, made.SOPInstanceUID):
        assert str(secret) not in said
    assert data.names[0] == f"dicom/{data.digests[0][:16]}"


def test_the_patient_groups(tmp_path: Path) -> None:
    for seed, patient in ((1, "A"), (2, "A"), (3, "B")):
        files.image_object(tmp_path / str(seed), seed, PatientID=patient)
    labels(tmp_path, "PatientID", ("A", "normal"), ("B", "osteopenia"))

    data = load(tmp_path)

    groups = dict(zip(data.labels, data.groups, strict=True))
    assert sorted(data.labels) == ["normal", "normal", "osteopenia"]
    assert len(set(data.groups)) == 2
    assert groups["normal"] != groups["osteopenia"]


def test_without_a_patient_the_study_groups(tmp_path: Path) -> None:
    study = "1.2.3"
    for seed in (1, 2):
        files.image_object(tmp_path / str(seed), seed, PatientID="", StudyInstanceUID=study)
    labels(tmp_path, "StudyInstanceUID", (study, "normal"))

    assert len(set(load(tmp_path).groups)) == 1


def test_folders_do_not_change_the_order(tmp_path: Path) -> None:
    made = []
    for root, names in (("one", ("a", "b", "c")), ("two", ("z", "y/y", "x"))):
        for seed, name in enumerate(names):
            files.image_object(tmp_path / root / name, seed)
        labels(tmp_path / root, "PatientID", *((f"SECRET{s}", "normal") for s in range(3)))
        made.append(load(tmp_path / root))

    assert made[0].names == made[1].names


def test_what_is_no_spine_image_is_counted(tmp_path: Path) -> None:
    good = files.image_object(tmp_path / "good", 1)
    study = good.StudyInstanceUID
    files.report_object(tmp_path / "report", good)
    files.image_object(tmp_path / "cine", 2, StudyInstanceUID=study, NumberOfFrames=3)
    files.image_object(tmp_path / "hip", 3, StudyInstanceUID=study, BodyPartExamined="HIP")
    files.image_object(tmp_path / "else", 4)
    (tmp_path / "copy").write_bytes((tmp_path / "good").read_bytes())
    (tmp_path / "README.txt").write_text("as exported")
    labels(tmp_path, "StudyInstanceUID", (study, "normal"))

    data = load(tmp_path)

    assert data.labels == ("normal",)
    assert data.skipped == {
        "no image": 1,
        "several frames": 1,
        "another body part": 1,
        "no label": 1,
        "repeated": 1,
        "not DICOM": 1,
    }


def test_a_label_that_finds_no_image_is_refused_without_its_value(tmp_path: Path) -> None:
    files.image_object(tmp_path / "cine", 1, NumberOfFrames=2)
    labels(tmp_path, "PatientID", ("SECRET1", "normal"), ("SECRET2", "normal"))

    with pytest.raises(
        DatasetError, match=r"labels\.csv, line 2 and 1 more: no single-frame .*1 files \(several"
    ) as caught:
        load(tmp_path)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param("label\n", "just one of SeriesInstanceUID", id="no key"),
        pytest.param("PatientID,StudyInstanceUID,label\n", "just one of", id="two keys"),
        pytest.param("PatientID\n", "needs the column label", id="no label"),
        pytest.param("PatientID,label\nSECRET1,bad\n", "line 2: label 'bad'", id="unknown label"),
        pytest.param(
            "PatientID,label\nSECRET1,normal\nSECRET1,normal\n", "line 3 has the P", id="twice"
        ),
        pytest.param("PatientID,label\n,normal\n", "PatientID is empty", id="no value"),
    ],
)
def test_labels_that_cannot_be_used(tmp_path: Path, lines: str, said: str) -> None:
    files.image_object(tmp_path / "a", 1)
    (tmp_path / "labels.csv").write_text(lines)

    with pytest.raises(DatasetError, match=said) as caught:
        load(tmp_path)
    assert "SECRET" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # pydicom, while the test writes them
@pytest.mark.parametrize(
    ("keyword", "value"), [("PatientAge", "OLD"), ("PatientAge", "JANE"), ("PatientSex", "JANE")]
)
def test_tags_are_parsed_strictly_and_not_quoted(tmp_path: Path, keyword: str, value: str) -> None:
    files.image_object(tmp_path / "a", 1, **{keyword: value})
    labels(tmp_path, "PatientID", ("SECRET1", "normal"))

    with pytest.raises(DatasetError, match=r"dicom/[0-9a-f]{16}: ") as caught:
        load(tmp_path)
    assert value not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # as above
def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    for seed in range(3):
        files.image_object(tmp_path / str(seed), seed, PatientAge="67")
    files.image_object(tmp_path / "sex", 3, PatientSex="JANE")
    (tmp_path / "SECRET DOE").symlink_to(tmp_path / "gone")
    (tmp_path / "cut").write_bytes((tmp_path / "0").read_bytes()[:300])
    (tmp_path / "._IM0001").write_bytes(b"x")
    rows = [(f"SECRET{seed}", "normal") for seed in range(4)]
    labels(tmp_path, "patientid", *rows, ("SECRET9", "ill"))

    with pytest.raises(DatasetError, match="things are wrong") as caught:
        load(tmp_path)
    said = str(caught.value)
    assert said.count("PatientAge is no DICOM age such as 067Y; correct or empty it") == 3
    assert said.count("sex is none of") == 1
    assert "a link to nothing" in said
    assert "line 6: label 'ill'" in said
    assert "SECRET" not in said
    assert "DOE" not in said


def test_hidden_files_are_counted(tmp_path: Path) -> None:
    files.image_object(tmp_path / "a", 1)
    (tmp_path / "._a").write_bytes(b"x")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._a").write_bytes(b"x")
    labels(tmp_path, "PATIENTID", ("SECRET1", " Normal "))

    assert gather(tmp_path).skipped == {HIDDEN: 2}


def test_a_truncated_object_is_refused(tmp_path: Path) -> None:
    files.image_object(tmp_path / "a", 1)
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data[: len(data) // 2])
    labels(tmp_path, "PatientID", ("SECRET1", "normal"))

    with pytest.raises(DatasetError, match=r"dicom/[0-9a-f]{16}: "):
        load(tmp_path)


def test_a_link_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    files.image_object(tmp_path / "outside", 1)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").symlink_to(tmp_path / "outside")
    labels(tmp_path / "data", "PatientID", ("SECRET1", "normal"))

    with pytest.raises(DatasetError, match="a link to outside the folder"):
        load(tmp_path / "data")
