"""What training needs of its data is looked at before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.__main__ import main
from models.commands import train
from tests.models.dataset import files


def one_class(root: Path) -> None:
    for seed in range(4):
        files.picture(root / "normal" / f"{seed}.png", seed)


def few(root: Path) -> None:
    one_class(root)
    files.picture(root / "osteoporosis" / "a.png", 9)


def one_patient(root: Path) -> None:
    rows = []
    for number in range(10):
        files.picture(root / f"{number}.png", number)
        rows.append((f"{number}.png", ("normal", "osteoporosis")[number % 2], number % 2))
    files.table(root / "manifest.csv", ("path", "label", "patient"), *rows)


def copies(root: Path) -> None:
    for label, seed in (("normal", 1), ("osteoporosis", 2)):
        for number in range(6):
            files.picture(root / label / f"{number}.png", seed)


def broken(root: Path) -> None:
    few(root)
    for name in ("x", "y"):
        (root / "normal" / f"{name}.png").write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (one_class, "osteoporosis has 0 groups"),
        (few, "osteoporosis has 1 groups"),
        (one_patient, "normal has 1 groups, osteoporosis has 1 groups"),
        (copies, "normal has 1 groups, osteoporosis has 1 groups"),
        (broken, "2 things are wrong"),
    ],
)
@pytest.mark.parametrize("quick", [True, False], ids=["quick", "whole"])
def test_one_sentence_at_the_start(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
    said: str,
    quick: bool,
) -> None:
    def trained(*_: object) -> None:
        raise AssertionError("a network was trained first")

    make(tmp_path / "my scans")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "_outliner", trained)
    options = ["--data", "my scans", "--out", "out", *(["--quick"] if quick else [])]
    assert main(["train", *options]) == 1
    assert said in capsys.readouterr().err
    assert not Path("out").exists()
    assert not Path("var").exists()
