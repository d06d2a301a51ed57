"""Alembic, run from code: no ini file, no command line, one transaction for all steps."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import Connection

_LOCK = threading.Lock()


class DowngradeError(Exception):
    """An older version could not keep what is kept now, or there is no such version."""


class Schema:
    """What the migrations in this folder say of a database."""

    @staticmethod
    def head() -> str:
        head = _scripts().get_current_head()
        if head is None:
            raise RuntimeError("no migrations in the package")
        return head

    @staticmethod
    def state(connection: Connection) -> Literal["current", "behind", "ahead"]:
        """Tell how the database stands to this code.

        A revision that is unknown here was made by a newer front, during a rolling update: ahead,
        and good enough, since migrations only add within a version.
        """
        current = MigrationContext.configure(connection).get_current_revision()
        if current == Schema.head():
            return "current"
        return "behind" if current is None or Schema.knows(current) else "ahead"

    @staticmethod
    def knows(revision: str) -> bool:
        return revision in {script.revision for script in _scripts().walk_revisions()}

    @staticmethod
    def upgrade(connection: Connection, revision: str = "head") -> None:
        if Schema.state(connection) != "behind":
            return
        # Alembic's context is global to the process.
        with _LOCK:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    @staticmethod
    def downgrade(connection: Connection, revision: str) -> None:
        """Undo what came after ``revision``, for the version that made it.

        Raises :class:`DowngradeError`.
        """
        with _LOCK:
            config = _config()
            config.attributes["connection"] = connection
            try:
                command.downgrade(config, revision)
            except CommandError as error:
                raise DowngradeError(f"{error}.") from None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
