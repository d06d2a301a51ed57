"""What is no batch, or one too many, and what is said of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service.kit.batches import BATCHES, ended, holding, parts, read, zipped
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running
from tests.service.kit.shapes import assert_error_page, assert_problem

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        pytest.param(b"x", "image/png", "unsupported_media_type", id="one image"),
        pytest.param(b"x", "application/zip", "invalid_archive", id="no zip"),
        pytest.param(b"", "application/zip", "invalid_archive", id="nothing"),
        pytest.param(zipped(), "application/zip", "invalid_archive", id="empty zip"),
        pytest.param(zipped(*[b"x"] * 5), "application/zip", "batch_too_large", id="many"),
        pytest.param(zipped(bytes(90_000)), "application/zip", "batch_too_large", id="ratio"),
        pytest.param(bytes(400_001), "application/zip", "payload_too_large", id="large"),
        pytest.param(b"x", "multipart/form-data", "malformed_upload", id="no form"),
        pytest.param(
            b"--b\r\n\r\n", "multipart/form-data; boundary=b", "malformed_upload", id="cut short"
        ),
    ],
)
async def test_what_is_no_batch(small: Front, content: bytes, content_type: str, code: str) -> None:
    for address, check in ((BATCHES, assert_problem), ("/bulk", assert_error_page)):
        headers = {"Content-Type": content_type}
        check(await small.client.post(address, content=content, headers=headers), code)


async def test_forms_that_are_no_batch(small: Front) -> None:
    client = small.client
    assert_problem(await client.post(BATCHES, files={"other": ("x", b"x")}), "missing_file")
    many = await client.post(BATCHES, files=parts(*[b"x"] * 5))
    assert_problem(many, "batch_too_large")
    assert_problem(await client.post(BATCHES, files=parts(bytes(500_000))), "payload_too_large")
    # One that is too large among others is its own problem.
    lines, _ = read((await client.post(BATCHES, files=parts(bytes(200_001), b"x"))).text)
    assert {line["index"]: line["problem"]["code"] for line in lines} == {
        0: "payload_too_large",
        1: "unsupported_format",
    }


async def test_what_a_system_leaves_is_no_image_of_a_form(small: Front) -> None:
    left = [("file", (name, b"x")) for name in ("._a.png", ".DS_Store", "scans/Thumbs.db")] * 2
    assert_problem(await small.client.post(BATCHES, files=left), "missing_file")
    answer = await small.client.post(BATCHES, files=[*left, ("file", ("a.png", b"x"))])
    _, batch = read(answer.text)
    assert batch["total"] == 1
    archive = zipped(b"x")
    answer = await small.client.post(BATCHES, files=[*left, ("file", ("a.zip", archive))])
    lines, batch = read(answer.text)
    assert (batch["total"], lines[0]["problem"]["code"]) == (1, "unsupported_format")


@pytest.fixture(scope="module")
async def small(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front that takes small batches."""
    limits = {"bulk_items": 4, "bulk_bytes": 400_000, "max_upload_bytes": 200_000}
    var = tmp_path_factory.mktemp("var")
    async with running() as runners, front(var, runners, **limits) as opened:
        yield opened


async def test_more_batches_than_places(var: Path, png: bytes) -> None:
    async with holding(var, bulk_batches=1) as (opened, held):
        first = await opened.client.post("/bulk", files=parts(png))
        refused = await opened.client.post(BATCHES, files=parts(png))
        assert_problem(refused, "bulk_busy")
        held.go.set()
        await ended(opened, first.headers["location"].replace("/bulk", BATCHES))
        assert (await opened.client.post(BATCHES, files=parts(b"x"))).status_code == 201


@pytest.mark.parametrize("id", ["b0e7a4f4-6f0d-4a3b-9d54-0c8f3b1f6a11", "SECRET"])
async def test_no_such_batch(shared: Front, id: str) -> None:
    client = shared.client
    assert (await client.get(f"{BATCHES}/{id}")).json()["code"] == "batch_not_found"
    assert (await client.get(f"{BATCHES}/{id}/results")).status_code == 404
    assert (await client.post(f"{BATCHES}/{id}/cancel")).status_code == 404
    assert (await client.get(f"/bulk/{id}")).status_code == 404
