"""Migration of images as sent on filled databases of the version before, up and down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.settings import Settings
from service.storage.database import database_url
from service.storage.migrations import Schema
from tests.service.storage.test_migrations import everything, put, rows

pytestmark = pytest.mark.anyio

BEFORE, ITSELF = "0009", "0010"


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
        Schema.upgrade(connection, BEFORE)
        yield connection
    engine.dispose()


def test_all_but_the_images_as_sent_is_as_it_was_after_the_way_back(before: Connection) -> None:
    image = uuid4()
    put(before, "image", id=image, sha256="0" * 64)
    old = everything(before)
    Schema.upgrade(before, ITSELF)
    assert everything(before) == {**old, "sent_image": []}
    put(
        before, "sent_image", image_id=image, left=0, top=0, width=3, height=4, row_spacing=0.6,
        png=b"png",
    )  # fmt: skip
    assert rows(before, "sent_image")[0]["column_spacing"] is None
    Schema.downgrade(before, BEFORE)
    assert everything(before) == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


def test_an_image_that_goes_takes_what_was_kept_of_it_along(before: Connection) -> None:
    Schema.upgrade(before, ITSELF)
    image = uuid4()
    put(before, "image", id=image, sha256="0" * 64)
    put(before, "sent_image", image_id=image, left=0, top=0, width=3, height=4, png=b"png")
    before.execute(sa.text("DELETE FROM image"))
    assert rows(before, "sent_image") == []
