"""The watched folder: what is put in, and where it and its answer go. Knows no models.

::

    in/        files that wait, directly in it; folders in it are left alone
    judged/    a folder a result, named by its id: result.json, report.pdf and the file
    refused/   a folder a file that cannot be read as a scan: reason.json and the file

A file is taken once it has stayed as it is for :data:`SETTLE_SECONDS`; one whose name begins with a
dot, or ends as programs call what they have not written whole, only when it is renamed. Links and
whatever else is no plain file are refused and never opened.

An answer is written into a folder whose name begins with a dot, the file is moved into it, and
then it gets its own name: after a crash :meth:`WatchedFolder.open` ends what was begun, and what is
still in ``in/`` was not answered. No file that was put in is ever deleted. What is written is
called by ids alone, since a file's own name may be a patient's.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, Literal

from models.files import is_leftover
from models.image.scan import Format

SETTLE_SECONDS: Final = 3.0
UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp", "~")
"""How names end of what is being written: by browsers, rsync, file managers and editors."""

Shelf = Literal["judged", "refused"]

SUFFIXES: Final[Mapping[Format, str]] = {
    "png": ".png", "jpeg": ".jpg", "tiff": ".tif", "dicom": ".dcm",
}  # fmt: skip
"""What the file is called after ``scan`` beside its answer."""


class FolderError(OSError):
    """The folder cannot be used; the message says why and what is allowed."""


class ChangedError(Exception):
    """The file is not as it was when it was found: it is being written, or gone."""


class TooLargeError(Exception):
    """The file has more bytes than are read."""


@dataclass(frozen=True)
class State:
    """What tells whether a file has changed."""

    inode: int
    size: int
    modified: int
    is_file: bool

    @classmethod
    def of(cls, found: os.stat_result) -> State:
        return cls(found.st_ino, found.st_size, found.st_mtime_ns, stat.S_ISREG(found.st_mode))


@dataclass(frozen=True)
class Entry:
    """Something in ``in/`` that has settled."""

    name: str
    state: State


class WatchedFolder:
    """The folder ``root``; all methods block."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.root = root
        self.incoming: Final = root / "in"
        self._clock = clock
        self._since: dict[Entry, float] = {}

    def open(self) -> None:
        """Make the folders where they are not there, and end what a crash has left.

        Raises :class:`FolderError`.
        """
        shelves = (self.incoming, self.root / "judged", self.root / "refused")
        try:
            for folder in shelves:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if len({folder.stat().st_dev for folder in shelves}) > 1:
                raise FolderError(
                    f"{self.root}: in, judged and refused lie on several file systems; files are "
                    "moved between them, so one for all three is allowed"
                )
            for folder in shelves[1:]:
                for draft in folder.glob(".*"):
                    _end(draft)
        except FolderError:
            raise
        except OSError as error:
            raise FolderError(
                f"{self.root}: {error.strerror}; a folder that may be written is allowed"
            ) from error

    def settled(self) -> list[Entry]:
        """Return what has stayed as it is for :data:`SETTLE_SECONDS` of calls, the oldest first."""
        now = self._clock()
        found = dict.fromkeys(self._entries(), now)
        self._since = {entry: self._since.get(entry, since) for entry, since in found.items()}
        ready = [one for one, since in self._since.items() if now - since >= SETTLE_SECONDS]
        return sorted(ready, key=lambda one: (one.state.modified, one.name))

    def read(self, entry: Entry, most: int) -> bytes:
        """Return the bytes of a file. Raises :class:`ChangedError`, also for what is no plain file,
        and :class:`TooLargeError` beyond ``most``."""
        if not entry.state.is_file:
            raise ChangedError
        if entry.state.size > most:
            raise TooLargeError
        # Neither through a link nor waiting for whoever writes into a pipe: it may have been put in
        # the file's place since.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(self.incoming / entry.name, flags), "rb") as file:
                if State.of(os.fstat(file.fileno())) != entry.state:
                    raise ChangedError
                data = file.read(entry.state.size + 1)
                if State.of(os.fstat(file.fileno())) != entry.state:
                    raise ChangedError
        except OSError as error:
            raise ChangedError from error
        if len(data) != entry.state.size:
            raise ChangedError
        return data

    def put_away(
        self, entry: Entry, shelf: Shelf, label: str, answer: Mapping[str, bytes], suffix: str = ""
    ) -> Path:
        """Move the file to ``shelf`` with its ``answer``, files by name, and return where it is.

        The folder is called ``label``; where one is there already, ``label-2`` and so on. Raises
        :class:`ChangedError`, and OSError.
        """
        path, draft = self.incoming / entry.name, self.root / shelf / f".{label}"
        _end(draft)
        draft.mkdir(mode=0o700)
        for name, content in answer.items():
            _write(draft / name, content)
        _sync(draft)
        if _state(path) != entry.state:
            # Another file has taken its place, whose answer this is not.
            shutil.rmtree(draft)
            raise ChangedError
        path.rename(draft / f"scan{suffix}")
        self._since.pop(entry, None)
        return _named(draft)

    def _entries(self) -> list[Entry]:
        found = []
        with os.scandir(self.incoming) as entries:
            for one in entries:
                name = one.name
                if name.startswith(".") or name.lower().endswith(UNFINISHED) or is_leftover(name):
                    continue
                try:
                    if not one.is_dir(follow_symlinks=False):
                        state = State.of(one.stat(follow_symlinks=False))
                        found.append(Entry(name, state))
                except FileNotFoundError:
                    continue
        return found


def _state(path: Path) -> State | None:
    try:
        return State.of(path.lstat())
    except FileNotFoundError:
        return None


def _end(draft: Path) -> None:
    """Give a ``draft`` that holds its file its name; of another nothing is needed."""
    if not draft.is_dir() or draft.is_symlink():
        return
    if any(one.stem == "scan" for one in draft.iterdir()):
        _named(draft)
    else:
        shutil.rmtree(draft)


def _named(draft: Path) -> Path:
    label = draft.name.removeprefix(".")
    names = (label if number == 1 else f"{label}-{number}" for number in count(1))
    place = next(path for path in map(draft.with_name, names) if not path.exists())
    draft.rename(place)
    _sync(place.parent)
    return place


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Have what was made and renamed in ``folder`` outlast a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
