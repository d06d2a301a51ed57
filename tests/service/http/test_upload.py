"""Bad input gets a clear answer, as page and as JSON, and harms nobody."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.models.reading.encodings import ENCODINGS
from tests.service.kit import images
from tests.service.kit.fronts import API, Front, front, rows
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem

pytestmark = pytest.mark.anyio

LIMIT = 300_000


@pytest.fixture(scope="module")
async def small(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front that takes little."""
    var = tmp_path_factory.mktemp("var")
    async with (
        running() as runners,
        front(var, runners, max_upload_bytes=LIMIT, max_samples=1_000_000, upload_seconds=1) as it,
    ):
        yield it


def saved(kind: str, mode: str = "L", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(images.picture()).convert(mode).save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def animated() -> bytes:
    frame = Image.fromarray(images.picture())
    buffer = io.BytesIO()
    frame.save(buffer, "PNG", save_all=True, append_images=[frame.rotate(9)])
    return buffer.getvalue()


def pages() -> bytes:
    frame = Image.fromarray(images.picture())
    buffer = io.BytesIO()
    frame.save(buffer, "TIFF", save_all=True, append_images=[frame])
    return buffer.getvalue()


def transparent() -> bytes:
    image = Image.fromarray(images.picture()).convert("LA")
    image.putalpha(100)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def claims(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes do not hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(5000)))
        + chunk(b"IEND", b"")
    )


def dicom(cut: int | None = None) -> bytes:
    name = next(name for name in ENCODINGS if "dicom" in name.lower() or "explicit" in name.lower())
    return ENCODINGS[name](images.picture())[:cut]


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty_file"),
    "text": (lambda: b"hello SECRET", "unsupported_format"),
    "html": (lambda: b"<html><script>alert(1)</script>", "unsupported_format"),
    "gif": (lambda: saved("GIF"), "unsupported_format"),
    "pdf": (lambda: b"%PDF-1.7 SECRET", "unsupported_format"),
    "png cut short": (lambda: images.png()[:2000], "corrupt_file"),
    "png signature alone": (lambda: images.png()[:8], "corrupt_file"),
    "jpeg cut short": (lambda: saved("JPEG")[:3000], "corrupt_file"),
    "dicom cut short": (lambda: dicom(cut=3000), "corrupt_file"),
    "decompression bomb": (lambda: claims(60_000, 60_000), "too_many_pixels"),
    "too many pixels": (lambda: images.png(np.eye(1200, dtype=np.uint8)), "too_many_pixels"),
    "zero-sized": (lambda: claims(0, 100), "too_few_pixels"),
    "1×1": (lambda: images.png(np.full((1, 1), 7, np.uint8)), "too_few_pixels"),
    "constant": (lambda: images.png(np.full((300, 300), 7, np.uint8)), "constant_image"),
    "animated": (animated, "multiple_frames"),
    "several pages": (pages, "multiple_frames"),
    "transparent": (transparent, "transparency"),
    "cmyk": (lambda: saved("JPEG", "CMYK"), "unsupported_colour"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_a_file_that_cannot_be_read(
    small: Front, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data, code = BAD[name][0](), BAD[name][1]
    stored, asked = await rows(small), small.calls
    raw = assert_problem(await small.post(data), code)
    form = assert_problem(await small.upload(data), code)
    assert raw["detail"] == form["detail"]
    page = assert_error_page(await small.analyse(data), code)
    assert raw["detail"] in " ".join(page.text_content().split())
    assert (await rows(small), small.calls) == (stored, asked)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a quick look, not worth a thread


async def test_without_a_file(small: Front) -> None:
    bare = b"--x\r\n\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    client = small.client
    forms = [
        await client.post(API, files={"image": ("a.png", images.png())}),
        await client.post(API, files={"file": (None, b"just text")}),
        await client.post(API, files={"file": ("", b"", "application/octet-stream")}),
        await client.post(API, content=b"--x--\r\n", headers=headers),
    ]
    for response in forms:
        assert_problem(response, "missing_file")
    assert_error_page(await client.post("/", files={"other": b"x"}), "missing_file")
    assert_problem(await client.post(API, content=bare, headers=headers), "malformed_upload")
    assert_problem(await client.post(API), "empty_file")


async def test_a_form_that_breaks_off_is_no_file(small: Front) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + images.png()
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for part in (body[:500], body, body + b"\r\n--x"):
        response = await small.client.post(API, content=part, headers=headers)
        assert_problem(response, "malformed_upload")


async def test_a_form_without_boundary(small: Front) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    response = await small.client.post(API, content=b"x", headers=headers)
    assert_problem(response, "malformed_upload")


async def test_several_files(small: Front, png: bytes) -> None:
    files = [("file", ("a.png", png)), ("file", ("b.png", png))]
    assert_problem(await small.client.post(API, files=files), "several_files")


async def test_too_many_parts(small: Front) -> None:
    files = [("file", (f"{n}.png", b"x")) for n in range(100)]
    assert_problem(await small.client.post(API, files=files), "malformed_upload")


@pytest.mark.parametrize("length_told", [True, False], ids=["length told", "chunked"])
@pytest.mark.parametrize("path", [API, "/"])
async def test_too_large(small: Front, path: str, length_told: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(LIMIT // 10_000 + 8):
            yield bytes(10_000)

    data = b"".join([chunk async for chunk in chunks()])
    raw = await small.client.post(path, content=data if length_told else chunks())
    form = await small.client.post(path, files={"file": ("SECRET", data)})
    for response in (raw, form):
        if path == API:
            assert str(LIMIT) in assert_problem(response, "payload_too_large")["detail"]
        else:
            assert_error_page(response, "payload_too_large")


async def test_the_limit_itself_is_allowed(small: Front) -> None:
    """As far as size goes; what is in it does not matter here."""
    assert_problem(await small.upload(bytes(LIMIT)), "unsupported_format")
    assert_problem(await small.upload(bytes(LIMIT + 1)), "payload_too_large")
    assert_problem(await small.post(bytes(LIMIT)), "unsupported_format")
    assert_problem(await small.post(bytes(LIMIT + 1)), "payload_too_large")


async def test_a_slow_upload_ends(small: Front) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(15):
            yield b"x"
            await asyncio.sleep(0.1)

    assert_problem(await small.client.post(API, content=trickle()), "upload_timeout")


async def test_a_client_that_goes_away_leaves_nothing(small: Front, png: bytes) -> None:
    stored, asked = await rows(small), small.calls
    url = small.client.base_url
    _, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST {API} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(png)}\r\n\r\n"
    writer.write(head.encode() + png[: len(png) // 2])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    labels = {"method": "POST", "route": API, "status": "499"}
    registry = small.app.state.metrics.registry
    name = "osteoserve_http_requests_total"
    await small.settled(lambda: registry.get_sample_value(name, labels) == 1)
    assert (await rows(small), small.calls) == (stored, asked)


async def test_a_large_form_stays_in_memory(
    shared: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_disk(*_: object, **__: object) -> None:
        raise AssertionError("an upload went to disk")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", on_disk)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", on_disk)
    monkeypatch.setattr(tempfile, "TemporaryFile", on_disk)
    noise = np.random.default_rng(1).integers(0, 255, (2000, 2000), np.uint8)
    assert (await shared.upload(images.png(noise))).status_code == 201
