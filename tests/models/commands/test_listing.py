"""``list`` and ``card`` on artefacts that were written for the test."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from models import artifact
from models.artifact import Artifact, ArtifactError
from models.commands import card
from models.commands import list as listing

AREA = {"auroc": {"value": 0.9, "low": 0.8, "high": 0.95}}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))
    return tmp_path


@pytest.fixture
def versions(root: Path) -> tuple[Artifact, Artifact]:
    """An older and a served version of one model."""
    older = artifact.write(root, "stack", {"metrics": AREA}, {"card.md": b"# Older\n"})
    newer = artifact.write(root, "stack", {}, {"card.md": b"# Newer\n", "plot.svg": b"x" * 20_000})
    artifact.serve(root, {"stack": newer.version})
    return older, newer


def run(name: str, *arguments: str) -> int:
    command = {"list": listing, "card": card}[name]
    parser = argparse.ArgumentParser()
    command.add(parser)
    return command.run(parser.parse_args(arguments))


def test_list_shows_served_and_other_versions(
    versions: tuple[Artifact, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list") == 0

    older, newer = versions
    rows = {
        version.version: next(line for line in lines if version.version in line)
        for lines in [capsys.readouterr().out.splitlines()]
        for version in versions
    }
    assert "served" in rows[newer.version]
    assert "0.02 MB" in rows[newer.version]
    assert "served" not in rows[older.version]
    assert "0.900 (0.800–0.950)" in rows[older.version]


def test_list_names_a_damaged_version_and_fails(
    versions: tuple[Artifact, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    older, newer = versions
    (older.folder / "card.md").write_text("another")

    assert run("list") == 1

    printed = capsys.readouterr().out
    assert "card.md is missing or was changed" in printed
    assert newer.version in printed


def test_a_draft_left_by_a_kill_is_no_version(
    versions: tuple[Artifact, Artifact], root: Path
) -> None:
    draft = root / "stack" / ".draft-x"
    draft.mkdir()
    (draft / artifact.MANIFEST).write_text("{}")

    assert sorted(artifact.stored(root)["stack"]) == sorted(v.version[:19] for v in versions)


def test_card_prints_the_served_card_or_the_one_asked_for(
    versions: tuple[Artifact, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    older, _ = versions
    digits = older.version.removeprefix("sha256:")[:12]

    assert run("card") == 0
    assert run("card", "stack", "--version", older.version) == 0
    assert run("card", "stack", "--version", digits) == 0

    assert capsys.readouterr().out == "# Newer\n# Older\n# Older\n"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("card", "forest"), id="unknown model"),
        pytest.param(("card", "stack", "--version", "000000000000"), id="unknown version"),
        pytest.param(("card", "stack", "--version", ""), id="empty version"),
    ],
)
def test_a_card_that_is_not_there_is_a_typed_error(
    versions: tuple[Artifact, Artifact], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(ArtifactError):
        run(*arguments)
