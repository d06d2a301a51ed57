from __future__ import annotations

from pathlib import Path

import pytest

from service import settings
from service.settings import Settings, SettingsError
from service.types import RUNNERS


def test_every_setting_has_help_and_a_default() -> None:
    rows = settings.table()
    assert {row.variable for row in rows} == {
        settings.PREFIX + name.upper() for name in Settings.model_fields
    }
    for row in rows:
        assert row.help.endswith("."), row.variable


def test_defaults_serve_locally() -> None:
    chosen = settings.load()
    assert (chosen.host, chosen.port, chosen.var) == ("127.0.0.1", 8000, Path("var"))
    assert chosen.max_upload_bytes == 32 * 2**20
    assert chosen.deadline_seconds == 8
    assert len({chosen.runner_url(name) for name in RUNNERS}) == len(RUNNERS)


def test_environment_is_read_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_PORT", "8123")
    monkeypatch.setenv("OSTEOSERVE_MAX_UPLOAD_BYTES", "2MiB")
    monkeypatch.setenv("OSTEOSERVE_CNN_URL", "http://cnn:3000/")
    monkeypatch.setenv("OSTEOSERVE_DATABASE_URL", "")
    chosen = settings.load(host="::1", port=None)
    assert (chosen.host, chosen.port, chosen.max_upload_bytes) == ("::1", 8123, 2 * 2**20)
    assert chosen.runner_url("cnn") == "http://cnn:3000"
    assert chosen.database_url is None
    assert settings.load(port="8124").port == 8124


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("MAX_UPLOAD_BYTES", "-1"),
        ("MAX_SAMPLES", "1e12"),
        ("DEADLINE_SECONDS", "0"),
        ("DEADLINE_SECONDS", "inf"),
        ("CNN_URL", "cnn:3000"),
        ("LOG_FORMAT", "xml"),
        ("DECODERS", "0"),
    ],
)
def test_a_bad_value_is_named_with_its_key(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"OSTEOSERVE_{name}", value)
    with pytest.raises(SettingsError, match=f"OSTEOSERVE_{name}='{value}': "):
        settings.load()


def test_secrets_stay_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_DATABASE_URL", "mysql://user:hunter2@db/x")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "hunter2" not in str(caught.value)
    assert "OSTEOSERVE_DATABASE_URL" in str(caught.value)
    monkeypatch.setenv("OSTEOSERVE_DATABASE_URL", "postgresql://user:hunter2@db/x")
    chosen = settings.load()
    assert "hunter2" not in repr(chosen) + str(settings.table(chosen))


def test_an_unknown_variable_is_told_with_what_may_be_meant() -> None:
    lines = settings.unknown({"OSTEOSERVE_MAX_UPLOAD_BYTE": "1", "OSTEOSERVE_PORT": "1", "X": "1"})
    assert lines == [
        "OSTEOSERVE_MAX_UPLOAD_BYTE is no setting of the front: OSTEOSERVE_MAX_UPLOAD_BYTES?"
    ]
