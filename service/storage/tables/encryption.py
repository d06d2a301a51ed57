"""The table of the key that identifiers are found by where columns are encrypted."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.columns import Base


class ColumnKeyRow(Base):
    """The key of the blind index, sealed with a key that the database has not. One row or none."""

    __tablename__ = "column_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index_key: Mapped[str] = mapped_column(String(200))
    # Whether any column may be encrypted: no front starts without the key then.
    in_use: Mapped[bool]
