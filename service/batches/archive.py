"""A zip file from somebody else: what it claims is checked before anything in it is unpacked.

Refused whole: what is no plain zip, parts of a split archive, encryption, members that share bytes,
methods other than stored and deflate, more members or more unpacked bytes than allowed, and a ratio
that no image has. A member alone that is too large or damaged is a problem of that one. Names are
looked at for the slash that makes a folder and for what a system leaves beside files
(:func:`models.files.is_leftover`), which is let go; what is left of one without its folders is kept
for the sender. An archive within the archive is a file like any other, and no image.
"""

from __future__ import annotations

import io
import itertools
import shutil
import struct
import threading
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final, NoReturn

from models.files import is_leftover
from service.batches.spool import let_go
from service.errors import ServiceError
from service.http.upload import plain_name, too_large

_END: Final = struct.Struct("<4s4H2IH")
_END_SIGNATURE: Final = b"PK\x05\x06"
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_END_64_SIGNATURE: Final = b"PK\x06\x06"
_LOCATOR: Final = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE: Final = b"PK\x06\x07"
_LONGEST_COMMENT: Final = 0xFFFF
_MEMBER_HEADER_BYTES: Final = 30
_ENTRY_BYTES: Final = 1024
"""Room for one member's entry in the directory: 46 bytes and names of more than common length."""
_PIECE: Final = 2**20
_ENCRYPTED: Final = 0x1
_STRONGLY_ENCRYPTED: Final = 0x40
_MASKED: Final = 0x2000
_IN_UTF_8: Final = 0x800


_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
)


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """What an archive may hold. ``total_bytes`` and ``member_bytes`` are unpacked sizes."""

    members: int
    member_bytes: int
    total_bytes: int
    ratio: int


