"""Content decides what a file is; a declared type refuses only where it contradicts."""

from __future__ import annotations

import asyncio
import io

import httpx
import pytest
from PIL import Image

from service.errors import ServiceError
from service.http.declared import ACCEPTED, check, declared, essence
from tests.models.reading.encodings import ENCODINGS
from tests.service.kit import images
from tests.service.kit.batches import BATCHES, ended, zipped
from tests.service.kit.fronts import API, Front
from tests.service.kit.shapes import assert_error_page, assert_problem

pytestmark = pytest.mark.anyio


def saved(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(images.picture()).convert("L").save(buffer, kind)
    return buffer.getvalue()


FILES = {
    "png": images.png(),
    "jpeg": saved("JPEG"),
    "tiff": saved("TIFF"),
    "dicom": ENCODINGS["dicom-monochrome2-8bit"](images.picture()),
}
NAMES = {
    "png": ["image/png", "image/x-png", "IMAGE/PNG", "image/png; charset=binary", "image/apng"],
    "jpeg": ["image/jpeg", "image/jpg", "image/pjpeg", "image/x-citrix-jpeg", "image/jfif"],
    "tiff": ["image/tiff", "image/tif", "image/x-tiff", "image/tiff-fx", "application/tiff"],
    "dicom": [
        "application/dicom",
        "application/x-dicom",
        "image/dicom",
        "image/x-dicom",
        "application/dicom; transfer-syntax=*",
        "dicom",
    ],
}
ANY = [
    None,
    "",
    "application/octet-stream",
    "application/octet-stream; charset=binary",
    "binary/octet-stream",
    "application/x-www-form-urlencoded",
    "application/x-download",
    "application/unknown",
    "image/*",
    "*/*",
    "nonsense",
]
"""What senders say of any file."""
OTHERS = [
    "text/plain", "text/html; charset=utf-8", "image/gif", "image/webp", "image/svg+xml",
    "application/json", "application/dicom+json", "application/pdf", "video/mp4",
    "multipart/related; type=application/dicom", "multipart/mixed; boundary=b",
]  # fmt: skip
ZIPS = ["application/zip", "application/x-zip-compressed", "application/x-zip", "multipart/x-zip"]
ZIP = zipped(FILES["png"])


async def sent(opened: Front, path: str, data: bytes, kind: str | None) -> list[httpx.Response]:
    """Return the answers to ``data`` as it is, and as the file of a form."""
    headers = {} if kind is None else {"Content-Type": kind}
    part = ("scan", data) if kind is None else ("scan", data, kind)
    client = opened.client
    return [
        await client.post(path, content=data, headers=headers),
        await client.post(path, files={"file": part}),
    ]


@pytest.mark.parametrize(
    ("content", "kind"),
    [(content, kind) for content, kinds in NAMES.items() for kind in (*kinds, *ANY)],
)
def test_a_name_of_the_content_or_of_nothing(content: str, kind: str | None) -> None:
    assert declared(essence(kind or "")) in (content, None)
    assert check(FILES[content], kind or "") is FILES[content]


@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("named", FILES)
def test_a_name_of_another_kind(content: str, named: str) -> None:
    for kind in NAMES[named]:
        if named == content:
            check(FILES[content], kind)
            continue
        with pytest.raises(ServiceError) as caught:
            check(FILES[content], kind)
        assert caught.value.code == "content_type_mismatch"
        assert f"sent as {named.upper()}, but its content is {content.upper()}" in str(caught.value)


def test_what_cannot_be_told_is_left_to_the_reader() -> None:
    assert check(b"hello", "image/png") == b"hello"
    assert check(b"", "application/dicom") == b""


@pytest.mark.parametrize("kind", OTHERS)
async def test_types_of_something_else(shared: Front, png: bytes, kind: str) -> None:
    for answer in await sent(shared, API, png, kind):
        detail = assert_problem(answer, "unsupported_media_type")["detail"]
        assert all(name in detail for name in ("multipart/form-data", *ACCEPTED))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("png", "image/x-png"),
        ("jpeg", "image/pjpeg"),
        ("dicom", "image/dicom"),
        ("dicom", "application/x-dicom"),
        ("dicom", "application/x-www-form-urlencoded"),
        ("tiff", "binary/octet-stream"),
        ("tiff", None),
    ],
)
async def test_a_file_is_taken_on_every_way(shared: Front, content: str, kind: str | None) -> None:
    for answer in await sent(shared, API, FILES[content], kind):
        assert answer.status_code == 201, answer.text
    for answer in await sent(shared, "/", FILES[content], kind):
        assert answer.status_code == 303, answer.text
    part = ("scan", FILES[content]) if kind is None else ("scan", FILES[content], kind)
    lines = (await shared.client.post(BATCHES, files={"file": part})).text.splitlines()
    assert '"problem":null' in lines[0]


async def test_a_contradiction_on_every_way(shared: Front, png: bytes) -> None:
    for answer in await sent(shared, API, png, "image/pjpeg"):
        assert_problem(answer, "content_type_mismatch")
    for answer in await sent(shared, "/", png, "application/dicom"):
        assert_error_page(answer, "content_type_mismatch")
    for kind in ZIPS[:1]:
        for answer in await sent(shared, API, png, kind):
            assert_problem(answer, "content_type_mismatch")


async def batch(opened: Front, path: str, data: bytes, kind: str | None) -> None:
    for answer in await sent(opened, path, data, kind):
        if path == BATCHES:
            assert answer.status_code == 201, answer.text
        else:
            assert answer.status_code == 303, answer.text
            await ended(opened, answer.headers["location"].replace("/bulk", BATCHES))


@pytest.mark.parametrize("kind", [*ZIPS, *(one for one in ANY if one != "image/*")])
async def test_an_archive_by_any_name(shared: Front, kind: str | None) -> None:
    await batch(shared, BATCHES, ZIP, kind)
    await batch(shared, "/bulk", ZIP, kind)


@pytest.mark.parametrize("kind", ["image/png", "application/dicom", "text/plain", None, "*/*"])
async def test_what_is_no_archive_is_no_batch(shared: Front, png: bytes, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    async with asyncio.timeout(20):
        answer = await shared.client.post(BATCHES, content=png, headers=headers)
        page = await shared.client.post("/bulk", content=png, headers=headers)
    assert_problem(answer, "unsupported_media_type")
    assert_error_page(page, "unsupported_media_type")


async def test_an_archive_among_images_is_told_for_what_it_is(shared: Front, png: bytes) -> None:
    files = [("file", ("a.zip", ZIP, "application/zip")), ("file", ("b.png", png, "image/png"))]
    lines = (await shared.client.post(BATCHES, files=files)).text.splitlines()
    (told,) = [line for line in lines if '"index":0' in line]
    assert "unsupported_format" in told
    assert "ZIP archive" in told
