"""Forms and archives that cost their receiver all that they can for a megabyte, by their kind.

``HOSTILE[name]()`` returns an upload whose body has at most :data:`LARGEST` bytes. Each is a
recipe, as in ``tests/models/reading/hostile.py``, where files are that these could hold: what is
repeated, nested, shared or claimed is said here.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.service.kit import images

LARGEST: Final = 1_000_000
ROOM: Final = LARGEST - 20_000
API: Final = "/api/v1/predictions"
BATCHES: Final = "/api/v1/batches"
ITEMS: Final = 500
"""Most images in one batch, as a front has it."""
RATIO: Final = 190
"""Just less than a file in an archive may unpack to."""

LOCAL, ENTRY, END, END_64, LOCATOR = (
    b"PK" + of for of in (b"\3\4", b"\1\2", b"\5\6", b"\6\6", b"\6\7")
)


@dataclass(frozen=True)
class Upload:
    """``piece``: bytes that are sent at a time, each a chunk of its own; 0: all at once."""

    path: str
    content_type: str
    body: bytes
    piece: int = 0

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.body), self.piece):
            yield self.body[start : start + self.piece]


# Archives


def member(
    name: bytes, data: bytes, size: int, checksum: int, method: int = 8, extra: bytes = b""
) -> tuple[bytes, bytes]:
    """Return the local part of a file, and its entry in the directory but for where that begins."""
    facts = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 33, checksum, len(data), size,
                        len(name), len(extra))  # fmt: skip
    entry = ENTRY + struct.pack("<H", 20) + facts + struct.pack("<HHHI", 0, 0, 0, 0)
    return LOCAL + facts + name + extra + data, entry


def archive(*members: tuple[bytes, bytes, bytes], comment: bytes = b"") -> bytes:
    """Return an archive of (local part, entry, name and extra field behind it)."""
    offset, directory = 0, []
    for local, entry, behind in members:
        directory.append(entry + struct.pack("<I", offset) + behind)
        offset += len(local)
    body, entries = b"".join(local for local, _, _ in members), b"".join(directory)
    return _with_directory(body, entries, len(members), comment)


def packed(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush()


def holding(
    *files: tuple[bytes, bytes], method: int = 8, extra: bytes = b"", comment: bytes = b""
) -> bytes:
    """Return an archive of files by name, each packed."""
    made = []
    for name, data in files:
        inside = packed(data) if method == 8 else data
        local, entry = member(name, inside, len(data), zlib.crc32(data), method, extra)
        made.append((local, entry, name + extra))
    return archive(*made, comment=comment)


def _dense(size: int, begins: bytes = b"") -> bytes:
    """Return ``size`` bytes that pack by about :data:`RATIO`: zeros, and some that do not pack."""
    words = size // RATIO // 4 - size // 4400
    noise = b"".join(
        struct.pack("<I", zlib.crc32(struct.pack("<I", word))) for word in range(words)
    )
    return (begins + noise).ljust(size, b"\0")


def _same(data: bytes, most: int) -> bytes:
    """Return an archive of as many files of the same ``data`` as a megabyte holds."""
    inside, checksum = packed(data), zlib.crc32(data)
    names = (b"%d" % number for number in range(min(ROOM // (len(inside) + 100), most)))
    return archive(*((*member(name, inside, len(data), checksum), name) for name in names))


def _overlapping() -> bytes:
    """Fifield's: the bytes of every file are the headers of all behind it, and one kernel."""
    kernel, size = packed(bytes(1_000_000)), 1_000_000
    made: list[tuple[bytes, bytes, bytes]] = []
    tail = kernel
    for number in range(300):
        name = b"%03d" % number
        local, entry = member(name, tail, size, 0)
        head = local[: len(local) - len(tail)]
        quote = b"\0" + struct.pack("<HH", len(head), 0xFFFF ^ len(head))
        # Its own header, and the block of deflate that quotes the header behind it.
        made.append((head + (tail[:5] if made else tail), entry, name))
        tail, size = quote + head + tail, size + len(head)
    return archive(*reversed(made))


def _quoted() -> bytes:
    """Hundreds of entries for one and the same file."""
    data = bytes(100_000)
    local, entry = member(b"a", packed(data), len(data), zlib.crc32(data))
    return _with_directory(local, (entry + struct.pack("<I", 0) + b"a") * ITEMS, ITEMS)


def _directory(told: int) -> bytes:
    local, entry = member(b"a", b"", 0, 0, 0)
    return _with_directory(local, (entry + struct.pack("<I", 0) + b"a") * 20_000, told)