class Archive:
    """The files in a zip archive, in the order of its directory.

    Raises :class:`~service.errors.ServiceError` when the archive is not one that is taken.
    """

    def __init__(self, file: IO[bytes], limits: ArchiveLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._file = file
        _check_end(file, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except UnicodeDecodeError:
            _invalid(
                "The name of a file in it is said to be in UTF-8, and is not. Pack it again with "
                "names in plain letters."
            )
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError):
            _invalid("Its directory cannot be read.")
        self._members = [member for member in self._zip.infolist() if _is_wanted(member)]
        if not self._members:
            _invalid("It holds no files.")
        _check(self._members, self._zip.start_dir, limits)

    def __len__(self) -> int:
        return len(self._members)

    def read(self, index: int) -> bytes:
        member = self._members[index]
        if member.file_size > self._limits.member_bytes:
            raise too_large(self._limits.member_bytes)
        try:
            with self._lock, io.BytesIO() as whole:
                _agree(self._file, member)
                # zipfile stops at the size that the directory gives, and compares the checksum
                # there. Piece by piece: all at once it would hold several copies.
                with self._zip.open(member) as content:
                    shutil.copyfileobj(content, whole, _PIECE)
                data = whole.getvalue()
        except _DAMAGED:
            data = b""
        if len(data) != member.file_size:
            raise ServiceError("corrupt_file", "This file in the archive is damaged.")
        return data

    def name(self, index: int) -> str | None:
        return plain_name(self._members[index].filename)

    def close(self) -> None:
        with self._lock:
            self._zip.close()
            let_go(self._file)


def _check_end(file: IO[bytes], limits: ArchiveLimits) -> None:
    """Judge the size of the directory before zipfile makes an object of each of its entries."""
    size = file.seek(0, 2)
    longest = _END.size + _LONGEST_COMMENT + _LOCATOR.size + _END_64.size
    file.seek(max(size - longest, 0))
    tail = file.read()
    # Found as zipfile finds it, so that both speak of the same directory.
    at = len(tail) - _END.size
    if at < 0 or tail[at : at + 4] != _END_SIGNATURE or tail[-2:] != b"\0\0":
        at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        _invalid("It has no directory: it is cut short, or no zip archive.")
    _, disk, directory_disk, here, entries, length, offset, _ = _END.unpack_from(tail, at)
    locator = at - _LOCATOR.size
    if tail[max(locator, 0) :].startswith(_LOCATOR_SIGNATURE):
        # Before the end of an archive of more than 4 GiB, and of any by some programs.
        at = locator - _END_64.size
        disks = _LOCATOR.unpack_from(tail, locator)[3]
        if at < 0 or not tail[at:].startswith(_END_64_SIGNATURE) or disks > 1:
            _invalid("The end of its directory, in ZIP64 format, is damaged.")
        disk, directory_disk, here, entries, length, _ = _END_64.unpack_from(tail, at)[4:]
    elif entries == 0xFFFF or 0xFFFFFFFF in (length, offset):
        _invalid("The end of its directory, in ZIP64 format, is missing.")
    if disk or directory_disk or here != entries:
        _invalid("It is one part of a split archive.")
    # Folders and what is let go have entries too; what they are is known only after reading them.
    if entries > 4 * limits.members or length > 4 * limits.members * _ENTRY_BYTES:
        raise _too_many(limits)


def _check(
    members: Sequence[zipfile.ZipInfo], start_of_directory: int, limits: ArchiveLimits
) -> None:
    if len(members) > limits.members:
        raise _too_many(limits)
    for member in members:
        if member.flag_bits & (_ENCRYPTED | _STRONGLY_ENCRYPTED | _MASKED):
            raise ServiceError("encrypted_archive", "A file in the archive is encrypted.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            _invalid("It uses a method of packing other than stored and deflate.")
        if member.file_size > limits.ratio * max(member.compress_size, 1):
            raise ServiceError(
                "batch_too_large",
                f"A file in the archive unpacks to more than {limits.ratio} times its size.",
            )
    if sum(member.file_size for member in members) > limits.total_bytes:
        raise ServiceError(
            "batch_too_large",
            f"The archive unpacks to more than {limits.total_bytes} bytes, the limit here.",
        )
    _check_apart(members, start_of_directory)


def _check_apart(members: Sequence[zipfile.ZipInfo], start_of_directory: int) -> None:
    """Members that share bytes let a small archive unpack to any size."""
    spans = sorted(
        (member.header_offset, member.header_offset + _MEMBER_HEADER_BYTES + member.compress_size)
        for member in members
    )
    ends = itertools.chain((start for start, _ in spans[1:]), (start_of_directory,))
    if spans[0][0] < 0:
        _invalid("Its beginning is missing.")
    if any(end > following for (_, end), following in zip(spans, ends, strict=True)):
        _invalid("Files in it overlap.")


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    # ZipInfo.is_dir fails on an empty name, and some programs write backslashes.
    folder = member.filename.endswith(("/", "\\")) and member.file_size == 0
    return not folder and not is_leftover(member.filename)


def _agree(file: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Have zipfile take a name that stands before the file as in the directory, in other words.

    It compares both as text. Some programs say of one alone that it is UTF-8, or write backslashes
    in one alone.
    """
    file.seek(member.header_offset)
    head = file.read(_MEMBER_HEADER_BYTES)
    if len(head) < _MEMBER_HEADER_BYTES:
        return
    flags, length = struct.unpack_from("<6xH18xH", head)
    name = file.read(length)
    known = member.orig_filename.encode(_encoding(member.flag_bits))
    if name.replace(b"\\", b"/") == known.replace(b"\\", b"/"):
        member.orig_filename = name.decode(_encoding(flags))


def _encoding(flags: int) -> str:
    return "utf-8" if flags & _IN_UTF_8 else "cp437"


def _too_many(limits: ArchiveLimits) -> ServiceError:
    return ServiceError(
        "batch_too_large", f"The archive holds more than {limits.members} files, the limit here."
    )


def _invalid(why: str) -> NoReturn:
    raise ServiceError("invalid_archive", why)
