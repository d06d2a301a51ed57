from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.__main__ import main
from models.commands import verify
from tests.models import tiny


@pytest.fixture
def served(tiny_artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "artifacts"
    shutil.copytree(tiny_artifacts, root)
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(root))
    return root


@pytest.mark.usefixtures("served")
def test_what_is_whole_and_answers_alike_passes() -> None:
    rows = verify.verify("cnn", tiny.phantoms(3))

    assert [row.checked for row in rows][:2] == ["checksums", "keras-f32"]
    assert {"openvino-f32", "litert-f32"} <= {row.checked for row in rows}
    assert all(row.holds for row in rows)


def test_a_changed_file_is_found(served: Path) -> None:
    (weights,) = (served / "cnn").glob("*/network.tflite")
    weights.write_bytes(weights.read_bytes()[:-4] + b"abcd")

    (row,) = verify.verify("cnn", tiny.phantoms(1))

    assert row.holds is False
    assert "network.tflite is missing or was changed" in row.finding


@pytest.mark.usefixtures("served")
def test_an_engine_that_is_not_here_is_not_said_to_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "supported", lambda runtime, _: runtime != "litert")

    rows = {row.checked: row for row in verify.verify("cnn", tiny.phantoms(1))}

    assert rows["litert-f32"].holds is None
    assert rows["openvino-f32"].holds is True


@pytest.mark.usefixtures("served")
def test_what_was_not_checked_is_named_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "supported", lambda runtime, _: runtime != "litert")
    monkeypatch.setattr(verify, "_phantoms", lambda: tiny.phantoms(1))

    assert main(["verify"]) == 0

    printed = capsys.readouterr().out.splitlines()
    row = next(line for line in printed if line.startswith("cnn") and "litert-f32" in line)
    assert "not checked" in row
    assert " ok " not in row
    last = "Not checked here, to be run where it is to be had: "
    assert (
        printed[-1]
        == f"{last}bone litert-f32, cnn litert-f32, resnet litert-f32, vgg16 litert-f32."
    )
