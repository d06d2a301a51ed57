"""Patient – exam – image – prediction, and the site that each of them is of.

Before, what was known of an exam hung on one prediction, and so did the image as the models saw it.
An image that was judged several times becomes one, and what was entered about it once is known of
all its predictions. Where contradicting facts were entered about one image, nobody can tell here
which are right: predictions of each keep an image of their own, and those without facts keep
none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa
from alembic import op

from service.storage.migrations import DowngradeError

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SITE: Final = "default"
SPACE: Final = UUID("c8f5a3c1-6f0e-4f5b-9d53-2d1b7a1e6a05")
ROWS: Final = 200
"""Rows that are in memory at once; each may come with an image of some tens of kilobytes."""


def _site() -> sa.Column[str]:
    return sa.Column("site", sa.String(64), nullable=False, server_default=SITE)


def upgrade() -> None:
    op.rename_table("patient", "patient_0004")
    _make_tables()
    for column in ("image_id", "canonical_image_id"):
        parent = column.removesuffix("_id")
        # Alembic would add the reference by a second statement, which SQLite does not have.
        kind = sa.Uuid().compile(dialect=op.get_bind().dialect)
        op.execute(f"ALTER TABLE prediction ADD COLUMN {column} {kind} REFERENCES {parent} (id)")
        op.create_index(f"ix_prediction_{column}", "prediction", [column])
    op.add_column("prediction", _site())
    op.add_column("batch", _site())
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "INSERT INTO patient (key, issuer, identifier, created_at) "
            "SELECT key, '', reference, created_at FROM patient_0004"
        )
    )
    _link(connection)
    _move_pictures(connection)
    op.drop_table("canonical")
    op.drop_table("study")
    op.drop_table("patient_0004")
    op.drop_index("ix_prediction_image_sha256", "prediction")
    op.drop_column("prediction", "image_sha256")
    op.drop_index("uq_prediction_idempotency_key", "prediction")
    op.create_index(
        "uq_prediction_idempotency_key", "prediction", ["idempotency_key", "site"], unique=True
    )
    op.drop_index("ix_prediction_newest", "prediction")
    op.create_index("ix_prediction_newest", "prediction", ["site", "created_at", "id"])


def downgrade() -> None:
    connection = op.get_bind()
    _of_one_site(connection)
    op.rename_table("patient", "patient_0005")
    op.create_table(
        "patient",
        sa.Column("key", sa.Uuid(), primary_key=True),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("reference", name="uq_patient_reference"),
    )
    connection.execute(
        sa.text(
            "INSERT INTO patient (key, reference, created_at) "
            "SELECT key, identifier, created_at FROM patient_0005"
        )
    )
    op.create_table(
        "study",
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("patient_key", sa.Uuid(), sa.ForeignKey("patient.key"), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_index("ix_study_patient_key", "study", ["patient_key"])
    op.create_table(
        "canonical",
        sa.Column(
            "prediction_id",
            sa.Uuid(),
            sa.ForeignKey("prediction.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("png", sa.LargeBinary(), nullable=False),
    )
    op.add_column(
        "prediction",
        sa.Column("image_sha256", sa.String(64), nullable=False, server_default=""),
    )
    connection.execute(
        sa.text(
            "UPDATE prediction SET image_sha256 = "
            "(SELECT sha256 FROM image WHERE image.id = prediction.image_id) "
            "WHERE image_id IS NOT NULL"
        )
    )
    op.create_index("ix_prediction_image_sha256", "prediction", ["image_sha256"])
    _write_studies(connection)
    connection.execute(
        sa.text(
            "INSERT INTO canonical (prediction_id, png) SELECT prediction.id, png FROM prediction "
            "JOIN canonical_image ON canonical_image.id = prediction.canonical_image_id"
        )
    )
    op.drop_index("ix_prediction_newest", "prediction")
    op.create_index("ix_prediction_newest", "prediction", ["created_at", "id"])
    op.drop_index("uq_prediction_idempotency_key", "prediction")
    op.create_index("uq_prediction_idempotency_key", "prediction", ["idempotency_key"], unique=True)
    _forget_references()
    for table in ("canonical_image", "image", "exam", "patient_0005"):
        op.drop_table(table)
    op.drop_column("prediction", "site")
    op.drop_column("batch", "site")


def _make_tables() -> None:
    op.create_table(
        "patient",
        sa.Column("key", sa.Uuid(), primary_key=True),
        _site(),
        sa.Column("issuer", sa.String(64), nullable=False),
        sa.Column("identifier", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("identifier", "issuer", "site", name="uq_patient_identifier"),
    )
    op.create_table(
        "exam",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _site(),
        sa.Column("patient_key", sa.Uuid(), sa.ForeignKey("patient.key"), nullable=True),
        sa.Column("study_instance_uid", sa.String(64), nullable=True),
        sa.Column("acquired_on", sa.Date(), nullable=True),
        sa.Column("device_vendor", sa.String(32), nullable=True),
        sa.Column("device_serial", sa.String(32), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.UniqueConstraint("study_instance_uid", "site", name="uq_exam_study_instance_uid"),
    )
    op.create_index("ix_exam_patient_key", "exam", ["patient_key"])
    op.create_table(
        "image",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _site(),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(64), nullable=True),
        sa.Column("exam_id", sa.Uuid(), sa.ForeignKey("exam.id"), nullable=True),
    )
    op.create_index("ix_image_sha256", "image", ["sha256"])
    op.create_index("ix_image_exam_id", "image", ["exam_id"])
    op.create_table(
        "canonical_image",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "image_id", sa.Uuid(), sa.ForeignKey("image.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("png", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_canonical_image_image_id", "canonical_image", ["image_id"])


_Facts = sa.JSON().with_variant(sa.Text(), "sqlite")
"""As text where it may be damaged: that is moved as it is."""

_prediction = sa.table(
    "prediction",
    sa.column("id", sa.Uuid()),
    sa.column("image_sha256", sa.String()),
    sa.column("image_id", sa.Uuid()),
    sa.column("canonical_image_id", sa.Uuid()),
)
_study = sa.table(
    "study",
    sa.column("prediction_id", sa.Uuid()),
    sa.column("patient_key", sa.Uuid()),
    sa.column("facts", _Facts),
)
_canonical = sa.table(
    "canonical", sa.column("prediction_id", sa.Uuid()), sa.column("png", sa.LargeBinary())
)
_exam = sa.table(
    "exam",
    sa.column("id", sa.Uuid()),
    sa.column("patient_key", sa.Uuid()),
    sa.column("acquired_on", sa.Date()),
    sa.column("device_vendor", sa.String()),
    sa.column("device_serial", sa.String()),
    sa.column("facts", _Facts),
)
_image = sa.table(
    "image",
    sa.column("id", sa.Uuid()),
    sa.column("sha256", sa.String()),
    sa.column("exam_id", sa.Uuid()),
)
_canonical_image = sa.table(
    "canonical_image",
    sa.column("id", sa.Uuid()),
    sa.column("image_id", sa.Uuid()),
    sa.column("png", sa.LargeBinary()),
)

Entered = tuple[UUID | None, str]
"""What was entered about an image: the patient, and the facts as one text for one content."""


def _link(connection: sa.Connection) -> None:
    """Make images and exams, and let predictions name their image."""
    for hashes in _hashes(connection):
        images: list[dict[str, Any]] = []
        exams: list[dict[str, Any]] = []
        links: list[dict[str, Any]] = []
        for sha256, entered in _entered(connection, hashes).items():
            said = dict.fromkeys(what for what in entered.values() if what is not None)
            # Without a contradiction there is one image, and what was said is said of it.
            copies: dict[Entered | None, int] = {None: 0}
            copies |= {what: 0 if len(said) == 1 else n for n, what in enumerate(said, 1)}
            said_of: dict[int, Entered | None] = {}
            for what in entered.values():
                said_of[copies[what]] = said_of.get(copies[what]) or what
            of = {copy: uuid4() if copy else _image_id(sha256) for copy in said_of}
            for copy, what in said_of.items():
                exam = None if what is None else _exam_of(what)
                if exam is not None:
                    exams.append(exam)
                images.append(
                    {
                        "id": of[copy],
                        "sha256": sha256,
                        "exam_id": None if exam is None else exam["id"],
                    }
                )
            links += [
                {"which": prediction, "image": of[copies[what]]}
                for prediction, what in entered.items()
            ]
        if exams:
            connection.execute(sa.insert(_exam), exams)
        connection.execute(sa.insert(_image), images)
        connection.execute(
            sa.update(_prediction)
            .where(_prediction.c.id == sa.bindparam("which", type_=sa.Uuid()))
            .values(image_id=sa.bindparam("image", type_=sa.Uuid())),
            links,
        )


def _image_id(sha256: str) -> UUID:
    """Return the id that the file with this hash has from now on."""
    return uuid5(SPACE, f"{SITE}/{sha256}")


def _hashes(connection: sa.Connection) -> Iterator[list[str]]:
    column, after = _prediction.c.image_sha256, ""
    while True:
        statement = sa.select(column).distinct().where(column > after).order_by(column).limit(ROWS)
        found = list(connection.scalars(statement))
        if not found:
            return
        yield found
        after = found[-1]


def _entered(connection: sa.Connection, hashes: list[str]) -> dict[str, dict[UUID, Entered | None]]:
    """Return, by image, each prediction with what was entered about it."""
    statement = (
        sa.select(
            _prediction.c.image_sha256,
            _prediction.c.id,
            _study.c.prediction_id,
            _study.c.patient_key,
            _study.c.facts,
        )
        .select_from(_prediction.outerjoin(_study, _study.c.prediction_id == _prediction.c.id))
        .where(_prediction.c.image_sha256.in_(hashes))
        .order_by(_prediction.c.image_sha256, _prediction.c.id)
    )
    found: dict[str, dict[UUID, Entered | None]] = {}
    for sha256, prediction, study, patient, facts in connection.execute(statement):
        what = None if study is None else (patient, _one_text(facts))
        found.setdefault(sha256, {})[prediction] = what
    return found


def _one_text(facts: Any) -> str:
    if isinstance(facts, str):
        try:
            facts = json.loads(facts)
        except ValueError:
            return str(facts)
    return json.dumps(facts, sort_keys=True)


def _exam_of(what: Entered) -> dict[str, Any]:
    """Return the row of an exam: day and device in columns, everything else as it was."""
    patient, text = what
    day = vendor = serial = None
    facts: Any = text
    try:
        facts = json.loads(text)
    except ValueError:
        pass
    else:
        if isinstance(facts, dict):
            day = _day(facts)
            vendor, serial = _device(facts)
        facts = facts if op.get_bind().dialect.name == "postgresql" else json.dumps(facts)
    return {
        "id": uuid4(),
        "patient_key": patient,
        "acquired_on": day,
        "device_vendor": vendor,
        "device_serial": serial,
        "facts": facts,
    }


def _day(facts: dict[str, Any]) -> date | None:
    try:
        day = date.fromisoformat(facts["acquired_on"])
    except (KeyError, TypeError, ValueError):
        return None
    del facts["acquired_on"]
    return day


def _device(facts: dict[str, Any]) -> tuple[str | None, str | None]:
    match facts.get("scanner"):
        # One of a newer version that says more stays whole.
        case {"vendor": str(vendor), "serial": str(serial), **rest} if not rest:
            del facts["scanner"]
            return vendor, serial
        case _:
            return None, None


def _move_pictures(connection: sa.Connection) -> None:
    """Keep each picture once an image; its room in the old table is used again at once."""
    statement = (
        sa.select(_canonical.c.prediction_id, _prediction.c.image_id, _canonical.c.png)
        .join(_prediction, _prediction.c.id == _canonical.c.prediction_id)
        .order_by(_canonical.c.prediction_id)
        .limit(ROWS)
    )
    while rows := connection.execute(statement).all():
        pictures = {
            prediction: uuid5(image, hashlib.sha256(png).hexdigest())
            for prediction, image, png in rows
        }
        ids = _canonical_image.c.id
        known = set(connection.scalars(sa.select(ids).where(ids.in_(set(pictures.values())))))
        new = {
            pictures[prediction]: {"id": pictures[prediction], "image_id": image, "png": png}
            for prediction, image, png in rows
            if pictures[prediction] not in known
        }
        if new:
            connection.execute(sa.insert(_canonical_image), list(new.values()))
        connection.execute(
            sa.update(_prediction)
            .where(_prediction.c.id == sa.bindparam("which", type_=sa.Uuid()))
            .values(canonical_image_id=sa.bindparam("picture", type_=sa.Uuid())),
            [{"which": prediction, "picture": id} for prediction, id in pictures.items()],
        )
        connection.execute(
            sa.delete(_canonical).where(_canonical.c.prediction_id.in_(list(pictures)))
        )


def _of_one_site(connection: sa.Connection) -> None:
    """Raise where the version before could not tell apart what is kept."""
    for table in ("prediction", "patient", "exam", "image", "batch"):
        others = f"SELECT count(*) FROM {table} WHERE site <> '{SITE}'"  # noqa: S608 - ours
        if connection.scalar(sa.text(others)):
            raise DowngradeError("The version before cannot tell the rows of several sites apart.")
    if connection.scalar(sa.text("SELECT count(*) FROM patient WHERE issuer <> ''")):
        raise DowngradeError(
            "The version before cannot tell the patients of several issuers apart."
        )


def _write_studies(connection: sa.Connection) -> None:
    """Write what is known of an image beside each of its predictions."""
    after: UUID | None = None
    while True:
        statement = (
            sa.select(_prediction.c.id.label("prediction_id"), *_exam.c)
            .join(_image, _image.c.id == _prediction.c.image_id)
            .join(_exam, _exam.c.id == _image.c.exam_id)
            .order_by(_prediction.c.id)
            .limit(ROWS)
        )
        if after is not None:
            statement = statement.where(_prediction.c.id > after)
        rows = connection.execute(statement).mappings().all()
        if not rows:
            return
        connection.execute(
            sa.insert(_study),
            [
                {
                    "prediction_id": row["prediction_id"],
                    "patient_key": row["patient_key"],
                    "facts": _facts_of(row),
                }
                for row in rows
            ],
        )
        after = rows[-1]["prediction_id"]


def _facts_of(row: sa.RowMapping) -> Any:
    facts = row["facts"]
    in_columns: dict[str, Any] = {}
    if row["acquired_on"] is not None:
        in_columns["acquired_on"] = row["acquired_on"].isoformat()
    if row["device_vendor"] is not None:
        in_columns["scanner"] = {"vendor": row["device_vendor"], "serial": row["device_serial"]}
    if not isinstance(facts, str):
        return {**facts, **in_columns} if isinstance(facts, dict) else facts
    try:
        read = json.loads(facts)
    except ValueError:
        return facts
    return json.dumps({**read, **in_columns} if isinstance(read, dict) else read)


def _forget_references() -> None:
    for column in ("image_id", "canonical_image_id"):
        op.drop_index(f"ix_prediction_{column}", "prediction")
        op.drop_column("prediction", column)
