"""``multipart/related`` as routers send it, as nobody should, and without end."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator

import pytest

from service.http.multipart import MultipartError
from service.http.related import Part, parts

pytestmark = pytest.mark.anyio

ENCODED = b"a\r\nContent-Transfer-Encoding: base64"
FILE = b"\0" * 128 + b"DICM" + b"x" * 1000


async def chunks(body: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def body(*found: bytes, boundary: bytes = b"b", head: bytes = b"application/dicom") -> bytes:
    each = b"".join(
        b"--" + boundary + b"\r\nContent-Type: " + head + b"\r\n\r\n" + one + b"\r\n"
        for one in found
    )
    return each + b"--" + boundary + b"--\r\n"


async def read(
    content_type: str, data: bytes, size: int = 7, most: int = 9, largest: int = 5000
) -> list[Part]:
    found = parts(content_type, chunks(data, size), most=most, largest=largest)
    return [one async for one in found]


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/related; type="application/dicom"; boundary=b',
        "multipart/related; type=application/dicom; boundary=b",
        'multipart/related; boundary="b"; type=application/dicom',
        "Multipart/Related; boundary=b",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_case_28_type_and_boundary_are_quoted_or_not(content_type: str, size: int) -> None:
    found = await read(content_type, body(FILE, FILE[:-1]), size)
    assert [bytes(one.data) for one in found] == [FILE, FILE[:-1]]
    assert {one.content_type for one in found} == {"application/dicom"}


async def test_a_preamble_an_epilogue_and_parameters_of_a_part_do_no_harm() -> None:
    for blank in (b" ", b"\r\n ", b"\r\n\t"):
        head = b'application/dicom;%stransfer-syntax="1.2.840.10008.1.2.1"' % blank
        head += b"\r\nContent-Location: x"
        whole = b"This is multipart.\r\n" + body(FILE, head=head) + b"and this its end"
        (one,) = await read("multipart/related; boundary=b", whole)
        assert bytes(one.data) == FILE
        assert one.content_type == "application/dicom"


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("multipart/related", body(FILE)),
        ("multipart/form-data; boundary=b", body(FILE)),
        (f"multipart/related; boundary={'b' * 71}", body(FILE)),
        ("multipart/related; boundary=b", body(FILE)[:-6]),
        ("multipart/related; boundary=b", body(FILE)[:200]),
        ("multipart/related; boundary=b", b""),
        ("multipart/related; boundary=c", body(FILE)),
        ("multipart/related; boundary=b", body(*[b"x"] * 10)),
        ("multipart/related; boundary=b", body(FILE, head=b"a" * 5000)),
        ("multipart/related; boundary=b", body(FILE, head=ENCODED)),
    ],
    ids=["no boundary", "a form", "long", "no end", "cut", "empty", "other", "many", "head",
         "base64"],
)  # fmt: skip
async def test_what_is_none_is_refused(content_type: str, data: bytes) -> None:
    with pytest.raises(MultipartError):
        await read(content_type, data)


async def test_parts_before_the_fault_have_been_handed_over() -> None:
    cut = chunks(body(FILE, FILE)[:-9])
    found = parts("multipart/related; boundary=b", cut, most=9, largest=5000)
    assert bytes((await anext(found)).data) == FILE
    with pytest.raises(MultipartError, match="cut short"):
        await anext(found)


async def test_what_is_too_large_is_let_go_as_it_comes() -> None:
    block = b"x" * 65_536

    async def endless() -> AsyncIterator[bytes]:
        yield b"--b\r\nContent-Type: application/dicom\r\n\r\n"
        for _ in range(1000):
            yield block
        yield b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + FILE + b"\r\n--b--"

    tracemalloc.start()
    try:
        found = [
            one
            async for one in parts(
                "multipart/related; boundary=b", endless(), most=9, largest=100_000
            )
        ]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [one.too_large for one in found] == [True, False]
    assert bytes(found[1].data) == FILE
    assert peak < 2**21
