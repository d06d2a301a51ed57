"""Migration 0005 on filled databases of the version before, up and down; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.exams.schemas import ExamFacts
from service.predictions.query import Query
from service.predictions.schemas import Prediction
from service.settings import Settings
from service.storage.database import Database, database_url
from service.storage.errors import UnreadableError
from service.storage.migrations import DowngradeError, Schema
from tests.service.kit.records import ANYONE, made, verbs

pytestmark = pytest.mark.anyio

SCANNER = {"vendor": "Hologic", "serial": "DX-0417"}


@pytest.fixture
def before(empty: Settings) -> Iterator[Connection]:
    """A connection to a database as the version before made it, in one transaction."""
    engine = sa.create_engine(database_url(empty))
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _enforce(connection: Any, _: object) -> None:
            # As the front does, and its transactions hold schema changes too.
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys = ON")

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        Schema.upgrade(connection, "0004")
        yield connection
    engine.dispose()


def table(connection: Connection, name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=connection)


def put(connection: Connection, name: str, /, **values: Any) -> None:
    rows = table(connection, name)
    if connection.dialect.name == "sqlite":
        # Ids are texts there, and reflected as such.
        values = {key: it.hex if isinstance(it, UUID) else it for key, it in values.items()}
    connection.execute(sa.insert(rows).values(**values))


def rows(connection: Connection, name: str) -> list[dict[str, Any]]:
    found = connection.execute(sa.select(table(connection, name))).mappings()
    return sorted((dict(row) for row in found), key=repr)


def everything(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    names = sa.inspect(connection).get_table_names()
    return {name: rows(connection, name) for name in names if name != "alembic_version"}


def judged(connection: Connection, number: int, file: str, png: bytes, key: str | None) -> UUID:
    """Put a prediction on ``file`` in, as the version before would have."""
    image = {**made(0).image.model_dump(mode="json"), "sha256": sha256(file.encode()).hexdigest()}
    one = made(number, image=image)
    put(
        connection,
        "prediction",
        id=one.id,
        created_at=one.created_at,
        outcome=one.outcome,
        image_sha256=one.image.sha256,
        version=one.version,
        idempotency_key=key,
        degraded=one.degraded,
        probability=one.probability,
        document=one.model_dump(mode="json", exclude={"review"}),
    )
    put(connection, "canonical", prediction_id=one.id, png=png)
    return one.id


def entered(
    connection: Connection, prediction: UUID, patient: UUID | None, facts: dict[str, Any]
) -> None:
    put(connection, "study", prediction_id=prediction, patient_key=patient, facts=facts)


def known(connection: Connection, reference: str) -> UUID:
    key = uuid4()
    put(
        connection,
        "patient",
        key=key,
        reference=reference,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return key


FULL = {
    "acquired_on": "2025-11-03", "scanner": SCANNER, "bmd_g_cm2": 0.873, "t_score": -1.8,
    "hip_bmd": 0.8,
}  # fmt: skip
"""Facts with one that only a newer version knows."""


def fill(connection: Connection) -> dict[str, UUID]:
    """Fill it with every case; return the predictions by name."""
    mary, john = known(connection, "mary"), known(connection, "john")
    ids = {
        "alone": judged(connection, 0, "a", b"png of a", "key"),
        "twice, first": judged(connection, 1, "b", b"png of b", None),
        "twice, then": judged(connection, 2, "b", b"png of b", None),
        "other recipe": judged(connection, 3, "b", b"other png of b", None),
        "of mary": judged(connection, 4, "c", b"png of c", None),
        "of john": judged(connection, 5, "c", b"png of c", None),
        "of nobody": judged(connection, 6, "c", b"png of c", None),
        "agreed, first": judged(connection, 7, "d", b"png of d", None),
        "agreed, then": judged(connection, 8, "d", b"png of d", None),
        "without facts": judged(connection, 9, "e", b"png of e", None),
        "no day": judged(connection, 10, "f", b"png of f", None),
    }
    entered(connection, ids["alone"], mary, FULL)
    entered(connection, ids["twice, first"], None, {"t_score": -1.0})
    entered(connection, ids["of mary"], mary, {"t_score": -2.0})
    entered(connection, ids["of john"], john, {"t_score": -2.0})
    for name in ("agreed, first", "agreed, then"):
        # The device says more than this version knows.
        entered(connection, ids[name], john, {"scanner": {**SCANNER, "model": "Horizon"}})
    entered(connection, ids["no day"], None, {"acquired_on": "soon", "t_score": -1.0})
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    put(
        connection, "review", id=uuid4(), prediction_id=ids["alone"], number=1, created_at=moment,
        action="sign", outcome="osteoporosis", reviewer="A. Reader", reason=None,
    )  # fmt: skip
    put(
        connection, "heat_map", prediction_id=ids["alone"], model="cnn", version="sha256:00000000",
        rows=[[0.5]],
    )  # fmt: skip
    batch = uuid4()
    put(
        connection, "batch", id=batch, created_at=moment, touched_at=moment, state="finished",
        total=1, finished=1,
    )  # fmt: skip
    put(
        connection, "batch_line", batch_id=batch, line=1, item=0, prediction_id=ids["alone"],
        problem=None,
    )  # fmt: skip
    return ids


async def test_everything_is_there_after_the_upgrade(empty: Settings, before: Connection) -> None:
    ids = fill(before)
    documents = {row["id"]: row["document"] for row in rows(before, "prediction")}
    before.commit()
    database = Database(empty)
    await database.migrate()
    on = verbs(database)
    listed, _ = await on.predictions.page(ANYONE, Query(sort="oldest", limit=100))
    assert [one.id for one in listed] == list(ids.values())
    for one in listed:
        assert isinstance(one, Prediction)
        name = one.id.hex if database.is_sqlite else one.id
        kept = documents[name]
        kept = json.loads(kept) if isinstance(kept, str) else kept
        assert one.model_dump(mode="json", exclude={"review"}) == kept
    assert listed[0].review is not None  # type: ignore[union-attr]

    with pytest.raises(UnreadableError):
        await on.exams.get(ANYONE, ids["no day"])
    exams = {name: await on.exams.get(ANYONE, id) for name, id in ids.items() if name != "no day"}
    told = {
        name: exam.model_dump(
            mode="json",
            include=set(ExamFacts.model_fields),
            exclude_none=True,
        )
        for name, exam in exams.items()
        if exam is not None
    }
    assert told == {
        "alone": {"patient_reference": "mary", **{n: FULL[n] for n in FULL if n != "hip_bmd"}},
        # What was entered about an image is known of it however often it is judged,
        "twice, first": {"t_score": -1.0},
        "twice, then": {"t_score": -1.0},
        "other recipe": {"t_score": -1.0},
        # and nobody guesses where two things were entered.
        "of mary": {"patient_reference": "mary", "t_score": -2.0},
        "of john": {"patient_reference": "john", "t_score": -2.0},
        "of nobody": {},
        "without facts": {},
        "agreed, first": {"patient_reference": "john", "scanner": SCANNER},
        "agreed, then": {"patient_reference": "john", "scanner": SCANNER},
    }
    pictures = {name: await on.predictions.image(ANYONE, id) for name, id in ids.items()}
    assert pictures["twice, then"] == b"png of b"
    assert pictures["other recipe"] == b"other png of b"
    assert pictures["of nobody"] == b"png of c"
    async with database.connect() as connection:
        count = {
            name: await connection.scalar(sa.text(f"SELECT count(*) FROM {name}"))  # noqa: S608 - names of tables below
            for name in ("image", "canonical_image", "exam", "patient", "batch_line", "heat_map")
        }
    # Three of "c": mary's, john's and that of neither.
    assert count == {
        "image": 8, "canonical_image": 9, "exam": 6, "patient": 2, "batch_line": 1, "heat_map": 1,
    }  # fmt: skip
    await database.close()


async def test_everything_is_there_after_the_downgrade(before: Connection) -> None:
    ids = fill(before)
    old = everything(before)
    Schema.upgrade(before)
    assert Schema.state(before) == "current"
    Schema.downgrade(before, "0004")
    new = everything(before)
    assert new.keys() == old.keys()
    studies = {row["prediction_id"]: row for row in new.pop("study")}
    for row in old.pop("study"):
        assert studies.pop(row["prediction_id"]) == row
    # What was entered about an image is known of its other predictions from then on.
    form = str if before.dialect.name == "postgresql" else lambda id: id.hex
    assert {str(id) for id in studies} == {
        form(ids[name]) for name in ("twice, then", "other recipe")
    }
    assert {str(row["facts"]) for row in studies.values()} == {"{'t_score': -1.0}"}
    assert new == old
    Schema.upgrade(before)
    assert Schema.state(before) == "current"


async def test_what_the_version_before_cannot_tell_apart_is_not_taken_back(
    before: Connection,
) -> None:
    fill(before)
    Schema.upgrade(before)
    before.execute(sa.text("UPDATE patient SET issuer = 'elsewhere' WHERE identifier = 'mary'"))
    with pytest.raises(DowngradeError, match="issuers"):
        Schema.downgrade(before, "0004")


async def test_facts_that_are_no_json_are_moved_as_they_are(tmp_path: Path) -> None:
    """PostgreSQL keeps no such thing."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.begin() as connection:
        Schema.upgrade(connection, "0004")
        entered(connection, judged(connection, 0, "a", b"a", None), None, {})
        connection.execute(sa.text("UPDATE study SET facts = '{cut'"))
        Schema.upgrade(connection)
        assert connection.scalar(sa.text("SELECT facts FROM exam")) == "{cut"
        Schema.downgrade(connection, "0004")
        assert connection.scalar(sa.text("SELECT facts FROM study")) == "{cut"
    engine.dispose()