def _with_directory(body: bytes, directory: bytes, told: int, comment: bytes = b"") -> bytes:
    sizes = len(directory), len(body), len(comment)
    return body + directory + struct.pack("<4s4H2IH", END, 0, 0, told, told, *sizes) + comment


def _names(name: bytes) -> bytes:
    """Long names, which stand twice: before each file and in the directory."""
    return holding(*((name + b"%d" % number, b"x") for number in range(ROOM // (2 * len(name)))))


def _extra() -> bytes:
    """Extra fields of 64 kB that are made of empty ones."""
    extra = struct.pack("<HH", 0xCAFE, 0) * 16_000
    return holding(*((b"%d" % number, b"x") for number in range(7)), extra=extra)


def _zip64(count: int, size: int) -> bytes:
    made = holding((b"a", b"x"))
    at = made.index(END)
    begins = struct.unpack_from("<I", made, at + 16)[0]
    record = struct.pack("<4sQ2H2L4Q", END_64, 44, 45, 45, 0, 0, count, count, size, begins)
    end = made[at : at + 8] + b"\xff" * 12 + made[at + 20 :]
    return made[:at] + record + struct.pack("<4sLQL", LOCATOR, 0, at, 1) + end


def _nested(depth: int) -> bytes:
    data = images.png()
    for _ in range(depth):
        data = holding((b"a.zip", data), method=0)
    return data


def _empty_blocks() -> bytes:
    """Deflate of blocks that hold nothing."""
    data = b"\0\0\0\xff\xff" * (ROOM // 5) + b"\1\0\0\xff\xff"
    return archive((*member(b"a", data, 0, 0), b"a"))


ARCHIVES: Final[Mapping[str, Callable[[], bytes]]] = {
    "bomb": lambda: _same(bytes(30_000_000), 16),
    "ratio-of-large-files": lambda: _same(_dense(31_000_000), 16),
    "ratio-of-large-images": lambda: _same(_dense(31_000_000, images.png()), 16),
    "ratio-of-small-files": lambda: _same(_dense(400_000), ITEMS),
    "tiny-files": lambda: holding(*((b"%d" % n, b"x") for n in range(ITEMS)), method=0),
    "too-many-tiny-files": lambda: holding(*((b"%d" % n, b"") for n in range(10_000)), method=0),
    "what-systems-leave": lambda: holding(
        *((b"__MACOSX/._%d" % n, b"") for n in range(4 * ITEMS - 1)), (b"a", b"x"), method=0
    ),
    "overlapping": _overlapping,
    "quoted": _quoted,
    "directory": lambda: _directory(20_000),
    "directory-that-lies": lambda: _directory(1),
    "comment-of-ends": lambda: holding((b"a", b"x"), comment=(END + bytes(18)) * 2900),
    "comment-of-signatures": lambda: holding((b"a", b"x"), comment=END * 16_000),
    "ends-of-directories": lambda: (END + bytes(18)) * (ROOM // 22),
    "locators": lambda: holding((b"a", b"x"))[:-22] + LOCATOR * 240_000 + END + bytes(18),
    "long-names": lambda: _names(b"x" * 65_000),
    "names-of-slashes": lambda: _names(b"/" * 65_000),
    "names-of-dots": lambda: _names(b"._/" * 21_000),
    "names-that-climb": lambda: _names(b"../" * 21_000),
    "extra-fields": _extra,
    "zip64-of-many": lambda: _zip64(2**62, 2**62),
    "zip64-of-one": lambda: _zip64(1, 2**40),
    "nested": lambda: _nested(200),
    "empty-blocks": _empty_blocks,
    "signatures": lambda: LOCAL * (ROOM // 4),
    "nothing-but-a-signature": lambda: LOCAL + bytes(ROOM),
}


# Forms

FORM: Final = "multipart/form-data; boundary="
DISPOSITION: Final = b'Content-Disposition: form-data; name="file"; filename="a"'


def form(*parts: tuple[bytes, bytes], boundary: bytes = b"b") -> bytes:
    """Return a form of (head, content)."""
    line = b"--" + boundary
    return (
        b"".join(line + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
        + line
        + b"--\r\n"
    )


def repeated(data: bytes) -> bytes:
    return data * (ROOM // len(data))


LONG: Final = b"b" * 70
LIKE: Final[Mapping[str, bytes]] = {
    "breaks": b"\r\n",
    "half-breaks": b"\r",
    "hyphens": b"\r\n--",
    "boundary-but-one": b"\r\n--" + LONG[:-1],
    "boundary-and-more": b"\r\n--" + LONG + b"b",
    "boundary-and-half-a-break": b"\r\n--" + LONG + b"\rb",
    "boundary-and-a-hyphen": b"\r\n--" + LONG + b"-b",
    "boundary-without-a-break": b"--" + LONG,
    "boundary-within": b"\r\n--b\r\n--" + LONG[:40],
}
"""What is repeated where a parser looks for its boundary."""


def heads(*extra: bytes) -> bytes:
    """Return a form of as many parts as fit, each with a head of nearly 4 kB, the most allowed."""
    head = b'Content-Disposition: form-data; name="file"' + b"".join(extra)
    return form(*[(head, b"x")] * (ROOM // (len(head) + 20)))


def encoded(name: bytes, data: bytes) -> bytes:
    return form((DISPOSITION + b"\r\nContent-Transfer-Encoding: " + name, data))


def among(like: bytes) -> bytes:
    return form((DISPOSITION, repeated(like)), boundary=LONG)


def before(like: bytes) -> bytes:
    return repeated(like) + b"\r\n" + form((DISPOSITION, b"x"), boundary=LONG)


FORMS: Final[Mapping[str, Callable[[], bytes]]] = {
    "parts": lambda: form(*[(DISPOSITION, b"x")] * (ROOM // 80)),
    "parts-of-a-batch": lambda: form(*[(DISPOSITION, b"x")] * ITEMS),
    "parts-that-systems-leave": lambda: form(
        *[(DISPOSITION[:-2] + b'._a"', b"x")] * 2 * ITEMS, (DISPOSITION, b"x")
    ),
    "empty-parts": lambda: repeated(b"--b\r\n\r\n\r\n") + b"--b--",
    "boundaries": lambda: repeated(b"--b\r\n"),
    "a-long-header": lambda: form((DISPOSITION + b"\r\nX: " + b"x" * 200_000, b"x")),
    "a-long-name-of-a-header": lambda: form((b"x" * 200_000 + b": x\r\n" + DISPOSITION, b"x")),
    "headers": lambda: form((b"X: x\r\n" * 100_000 + DISPOSITION, b"x")),
    "quotes": lambda: heads(b';"' * 1900),
    "semicolons": lambda: heads(b";" * 3900),
    "backslashes": lambda: heads(b'; filename="', b'\\"' * 1900, b'"'),
    "names-in-a-part": lambda: heads(b"; filename*=x" * 300),
    "names-of-slashes": lambda: heads(b'; filename="', b"/" * 3900, b'"'),
    "base64": lambda: encoded(b"base64", base64.b64encode(bytes(ROOM // 4 * 3))),
    "base64-of-breaks": lambda: encoded(b"base64", b"A\r\n" * (ROOM // 12 * 4)),
    "quoted-printable": lambda: encoded(b"quoted-printable", repeated(b"=\r\n")),
    **{f"content-of-{name}": partial(among, like) for name, like in LIKE.items()},
    **{f"preamble-of-{name}": partial(before, like) for name, like in LIKE.items()},
    "preamble-of-blanks": lambda: repeated(b"--b" + b" " * 250 + b"x\r\n"),
    "preamble-of-one-line": lambda: b"--b" + b" " * ROOM + b"\r\n",
    "epilogue": lambda: form((DISPOSITION, b"x")) + repeated(b"--b\r\n"),
}


def _sent(make: Callable[[], bytes], path: str, piece: int = 0) -> Upload:
    body = make()
    boundary = LONG if LONG in body else b"b"
    if piece:
        # A chunk's length and two breaks are sent as well.
        body = body[: LARGEST * piece // (piece + 5)]
    return Upload(path, FORM + boundary.decode(), body, piece)


PIECES: Final = (
    "content-of-boundary-but-one",
    "content-of-breaks",
    "preamble-of-boundary-but-one",
    "preamble-of-one-line",
    "base64-of-breaks",
    "quoted-printable",
)

HOSTILE: Final[Mapping[str, Callable[[], Upload]]] = {
    **{
        f"archive-{name}": partial(lambda make: Upload(BATCHES, "application/zip", make()), make)
        for name, make in ARCHIVES.items()
    },
    **{f"form-{name}": partial(_sent, make, API) for name, make in FORMS.items()},
    **{
        f"batch-{name}": partial(_sent, make, BATCHES)
        for name, make in FORMS.items()
        if not name.startswith(("content-of-", "preamble-of-"))  # parsed by the same parser
    },
    **{f"pieces-{name}": partial(_sent, FORMS[name], API, 7) for name in PIECES},
    "form-a-long-boundary": lambda: Upload(
        API, FORM + "b" * 10_000, form((DISPOSITION, b"x"), boundary=b"b" * 10_000)
    ),
}
