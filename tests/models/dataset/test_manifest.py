from __future__ import annotations

from pathlib import Path

import pytest

from models.dataset import DatasetError, images, load
from tests.models.dataset import files

HEADER = ("path", "label", "patient")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        files.picture(tmp_path / "images" / f"{number}.png", number)
    return tmp_path


def test_any_csv_file_with_paths_relative_to_it(folder: Path) -> None:
    path = files.table(
        folder / "some list.csv",
        HEADER,
        ("images/0.png", "normal", "p1"),
        ("images/1.png", "osteopenia", "p1"),
        ("images/2.png", "normal", "p2"),
    )

    data = load(path)

    assert data.names == ("images/0.png", "images/1.png", "images/2.png")
    assert data.groups == ("p1", "p1", "p2")
    assert data.attributes == {}


def test_groups_are_what_any_of_the_columns_joins(folder: Path) -> None:
    path = files.table(
        folder / "manifest.csv",
        ("path", "label", "near_dup_group", "cv_block"),
        ("images/0.png", "normal", "g1", "block 2"),
        ("images/1.png", "normal", "g1", "block 1"),
        ("images/2.png", "normal", "g2", "block 3"),
    )

    assert load(path).groups == load(folder).groups == ("block 2", "block 2", "block 3")


def test_without_a_group_column_each_image_is_its_own(folder: Path) -> None:
    path = files.table(
        folder / "m.csv", HEADER[:2], ("images/0.png", "normal"), ("images/1.png", "normal")
    )

    assert load(path).groups == ("images/0.png", "images/1.png")


def test_subgroup_columns_become_attributes(folder: Path) -> None:
    path = files.table(
        folder / "m.csv",
        (*HEADER, "sex", "age", "vendor", "site", "remark"),
        ("images/0.png", "normal", "p1", "F", "67", "GE Healthcare", "North-1", "anything"),
        ("images/1.png", "normal", "p2", "", "", "", "", ""),
    )

    assert load(path).attributes == {
        "sex": ("female", ""),
        "age_band": ("60-69", ""),
        "vendor": ("ge", ""),
        "site": ("north-1", ""),
    }


def test_spreadsheets_byte_order_mark_and_blanks(folder: Path) -> None:
    path = folder / "m.csv"
    path.write_text("\ufeffpath,label,patient\r\n\r\nimages/0.png , normal,p1\r\n", "utf-8")

    assert load(path).names == ("images/0.png",)


