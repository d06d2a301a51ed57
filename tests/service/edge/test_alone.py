from __future__ import annotations

import pytest

from service.edge import alone
from service.settings import Settings, SettingsError


@pytest.mark.parametrize(
    "setting",
    [
        {"oidc_issuer": "https://id.clinic.example"},
        {"atna_collectors": "audit.clinic.example"},
        {"tracing_endpoint": "http://127.0.0.1:4318"},
        {"cds_clients": "clients.json"},
        {"smart_records": "records.toml"},
        {"database_url": "postgresql://db.clinic.example/osteoserve"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_whoever_would_be_called_is_refused_by_name(setting: dict[str, str]) -> None:
    (name,) = setting
    with pytest.raises(SettingsError, match=f"OSTEOSERVE_{name.upper()}: the edge calls nobody"):
        alone.check(Settings(**setting))


def test_a_database_in_a_file_is_fine() -> None:
    alone.check(Settings())
    alone.check(Settings(database_url="sqlite:////var/lib/osteoserve/other.db"))
