"""Migration 0007 on filled databases of the version before, up and down; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.identity.actor import DEFAULT_SITE
from service.identity.repository import accounts, sessions
from service.settings import Settings
from service.storage.database import Database, database_url
from service.storage.migrations import Schema
from service.storage.transaction import Transactions
from tests.service.storage.test_migrations import everything, put, rows

pytestmark = pytest.mark.anyio

NEW = {"identity", "sign_in_flow", "used_token"}
AT = datetime(2026, 1, 2, tzinfo=UTC)
ISSUER = "https://idp.example"


@pytest.fixture
def before(empty: Settings) -> Iterator[Connection]:
    engine = sa.create_engine(database_url(empty))
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _enforce(connection: Any, _: object) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys = ON")

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        Schema.upgrade(connection, "0006")
        yield connection
    engine.dispose()


def person(connection: Connection, login: str, *roles: str) -> UUID:
    id = uuid4()
    put(
        connection, "person", id=id, login=login, name=login.title(), created_at=AT,
    )  # fmt: skip
    for role in roles:
        put(connection, "membership", person_id=id, site=DEFAULT_SITE, role=role)
    return id


def session(connection: Connection, hash: str, person_id: UUID, **more: Any) -> None:
    put(
        connection, "session", hash=hash, person_id=person_id, site=DEFAULT_SITE, created_at=AT,
        seen_at=AT, ends_at=AT + timedelta(hours=1), signed_in_at=AT, **more,
    )  # fmt: skip


async def test_people_roles_and_sessions_are_read_after_the_upgrade(
    empty: Settings, before: Connection
) -> None:
    ann = person(before, "ann", "viewer", "clinician")
    session(before, "a" * 64, ann)
    before.commit()
    database = Database(empty)
    await database.migrate()
    async with Transactions(database).read() as on:
        (found,) = await accounts.all(on, DEFAULT_SITE)
        assert (found.roles, found.by_hand, found.by_groups) == (
            ("viewer", "clinician"), ("viewer", "clinician"), ()
        )  # fmt: skip
        assert (found.is_sealed, found.by_provider) == (False, False)
        kept = await on.run_sync(sessions.rows, "a" * 64)
        assert {row.role for row in kept} == {"viewer", "clinician"}
        assert {row.issuer for row in kept} == {None}
    await database.close()


async def test_all_is_as_it_was_after_the_way_back(before: Connection) -> None:
    ann = person(before, "ann", "viewer")
    session(before, "a" * 64, ann)
    old = everything(before)
    Schema.upgrade(before, "0007")
    assert set(everything(before)) - set(old) == NEW
    # Somebody has come by the provider since, with a role that somebody else gave them, too.
    bob = person(before, "bob", "viewer")
    put(before, "membership", person_id=bob, site=DEFAULT_SITE, role="viewer", source="idp")
    put(before, "membership", person_id=bob, site="north", role="clinician", source="idp")
    put(before, "identity", issuer=ISSUER, subject="s", person_id=bob, created_at=AT)
    session(before, "b" * 64, bob, issuer=ISSUER, idp_sub="s", idp_sid="1")
    put(before, "used_token", hash="c" * 64, ends_at=AT)
    put(
        before, "sign_in_flow", hash="d" * 64, browser="e" * 64, nonce="n", verifier="v", next="/",
        created_at=AT, ends_at=AT,
    )  # fmt: skip
    Schema.downgrade(before, "0006")
    names = {row["login"]: row for row in rows(before, "person")}
    assert names.keys() == {"ann", "bob"}
    assert names["ann"] == old["person"][0]
    assert rows(before, "session") == old["session"]
    # A role that two gave is one.
    assert len(rows(before, "membership")) == 3
    columns = {one["name"] for one in sa.inspect(before).get_columns("membership")}
    assert columns == {"person_id", "site", "role"}
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


async def test_the_version_before_writes_on_what_is_there_now(before: Connection) -> None:
    """During a rolling update a front of before works on the schema of now."""
    Schema.upgrade(before)
    ann = person(before, "ann", "viewer")
    session(before, "a" * 64, ann)
    (row,) = rows(before, "membership")
    assert row["source"] == "hand"
    (row,) = rows(before, "person")
    assert not row["sealed"]


async def test_a_subject_is_one_person_of_an_issuer(before: Connection) -> None:
    Schema.upgrade(before)
    ann, bob = person(before, "ann"), person(before, "bob")
    put(before, "identity", issuer=ISSUER, subject="s", person_id=ann, created_at=AT)
    put(before, "identity", issuer=f"{ISSUER}/2", subject="s", person_id=bob, created_at=AT)
    with pytest.raises(sa.exc.IntegrityError), before.begin_nested():
        put(before, "identity", issuer=ISSUER, subject="s", person_id=bob, created_at=AT)
