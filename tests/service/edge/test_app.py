"""What stops an edge before its models are loaded, each told in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.edge import app
from service.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(*_: Any) -> None:
        raise AssertionError("models were loaded first")

    monkeypatch.setattr(app, "Models", loaded)


def test_a_language_that_pages_have_not(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--language fr: allowed are en, de"):
        app.server(Settings(var=tmp_path), language="fr")


def test_a_setting_that_calls_somebody(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, oidc_issuer="https://id.clinic.example")
    with pytest.raises(SettingsError, match="the edge calls nobody"):
        app.server(settings)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "edge").write_bytes(b"")
    with pytest.raises(app.EdgeError, match="a folder that may be written is allowed"):
        app.server(Settings(var=tmp_path))


def test_artefacts_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path / "none"))
    with pytest.raises(app.EdgeError, match=r"no served\.json in .*: train models first"):
        app.server(Settings(var=tmp_path))
