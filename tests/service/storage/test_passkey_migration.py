"""Migration of passkeys on filled databases of the version before, up and down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.settings import Settings
from service.storage.database import database_url
from service.storage.migrations import Schema
from tests.service.storage.test_migrations import everything, put

BEFORE, ITSELF = "0014", "0015"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def before(empty: Settings) -> Any:
    engine = sa.create_engine(database_url(empty))
    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def somebody(connection: Connection, login: str) -> UUID:
    person_id = uuid4()
    put(connection, "person", id=person_id, login=login, name=login, created_at=MOMENT)
    return person_id


def signed_in(connection: Connection, person_id: UUID, hash: str, **more: Any) -> None:
    put(
        connection, "session", hash=hash, person_id=person_id, site="default", created_at=MOMENT,
        seen_at=MOMENT, ends_at=MOMENT + timedelta(hours=1), signed_in_at=MOMENT, second=True,
        **more,
    )  # fmt: skip


def test_who_has_an_app_keeps_it_and_who_has_a_passkey_alone_signs_in_by_password(
    before: Connection,
) -> None:
    app, key = somebody(before, "app"), somebody(before, "key")
    put(
        before, "second_factor", person_id=app, secret="s", created_at=MOMENT,  # noqa: S106 - sealed
        confirmed_at=MOMENT, last_step=7,
    )  # fmt: skip
    put(before, "recovery_code", hash="a" * 64, person_id=app)
    signed_in(before, app, "1" * 64)
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    (session,) = new["session"]
    assert not session["by_passkey"]
    assert new["second_factor"] == old["second_factor"]
    assert new["passkey"] == new["passkey_challenge"] == []
    put(
        before, "passkey", id=uuid4(), person_id=key, hash="h" * 64, credential=b"c",
        public_key=b"k", counter=1, synced=False, name="my phone", created_at=MOMENT,
    )  # fmt: skip
    put(
        before, "passkey_challenge", hash="c" * 64, purpose="sign_in", bound="b" * 64,
        ends_at=MOMENT,
    )  # fmt: skip
    put(before, "recovery_code", hash="k" * 64, person_id=key)
    signed_in(before, key, "2" * 64, by_passkey=True)
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"
