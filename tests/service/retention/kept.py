"""What is kept of people, for tests of letting it go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from service.clock import now
from service.exams.schemas import from_json
from service.identity.actor import Actor, Session
from service.images import repository as images
from service.medicine.morphometry.schemas import EXAMPLE as POINTS
from service.medicine.morphometry.schemas import read
from service.predictions.heat_maps.schemas import EXAMPLE as MAP_EXAMPLE
from service.predictions.heat_maps.schemas import HeatMap
from service.predictions.schemas import Prediction
from service.reviews.schemas import AnyDraft, Comment, Signature, Withdrawal
from service.storage.database import Database
from service.storage.tables.audit import AuditEventRow
from service.storage.tables.columns import Base, Cell
from service.storage.tables.images import SentImageRow
from service.storage.tables.ledger import ArrivalRow, CaseResultRow, CaseRow, DeliveryRow
from service.storage.tables.predictions import PredictionRow
from tests.service.kit.records import ANYONE, REFUSED, keep, keep_map, made, verbs

SIGNATURE = Signature(action="sign")
COMMENT = Comment(action="comment", reason="Compare with the hip.")
WITHDRAWAL = Withdrawal(action="withdraw", reason="Signed the wrong one.")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


async def result(
    database: Database, number: int, reference: str | None = None, *, signed: bool = False
) -> Prediction:
    """Keep a result with image and heat map, ``number`` hours into 2026."""
    one = made(number)
    await keep(database, one, png=one.id.bytes)
    await keep_map(database, one.id, HeatMap.model_validate(MAP_EXAMPLE))
    async with database.begin() as connection:
        await connection.execute(
            insert(SentImageRow).values(
                image_id=images.image_id("default", one.image.sha256), png=b"sent",
                left=0, top=0, width=1, height=1,
            )
        )  # fmt: skip
    if reference is not None:
        facts = {"patient_reference": reference, "t_score": -1.0, "acquired_on": "2025-11-03"}
        await verbs(database).exams.change(ANYONE, one.id, from_json(facts))
    if signed:
        await say(database, one, SIGNATURE)
    return one


async def lateral(database: Database, number: int, reference: str) -> Prediction:
    """Keep a result on a lateral image, with two versions of points that a reader has kept."""
    one = made(number, **REFUSED)
    await keep(database, one, png=one.id.bytes)
    await verbs(database).exams.change(
        ANYONE, one.id, from_json({"patient_reference": reference, "t_score": -1.0})
    )
    for points in (read(POINTS), read({"vertebrae": POINTS["vertebrae"][:1]})):
        assert await verbs(database).morphometry.keep(ANYONE, one.id, points, {})
    return one


async def say(database: Database, one: Prediction, *drafts: AnyDraft) -> None:
    """Have somebody who has signed in say ``drafts`` of a result."""
    session = Session(hash="", since=now())
    reader = Actor(id=uuid4(), name="A. Reader", roles=ANYONE.roles, session=session)
    for draft in drafts:
        await verbs(database).reviews.add(reader, one.id, draft, one.outcome)


async def listed(database: Database, one: Prediction) -> None:
    """Keep what the worklist has of a result, and the name that its file was sent under."""
    on = verbs(database).worklist
    await on.flag(ANYONE, one.id, True)
    await on.retire(ANYONE, one.id, "quality")
    named = update(PredictionRow).where(PredictionRow.id == one.id)
    async with database.begin() as connection:
        await connection.execute(named.values(file_name="SECRET^NAME.dcm"))


async def received(database: Database, patient: str, judged: UUID) -> None:
    """Keep an object of the gateway, its result, and two deliveries that are not made yet."""
    case = uuid4()
    lease = {"attempts": 0, "due_at": MOMENT, "fence": 0, "changed_at": MOMENT}
    async with database.begin() as connection:
        await connection.execute(insert(CaseRow).values(
            id=case, study_uid=f"1.{case.int}"[:64], revision=0, state="delivering", peer="dxa",
            created_at=MOMENT, objects=1, judged=[["0" * 64, str(judged)]], **lease,
        ))  # fmt: skip
        await connection.execute(insert(ArrivalRow).values(
            id=(arrival := uuid4()), case_id=case, sop_uid="1.3", sop_class_uid="1.4",
            series_uid="1.5", study_uid=f"1.{case.int}"[:64], sha256=judged.hex * 2, size=3,
            peer="dxa", received_at=MOMENT, state="held", patient=patient,
            data=Cell.of(b"abc", arrival),
        ))  # fmt: skip
        await connection.execute(insert(CaseResultRow).values(
            sop_uid=(sop_uid := f"2.25.{case.int}"[:64]), case_id=case, number=0,
            sop_class_uid="1.6", series_uid="2.25.2", data=Cell.of(b"abc", sop_uid),
        ))  # fmt: skip
        ways = {"id": uuid4(), "case_id": case, "objects": {}, "created_at": MOMENT, **lease}
        await connection.execute(
            insert(DeliveryRow).values(destination="pacs", state="waiting", **ways)
        )
        id = uuid4()
        told = {"message": Cell.of(b"PID|1||4711", id), "detail": "no such patient"}
        ways |= {"id": id, **told}
        await connection.execute(
            insert(DeliveryRow).values(destination="record", state="held", **ways)
        )


async def counts(database: Database, *tables: str) -> dict[str, int]:
    found = {}
    async with database.connect() as connection:
        for name in tables:
            statement = select(func.count()).select_from(Base.metadata.tables[name])
            found[name] = int(await connection.scalar(statement) or 0)
    return found


async def told(database: Database, kind: str) -> list[dict[str, Any]]:
    """Return the details of what the trail has of one kind."""
    async with database.connect() as connection:
        statement = select(AuditEventRow.detail).where(AuditEventRow.kind == kind)
        rows = await connection.scalars(statement.order_by(AuditEventRow.at))
        return [json.loads(one) for one in rows]
