"""Zip files that somebody made to harm, and some that are merely unusual."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest

from service.batches.archive import Archive, ArchiveLimits
from service.errors import ServiceError

LIMITS = ArchiveLimits(members=5, member_bytes=50_000, total_bytes=120_000, ratio=100)

NOISE = bytes((i * i * 31 + (i >> 3)) % 251 for i in range(4000))


def packed(
    *contents: bytes,
    method: int = zipfile.ZIP_DEFLATED,
    change: Callable[[zipfile.ZipInfo], None] | None = None,
    zip64: bool = False,
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for number, content in enumerate(contents):
            info = zipfile.ZipInfo(f"SECRET^NAME/{number}")
            info.compress_type = method
            if change is not None:
                change(info)
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
    return buffer.getvalue()


def opened(data: bytes) -> Archive:
    return Archive(io.BytesIO(data), LIMITS)


def refused(data: bytes) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        opened(data)
    assert "SECRET" not in caught.value.detail
    return caught.value


def patched(data: bytes, signature: bytes, offset: int, value: bytes, which: int = 0) -> bytes:
    at = -1
    for _ in range(which + 1):
        at = data.index(signature, at + 1)
    return data[: at + offset] + value + data[at + offset + len(value) :]


ENTRY, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_come_out_in_order(method: int) -> None:
    archive = opened(packed(b"one", NOISE, b"", method=method))
    assert [archive.read(index) for index in range(len(archive))] == [b"one", NOISE, b""]
    archive.close()


def test_folders_are_not_files_and_names_do_not_matter() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir("a")
        archive.writestr("../../etc/passwd", b"one")
        archive.writestr("C:\\x\0y", b"two")
        archive.writestr("a/ünï", b"three")
    found = opened(buffer.getvalue())
    assert [found.read(index) for index in range(len(found))] == [b"one", b"two", b"three"]


def test_a_comment_does_no_harm() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x", b"one")
        archive.comment = b"a comment"
    assert opened(buffer.getvalue()).read(0) == b"one"


def test_a_zip_within_is_a_file_like_any_other() -> None:
    inner = packed(b"hidden")
    archive = opened(packed(inner, method=zipfile.ZIP_STORED))
    assert len(archive) == 1
    assert archive.read(0) == inner


def _zip64_end(data: bytes) -> bytes:
    """Put the locator where archives of more than 4 GiB have it."""
    at = data.index(END)
    return data[:at] + b"PK\x06\x07" + bytes(16) + data[at:]


def _entries(data: bytes) -> tuple[bytes, bytes, int]:
    """Return what is before the directory, the directory, and where it begins."""
    end = data.index(END)
    length, start = struct.unpack_from("<II", data, end + 12)
    return data[:start], data[start : start + length], start


def _with_directory(body: bytes, directory: bytes, count: int) -> bytes:
    end = struct.pack("<4s4H2IH", END, 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def _one_body_many_entries() -> bytes:
    body, entry, _ = _entries(packed(NOISE))
    return _with_directory(body, entry * 3, 3)


def _overlapping() -> bytes:
    """The second file's header lies within the first file's bytes."""
    inner, entry, _ = _entries(packed(NOISE))
    body, outer, _ = _entries(packed(b"x" + inner, method=zipfile.ZIP_STORED))
    offset = body.index(LOCAL, 10)
    moved = entry[:42] + struct.pack("<I", offset) + entry[46:]
    return _with_directory(body, outer + moved, 2)


def _huge_directory() -> bytes:
    body, entry, _ = _entries(packed(b"x"))
    # The count in the end record lies: the directory's length does not.
    return _with_directory(body, entry * 20_000, 1)


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "no zip": (lambda: b"x" * 500, "invalid_archive"),
    "empty": (lambda: b"", "invalid_archive"),
    "a signature only": (lambda: LOCAL, "invalid_archive"),
    "no files": (packed, "invalid_archive"),
    "cut short": (lambda: packed(NOISE)[:-30], "invalid_archive"),
    "cut at the front": (lambda: packed(NOISE, NOISE)[200:], "invalid_archive"),
    "directory damaged": (
        lambda: patched(packed(NOISE), ENTRY, 0, b"PK\x07\x07"),
        "invalid_archive",
    ),
    "directory elsewhere": (
        lambda: patched(packed(NOISE), END, 16, struct.pack("<I", 9)),
        "invalid_archive",
    ),
    "zip64 entry": (lambda: _zip64_end(packed(b"one", zip64=True)), "invalid_archive"),
    "zip64 count": (
        lambda: patched(packed(b"one"), END, 8, b"\xff\xff\xff\xff"),
        "invalid_archive",
    ),
    "split": (lambda: patched(packed(b"one"), END, 4, b"\x01\0"), "invalid_archive"),
    "bzip2": (lambda: packed(NOISE, method=zipfile.ZIP_BZIP2), "invalid_archive"),
    "lzma": (lambda: packed(NOISE, method=zipfile.ZIP_LZMA), "invalid_archive"),
    "encrypted": (lambda: patched(packed(NOISE), ENTRY, 8, b"\x01\0"), "encrypted_archive"),
    "strongly encrypted": (
        lambda: patched(packed(NOISE), ENTRY, 8, b"\x41\0"),
        "encrypted_archive",
    ),
    "overlapping": (_overlapping, "invalid_archive"),
    "quoting": (_one_body_many_entries, "invalid_archive"),
    "ratio": (lambda: packed(bytes(40_000)), "batch_too_large"),
    "total": (lambda: packed(*[NOISE * 10] * 4, method=zipfile.ZIP_STORED), "batch_too_large"),
    "members": (lambda: packed(*[b"x"] * 6), "batch_too_large"),
    "a directory of a hundred thousand": (_huge_directory, "batch_too_large"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_refused(name: str) -> None:
    make, code = BOMBS[name]
    assert refused(make()).code == code


def test_one_large_file_is_its_own_problem() -> None:
    archive = opened(packed(b"one", NOISE * 13, method=zipfile.ZIP_STORED))
    assert archive.read(0) == b"one"
    with pytest.raises(ServiceError) as caught:
        archive.read(1)
    assert caught.value.code == "payload_too_large"


@pytest.mark.parametrize("name", ["body", "checksum", "name", "longer"])
def test_one_damaged_file_is_its_own_problem(name: str) -> None:
    data = packed(NOISE, b"fine")
    if name == "body":
        data = data[:200] + b"\xff" * 50 + data[250:]
    elif name == "checksum":
        data = patched(data, ENTRY, 16, struct.pack("<I", zlib.crc32(b"other")))
    elif name == "name":
        data = patched(data, LOCAL, 30, b"OTHER")
    else:
        data = patched(data, ENTRY, 24, struct.pack("<I", len(NOISE) + 100))
    archive = opened(data)
    with pytest.raises(ServiceError) as caught:
        archive.read(0)
    assert caught.value.code == "corrupt_file"
    assert archive.read(1) == b"fine"


def test_a_size_that_lies_gives_no_more_than_it_says() -> None:
    """The directory says 100 bytes; what is packed would unpack to far more."""
    data = patched(packed(NOISE), ENTRY, 24, struct.pack("<I", 100))
    with pytest.raises(ServiceError) as caught:
        opened(data).read(0)
    assert caught.value.code == "corrupt_file"


def test_any_bytes_are_read_or_refused() -> None:
    """Every single byte of the structures changed in turn: never another exception."""
    data = packed(b"one", b"two", method=zipfile.ZIP_STORED)
    for at in range(len(data)):
        for value in (0x00, 0xFF, data[at] ^ 0x01):
            changed = data[:at] + bytes([value]) + data[at + 1 :]
            try:
                archive = opened(changed)
                for index in range(len(archive)):
                    try:
                        archive.read(index)
                    except ServiceError:
                        continue
            except ServiceError:
                continue
