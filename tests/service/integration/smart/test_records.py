"""The file of records: what it takes, and what it says of what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.app import create_app
from service.integration.smart.records import SCOPES, RecordsError, read
from service.settings import SettingsError, load
from tests.service.integration.fhir.test_backend_services import private

PROVIDER = "https://idp.clinic.example"
GOOD = """
[[record]]
name = "ehr"
iss = "https://fhir.clinic.example/r4"
client_id = "osteoserve"
system = "urn:oid:1.2.3.4"
roles = { readers = "viewer" }
"""


def test_what_need_not_be_said(tmp_path: Path) -> None:
    path = tmp_path / "records.toml"
    path.write_text(GOOD)
    (one,) = read(path, PROVIDER)
    assert (one.known_as, one.scopes, one.site) == (one.iss, SCOPES, "default")
    assert one.grants == {"readers": frozenset({("default", "viewer")})}
    assert read(None, None) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("https://fhir", "http://fhir"), "no https address"),
        (("/r4", "/r4?a=b"), "nor a query"),
        (("https://fhir", "https://me:secret@fhir"), "neither a user"),
        (("client_id", "client"), "record.0.client"),
        (('"osteoserve"', '""'), "record.0.client_id"),
        (('system = "urn:oid:1.2.3.4"\n', ""), "record.0.system"),
        (("viewer", "king"), "roles are"),
        (("roles", "# roles"), "names no roles"),
        (("roles", 'scopes = "openid"\nroles'), "scopes have to name launch"),
        (("roles", 'algorithms = ["HS256"]\nroles'), "algorithms are of RS256"),
        (("roles", 'algorithms = ["none"]\nroles'), "algorithms are of RS256"),
        (("roles", "algorithms = []\nroles"), "record.0.algorithms"),
        (("roles", 'client_key_id = "1"\nroles'), "client_key_id is of client_key_file"),
        (("roles", 'client_key_file = "nowhere.pem"\nroles'), "nowhere.pem cannot be read"),
        (("roles", 'client_secret_file = "nowhere"\nroles'), "which is no file"),
        (("roles", 'authorities = "nowhere.pem"\nroles'), "no certificates in PEM"),
        (("roles", f'issuer = "{PROVIDER}"\nroles'), "leave roles"),
        (("[[record]]", "[[records]]"), "record"),
        (("[[record]]", "[[record]"), "no TOML"),
        (("ehr", "../ehr"), "record.0.name"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "records.toml"
    assert change[0] in GOOD
    path.write_text(GOOD.replace(*change, 1))
    with pytest.raises(RecordsError) as caught:
        read(path, PROVIDER)
    assert said in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_two_of_one_name_or_server_and_two_ways_at_a_time_are_refused(tmp_path: Path) -> None:
    path, key = tmp_path / "records.toml", tmp_path / "key.pem"
    path.write_text(GOOD + GOOD)
    with pytest.raises(RecordsError, match=r"same name\n.*same iss"):
        read(path, PROVIDER)
    key.write_bytes(private("ES384"))
    both = f'client_key_file = "{key}"\nclient_secret_file = "{key}"\n'
    path.write_text(GOOD + both)
    with pytest.raises(RecordsError, match="ways of their own"):
        read(path, PROVIDER)


def test_a_front_with_such_a_file_does_not_start(tmp_path: Path) -> None:
    path = tmp_path / "records.toml"
    path.write_text(GOOD)
    with pytest.raises(SettingsError, match="SMART_RECORDS needs OSTEOSERVE_OIDC_ISSUER"):
        create_app(load(smart_records=path))
    path.write_text(GOOD.replace("ehr", "../ehr"))
    provider = {
        "oidc_issuer": PROVIDER, "oidc_client_id": "us", "public_url": "https://dxa.example",
        "oidc_roles": '{"a": "viewer"}',
    }  # fmt: skip
    with pytest.raises(SettingsError, match="OSTEOSERVE_SMART_RECORDS: "):
        create_app(load(smart_records=path, **provider))
