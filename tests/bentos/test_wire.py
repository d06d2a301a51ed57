"""What is refused before it can enter a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bentoml.exceptions import BadInput
from httpx import Request as ClientRequest
from starlette.datastructures import Headers
from starlette.requests import Request

from bentos.admission import CALL
from bentos.backlog import Call
from bentos.wire import (
    BasePredictionsInput,
    FramesInput,
    ImagesInput,
    count_images,
    count_sets,
)
from models.image import recipe
from protocol.headers import MAX_ITEMS

pytestmark = pytest.mark.anyio

IMAGES = np.arange(2 * 224 * 224, dtype=np.uint32).reshape(2, 224, 224).astype(np.uint8)
MADE = {"X-Recipe": recipe.NAME}


def received(query: str = "", count: int | None = None, **body: Any) -> Request:
    """Return a server's view of what httpx would send, as admission has let it in."""
    sent = ClientRequest("POST", "http://runner/predict", **body)
    content = sent.read()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "query_string": query.encode(),
        "headers": [(k.lower(), v) for k, v in sent.headers.raw],
    }
    counted = count_images(Headers(scope=scope)) if count is None else count
    scope[CALL] = Call(counted, (), 0.0, counted)
    return Request(scope, receive)


def images(**changed: Any) -> dict[str, Any]:
    return {"content": recipe.pack(list(IMAGES)), "headers": MADE, **changed}


async def test_pixels_become_items() -> None:
    parsed = await ImagesInput.from_http_request(received(**images()), None)

    assert [item.index for item in parsed.items] == [0, 1]
    assert np.array_equal([item.content.image for item in parsed.items], IMAGES)
    assert not parsed.items[0].content.with_map


async def test_a_map_is_made_only_when_asked_for() -> None:
    parsed = await ImagesInput.from_http_request(received("map=true", **images()), None)

    assert parsed.items[0].content.with_map


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(images(headers={}), "another recipe or by none", id="no recipe"),
        pytest.param(images(headers={"X-Recipe": "dxa-224/0"}), "another recipe", id="another"),
        pytest.param(images(content=b"x" * 100), "100 bytes came", id="no whole image"),
        pytest.param(
            images(content=bytes(recipe.BYTES * (MAX_ITEMS + 1))), "1 to 64 images", id="too many"
        ),
        pytest.param(images(content=b""), "0 bytes came", id="nothing"),
        pytest.param({"json": {"images": []}, "headers": MADE}, "bytes came", id="JSON"),
    ],
)
async def test_anything_else_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        await ImagesInput.from_http_request(received(**body), None)


async def test_frames_are_of_their_own_recipe() -> None:
    body = images(headers={"X-Recipe": recipe.FRAME})
    parsed = await FramesInput.from_http_request(received(**body), None)
    assert np.array_equal([item.content for item in parsed.items], IMAGES)
    with pytest.raises(BadInput, match="another recipe"):
        await FramesInput.from_http_request(received(**images()), None)
    with pytest.raises(BadInput, match="another recipe"):
        await ImagesInput.from_http_request(received(**body), None)


async def test_what_is_not_what_the_headers_announced_is_refused() -> None:
    with pytest.raises(BadInput, match="2 came where the headers let expect 3"):
        await ImagesInput.from_http_request(received(count=3, **images()), None)


@pytest.mark.parametrize(
    ("headers", "count"),
    [
        ({"content-length": str(2 * recipe.BYTES)}, 2),
        ({"content-length": str(65 * recipe.BYTES)}, 0),
        ({"content-length": "-1"}, 0),
        ({}, 0),
    ],
)
def test_images_are_counted_by_the_length_of_the_body(headers: dict[str, str], count: int) -> None:
    assert count_images(Headers(headers)) == count


@pytest.mark.parametrize(
    ("value", "count"), [(None, 1), ("3", 3), ("0", 0), ("65", 0), ("many", 0)]
)
def test_sets_are_counted_by_a_header(value: str | None, count: int) -> None:
    assert count_sets(Headers({} if value is None else {"x-count": value})) == count


def cast(probability: Any) -> dict[str, Any]:
    return {"probability": probability, "version": "sha256:1"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param({"votes": []}, "at least 1 item", id="no votes"),
        pytest.param({"votes": [{"cnn": cast(1.5)}]}, "less than", id="above 1"),
        pytest.param({"votes": [{"cnn": cast(None)}]}, "number", id="null"),
        pytest.param({"votes": [{"cnn": {"probability": 0.5}}]}, "version", id="no version"),
        pytest.param([1, 2], "object", id="not an object"),
    ],
)
async def test_votes_that_are_not_votes_are_refused(body: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        await BasePredictionsInput.from_http_request(received(count=1, json=body), None)
