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
    # Without its folder, which may say more than its sender meant to.
    assert [archive.name(index) for index in range(len(archive))] == ["0", "1", "2"]
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


class Unseekable(io.BytesIO):
    """As a pipe: what writes into it cannot go back and fill in sizes."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError


def _streamed() -> bytes:
    pipe = Unseekable()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"one")
        archive.writestr("b", NOISE)
    return pipe.getvalue()


def _zip64_end(
    data: bytes, *, honest: bool = False, sentinels: bool = True, **claimed: int
) -> bytes:
    """Put the end of a directory where archives of more than 4 GiB have it, and a locator;
    ``claimed``: what the end says besides."""
    at = data.index(END)
    count, length, offset = struct.unpack_from("<H2I", data, at + 10)
    told = {"disk": 0, "here": count, "entries": count, "length": length, "disks": 1, **claimed}
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, told["disk"], 0,
        told["here"], told["entries"], told["length"], offset,
    )  # fmt: skip
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, told["disks"])
    end = data[at:]
    if sentinels:
        end = end[:8] + b"\xff" * 12 + end[20:]
    return data[:at] + (record if honest else b"") + locator + end


@pytest.mark.parametrize("sentinels", [True, False])
@pytest.mark.parametrize("comment", [b"", b"a comment"])
def test_a_small_archive_in_the_format_of_large_ones(sentinels: bool, comment: bytes) -> None:
    """Java, .NET and ``zip -fz`` write such whatever the size."""
    data = _zip64_end(packed(b"one", NOISE, zip64=True), honest=True, sentinels=sentinels)
    archive = opened(data[:-2] + struct.pack("<H", len(comment)) + comment)
    assert [archive.read(index) for index in range(len(archive))] == [b"one", NOISE]


def test_sizes_that_come_behind_their_files() -> None:
    archive = opened(_streamed())
    assert [archive.read(index) for index in range(len(archive))] == [b"one", NOISE]


def test_what_a_system_leaves_is_no_file() -> None:
    buffer = io.BytesIO()
    left = [
        "scans/.DS_Store", "__MACOSX/._scans", "__MACOSX/scans/._a.png", "scans/._a.png",
        ".DS_Store", "Thumbs.db", "scans\\THUMBS.DB", "desktop.ini", "Icon\r", "@eaDir/a.png/b.jpg",
    ]  # fmt: skip
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("scans")
        for name in left:
            # More of them than files are taken, and packed as no image is.
            archive.writestr(name, bytes(30_000))
        archive.writestr("scans/a.png", b"one")
        archive.writestr("scans/.hidden.dcm", b"two")
    found = opened(buffer.getvalue())
    assert [found.read(index) for index in range(len(found))] == [b"one", b"two"]


@pytest.mark.parametrize("before", [0, 0x800])
@pytest.mark.parametrize("listed", [0, 0x800])
def test_a_name_that_only_one_header_calls_utf_8(before: int, listed: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Müller/ä.png", b"one")
    data = patched(buffer.getvalue(), LOCAL, 6, struct.pack("<H", before))
    archive_of_both = opened(patched(data, ENTRY, 8, struct.pack("<H", listed)))
    assert archive_of_both.read(0) == b"one"


def test_a_name_with_backslashes_in_one_header_alone() -> None:
    data = patched(packed(b"one"), LOCAL, 30, b"SECRET^NAME\\")
    assert opened(data).read(0) == b"one"


def test_names_of_any_writing() -> None:
    names = ["Müller/ä.png", "骨/密度.png", "deep/er/and/deeper/a", "win\\dows\\b"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, str(number))
        archive.writestr("win\\dows\\", b"")
    data = buffer.getvalue()
    # The same as DOS wrote it: no word of UTF-8, and a byte of its code page.
    data = data.replace(b"deep/er", b"d\x81ep/er")
    found = opened(data)
    assert [found.read(index) for index in range(len(found))] == [b"0", b"1", b"2", b"3"]


def test_a_name_that_is_not_in_the_utf_8_it_claims_is_told_as_that() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("ä.png", b"1")
    data = buffer.getvalue().replace("ä".encode(), b"\xff\xfe")
    error = refused(data)
    assert error.code == "invalid_archive"
    assert "UTF-8" in error.detail


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
    "zip64 locator alone": (
        lambda: _zip64_end(packed(b"one", zip64=True), sentinels=False),
        "invalid_archive",
    ),
    "zip64 disks": (lambda: _zip64_end(packed(b"one"), honest=True, disks=2), "invalid_archive"),
    "zip64 split": (
        lambda: _zip64_end(packed(b"one"), honest=True, here=1, entries=2),
        "invalid_archive",
    ),
    "zip64 members": (
        lambda: _zip64_end(packed(b"one"), honest=True, here=10**6, entries=10**6),
        "batch_too_large",
    ),
    "zip64 directory": (
        lambda: _zip64_end(packed(b"one"), honest=True, length=2**40),
        "batch_too_large",
    ),
    "nothing but what systems leave": (
        lambda: patched(patched(packed(NOISE), b"SECRET", 0, b"._CRET"), b"SECRET", 0, b"._CRET"),
        "invalid_archive",
    ),
    "deflate64": (lambda: patched(packed(NOISE), ENTRY, 10, b"\x09\0"), "invalid_archive"),
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
