"""What is handed on, and under which licences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8s import packages
from k8s.packages import LOCKS, Package


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_under_a_licence_that_is_allowed(lock: str) -> None:
    assert list(packages.faults(lock)) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_is_in_its_bill_with_licence_and_hashes(lock: str) -> None:
    bill = packages.sbom(lock)
    text = (packages.ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    assert len(bill["components"]) == sum(
        "==" in line for line in text.splitlines() if line[:1] != " "
    )
    for one in bill["components"]:
        assert one["hashes"]
        assert one["licenses"]
    assert json.dumps(bill) == json.dumps(packages.sbom(lock))


def test_a_licence_that_is_not_allowed_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(packages, "ROOT", tmp_path)
    (tmp_path / "requirements").mkdir()
    for lock in LOCKS:
        (tmp_path / "requirements" / f"{lock}.txt").write_text(
            "psycopg==3.3.9 \\\n    --hash=sha256:" + "a" * 64 + "\n"
            "no-such-package==1 \\\n    --hash=sha256:" + "b" * 64 + "\n"
        )
    monkeypatch.setattr(packages, "ALLOWED_FOR", {})
    assert packages.main(tmp_path / "sbom") == 1
    said = capsys.readouterr().out
    assert "front: psycopg is under LGPL-3.0-only, which is not allowed" in said
    assert "front: no-such-package says no licence" in said


def test_what_is_allowed_for_one_is_not_for_another() -> None:
    assert Package("psycopg", "1", ()).allowed
    assert not Package("no-such-package", "1", ()).allowed


def test_the_front_has_no_package_that_it_does_not_need() -> None:
    names = {package.name for package in packages.locked("front")}
    assert not names & {"websockets", "watchfiles", "wsproto", "pyyaml"}
    assert {"uvicorn", "httptools", "uvloop"} <= names