WRITTEN = {
    "semicolons": "path;label;patient\nimages/0.png;normal;a,b\n",
    "tabs": "path\tlabel\nimages/0.png\tnormal\n",
    "as Excel is told": "sep=;\r\npath;label\r\nimages/0.png;normal\r\n",
    "quotes": '"path","label"\r\n"images/0.png","normal"\r\n',
    "names in capitals": "Path, LABEL ,Patient\nimages/0.png, Normal ,p1\n",
    "backslashes": "path,label\nimages\\0.png,NORMAL\n",
    "lines of old Macs": "path,label\rimages/0.png,normal\r",
    "empty lines and columns": "path;label;;\n;;;\nimages/0.png;normal;;\n\n",
    "a byte order mark": "\ufeffpath,label\nimages/0.png,normal\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("way", WRITTEN)
def test_a_table_as_programs_write_it(folder: Path, way: str, encoding: str) -> None:
    path = folder / "m.csv"
    path.write_bytes(WRITTEN[way].removeprefix("\ufeff" * (encoding != "utf-8")).encode(encoding))

    ((entry, _, _),) = images(path)

    assert (entry.path, entry.label) == (folder / "images" / "0.png", "normal")


def test_a_backslash_may_be_in_a_name(folder: Path) -> None:
    (folder / "images" / "0.png").rename(folder / "images\\0.png")
    path = files.table(folder / "m.csv", HEADER[:2], ("images\\0.png", "normal"))

    assert images(path)[0][0].path == folder / "images\\0.png"


def test_all_lines_that_cannot_be_used_are_named_at_once(folder: Path) -> None:
    (folder / "images" / "2.png").write_bytes(b"")
    path = folder / "m.csv"
    path.write_text(
        "path,label,age\nimages/9.png,normal,\nimages/0.png,ill,\nimages/1.png,normal\n"
        "images/1.png,normal,old\n,normal,\nimages/1.png,normal,67\nimages/1.png,normal,67\n"
        "../x.png,normal,\nimages/2.png,normal,70\n"
    )

    with pytest.raises(DatasetError, match="9 things are wrong") as caught:
        images(path)
    lines = str(caught.value).splitlines()[1:]
    for number, line in zip(range(2, 10), lines, strict=False):
        assert line.startswith(f"  m.csv, line {number}")
    assert "images/2.png: The file is empty" in lines[8]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param("path,group\n", "needed are path and label", id="no label column"),
        pytest.param("", "columns of no name", id="empty"),
        pytest.param("path,label\n", "no labelled images", id="no rows"),
        pytest.param("path,label,path\n", "column path twice", id="a column twice"),
        pytest.param("path,label\n1.png,ill\n", r"line 2: label 'ill'; allowed are", id="label"),
        pytest.param("path,label\n../x.png,normal\n", "line 2 points outside", id="parent"),
        pytest.param("path,label\n/etc/passwd,normal\n", "line 2 points outside", id="absolute"),
        pytest.param("path,label\nlink/x.png,normal\n", "line 2 points outside", id="link"),
        pytest.param("path,label\nimages,normal\n", "does not exist", id="a folder"),
        pytest.param("path,label\nimages/9.png,normal\n", "does not exist", id="no such file"),
        pytest.param(f"path,label\n{'x' * 5000},normal\n", "cannot be found", id="long name"),
        pytest.param(
            "path,label\nround,normal\n", "cannot be found|not exist", id="link to itself"
        ),
        pytest.param("path,label\na\0b,normal\n", "names no file|no CSV", id="NUL"),
        pytest.param(
            "path,label\nimages/0.png,normal\nimages/../images/0.png,normal\n",
            "line 3 names the file of .*line 2 once more",
            id="a file twice",
        ),
        pytest.param("path,label,patient\nimages/0.png,normal,\n", "patient is empty", id="no id"),
        pytest.param("path,label\nimages/0.png\n", "line 2 has 1 values for 2 col", id="short row"),
        pytest.param("path,label\na,b,c\n", "line 2 has 3 values for 2 columns", id="long row"),
        pytest.param('path,label\n"images/0.png\n', "no CSV in UTF-8 text", id="open quote"),
        pytest.param(
            "path,label,age\nimages/0.png,normal,67.5\n", "column age: .* whole number", id="age"
        ),
        pytest.param("path,label,age\nimages/0.png,normal,121\n", "from 0 to 120", id="too old"),
        pytest.param("path,label,sex\nimages/0.png,normal,w\n", "line 2, column sex", id="sex"),
        pytest.param(
            "path,label,site\nimages/0.png,normal,Jane Doe\n", "column site", id="no code"
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(folder: Path, lines: str, said: str) -> None:
    (folder.parent / f"{folder.name}-x").mkdir(exist_ok=True)
    files.picture(folder.parent / f"{folder.name}-x" / "x.png", 1)
    (folder / "link").symlink_to(folder.parent / f"{folder.name}-x")
    (folder / "round").symlink_to(folder / "round")
    (folder / "manifest.csv").write_text(lines)

    with pytest.raises(DatasetError, match=said) as caught:
        load(folder)
    assert "Jane" not in str(caught.value)


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "manifest.csv").write_bytes(b"path,label\n\xff\xfe\xfa,normal\n")

    with pytest.raises(DatasetError, match="no CSV in UTF-8 text"):
        load(folder)
