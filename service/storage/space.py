"""Room on the disk that an SQLite file lies on: how much there is, and some kept back for deleting.

SQLite writes down what it deletes before it does so, and cannot where no room is left. So once the
disk runs low a file is laid aside that nothing needs; when a result is to be deleted and there is
no room to do so, it makes way. And the database may only grow by pages that find room both in
SQLite's log and, later, in the file: else the log could never be emptied again, and would itself
need more and more room.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

LOW: Final = 2**30
"""Free bytes below which a reserve is kept."""

RESERVE: Final = 16 * 2**20
"""Four times what SQLite lets its log grow to, all of which may be new pages of the file."""

LEAST: Final = 2**20
"""With less than this left the disk is full: a few results with their images take as much."""

PAGE: Final = 4096
"""Bytes of a page, which we leave at SQLite's default."""

MOST_PAGES: Final = 2**32 - 2


class Room:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._reserve = file.with_name(file.name + "-reserve")
        self._scarce = False

    def left(self) -> int:
        """Return the bytes that can still be used: free ones of the disk, and of the file."""
        free = shutil.disk_usage(self._file.parent).free
        return free if free >= LEAST else free + self._unused()

    def most_pages(self) -> int | None:
        """Return how many pages the file may have now; None: it need not be told."""
        if not self._scarce:
            return None
        free = shutil.disk_usage(self._file.parent).free
        if free >= LOW:
            return MOST_PAGES
        return (self._file.stat().st_size + max(free - LEAST // 2, 0) // 2) // PAGE

    def lay_aside(self) -> None:
        """Keep a reserve where room is scarce, of half of it at most; give it back where not."""
        with suppress(OSError):
            free = shutil.disk_usage(self._file.parent).free
            # Once told to, connections keep to a limit until they are told otherwise.
            self._scarce = self._scarce or free < LOW
            if free >= 2 * LOW:
                self._reserve.unlink(missing_ok=True)
            elif free < LOW and not self._reserve.exists():
                size = min(RESERVE, free // 2)
                if size >= LEAST:
                    self._fill(size)

    def make_way(self) -> None:
        """Give the reserve up, and let what is in SQLite's log make room there."""
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)
        self.settle()

    def settle(self) -> None:
        """Bring what is in the log into the file, so that the log's own room is used again."""
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._file, timeout=1)) as connection:
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def _unused(self) -> int:
        """Return the bytes in the file that what was deleted has left behind."""
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._file, timeout=1)) as connection:
            (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
            return int(pages) * int(size)
        return 0

    def _fill(self, size: int) -> None:
        try:
            with self._reserve.open("xb") as file:
                # Zeros would take no room on a file system that packs.
                for _ in range(size // LEAST):
                    file.write(os.urandom(LEAST))
        except OSError:
            self._reserve.unlink(missing_ok=True)
            raise
