"""Where a batch waits for its turn: in memory while small, then in a file that has no name.

The file is unlinked as soon as it is opened, so that nothing is left of it however this ends.
"""

from __future__ import annotations

import errno
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Final, Protocol

from service.errors import ServiceError
from service.http.declared import check
from service.http.multipart import HEAD, is_file
from service.http.upload import plain_name, too_large
from service.language.locale import N_
from service.storage.errors import NO_ROOM

IN_MEMORY: Final = 4 * 2**20


class Items(Protocol):
    """The images of a batch, read one at a time from any thread."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> bytes:
        """Return one file.

        Raises :class:`~service.errors.ServiceError` or :class:`~models.image.errors.ScanError`.
        """
        ...

    def name(self, index: int) -> str | None:
        """Return what the sender calls one file."""
        ...

    def close(self) -> None: ...


def spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)


@contextmanager
def finding_room() -> Iterator[None]:
    """Write to a spool. Raises :class:`~service.errors.ServiceError` where the disk has no room."""
    try:
        yield
    except OSError as error:
        # Without any room at all there is not even a folder that takes temporary files.
        if error.errno not in (*NO_ROOM, errno.EFBIG, errno.ENOENT, errno.EROFS):
            raise
        raise ServiceError(
            "upload_room", N_("The disk that uploads wait on has no room for this one.")
        ) from None


def let_go(spool: IO[bytes]) -> None:
    """Close ``spool``, also where what it still holds finds no room."""
    with suppress(OSError):
        spool.close()


@dataclass
class Part:
    """One file of a form, in a spool that it shares with those before and after it."""

    spool: IO[bytes]
    content_type: str
    name: str
    most: int
    start: int = -1
    size: int = 0
    head: bytes = b""

    @property
    def present(self) -> bool:
        return bool(self.name) or is_file(self.head)

    def write(self, data: bytes) -> None:
        if self.start < 0:
            self.start = self.spool.tell()
        self.head += data[: HEAD - len(self.head)]
        self.size += len(data)
        # What is too large for one image is not worth the room.
        if self.size <= self.most:
            with finding_room():
                self.spool.write(data)


class Parts:
    """The files of a form."""

    def __init__(self, spool: IO[bytes], parts: list[Part]) -> None:
        self._spool = spool
        self._parts = parts
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._parts)

    def read(self, index: int) -> bytes:
        part = self._parts[index]
        if part.size > part.most:
            raise too_large(part.most)
        with self._lock:
            self._spool.seek(max(part.start, 0))
            data = self._spool.read(part.size)
        return check(data, part.content_type)

    def name(self, index: int) -> str | None:
        return plain_name(self._parts[index].name)

    def close(self) -> None:
        with self._lock:
            let_go(self._spool)
