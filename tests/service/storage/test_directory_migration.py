"""Migration of the directory's people and groups on filled databases, up and down."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from service.settings import Settings
from service.storage.database import database_url
from service.storage.migrations import Schema
from tests.service.storage.test_migrations import everything, put

BEFORE, ITSELF = "0015", "0016"
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def before(empty: Settings) -> Any:
    engine = sa.create_engine(database_url(empty))
    with engine.begin() as connection:
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def key(connection: Connection, role: str) -> None:
    put(
        connection, "api_key", id=uuid4(), program_id=uuid4(), name=role, site="default",
        role=role, sha256=role.ljust(64, "0"), created_at=MOMENT, ends_at=MOMENT,
    )  # fmt: skip


def test_people_stay_and_what_the_directory_gave_goes_back_with_it(before: Connection) -> None:
    ann, group = uuid4(), uuid4()
    put(before, "person", id=ann, login="ann", name="Ann", created_at=MOMENT, disabled_at=MOMENT)
    for source in ("hand", "idp"):
        put(before, "membership", person_id=ann, site="default", role="viewer", source=source)
    key(before, "integrator")
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    new = everything(before)
    for name in ("directory_user", "directory_group", "directory_member"):
        assert new.pop(name) == []
    assert new == old
    put(
        before, "directory_user", person_id=ann, user_name="Ann", user_key="ann",
        external_id="x", created_at=MOMENT, changed_at=MOMENT, disabled_at=MOMENT,
    )  # fmt: skip
    put(
        before, "directory_group", id=group, display_name="Viewers", display_key="viewers",
        created_at=MOMENT, changed_at=MOMENT,
    )  # fmt: skip
    put(before, "directory_member", group_id=group, person_id=ann)
    put(before, "membership", person_id=ann, site="default", role="viewer", source="scim")
    key(before, "provisioner")
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


def test_a_name_is_somebodys_at_each_site_and_of_the_deleted_nobodys(before: Connection) -> None:
    Schema.upgrade(before, ITSELF)

    def user(site: str, name: str | None) -> None:
        id = uuid4()
        put(before, "person", id=id, login=str(id), name="Ann", created_at=MOMENT)
        put(
            before, "directory_user", person_id=id, site=site, user_name=name, user_key=name,
            external_id=name, created_at=MOMENT, changed_at=MOMENT,
        )  # fmt: skip

    for site, name in (("a", "ann"), ("b", "ann"), ("a", None), ("a", None)):
        user(site, name)
    with pytest.raises(IntegrityError), before.begin_nested():
        user("a", "ann")
