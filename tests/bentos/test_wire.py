"""What is refused before it can enter a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bentoml.exceptions import BadInput
from httpx import Request as ClientRequest
from starlette.requests import Request

from bentos.wire import MAX_IMAGES, ImagesInput, VotesInput
from models import recipe

pytestmark = pytest.mark.anyio

CANONICAL = recipe.encode(np.arange(224 * 224, dtype=np.uint32).reshape(224, 224).astype(np.uint8))


def received(query: str = "", **body: Any) -> Request:
    """Return a server's view of what httpx would send."""
    sent = ClientRequest("POST", "http://runner/predict", **body)
    content = sent.read()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    scope = {
        "type": "http",
        "app": None,  # Starlette turns parser errors into HTTP ones only inside an app
        "method": "POST",
        "path": "/predict",
        "query_string": query.encode(),
        "headers": [(k.lower(), v) for k, v in sent.headers.raw],
    }
    return Request(scope, receive)


def files(*contents: bytes, field: str = "images") -> dict[str, Any]:
    return {"files": [(field, ("x.png", content, "image/png")) for content in contents]}


async def test_canonical_images_become_items() -> None:
    parsed = await ImagesInput.from_http_request(received(**files(CANONICAL, CANONICAL)), None)

    assert len(parsed.items) == 2
    assert np.array_equal(parsed.items[0].image, recipe.decode(CANONICAL))
    assert not parsed.items[0].with_map


async def test_a_map_is_made_only_when_asked_for() -> None:
    parsed = await ImagesInput.from_http_request(received("map=true", **files(CANONICAL)), None)

    assert parsed.items[0].with_map


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(files(b"no png"), "not a readable PNG", id="not an image"),
        pytest.param(files(CANONICAL, CANONICAL[:-50]), "not a readable PNG", id="one bad of two"),
        pytest.param(files(CANONICAL, field="image"), "only the field", id="another field"),
        pytest.param(files(*[CANONICAL] * (MAX_IMAGES + 1)), "Too many files", id="too many"),
        pytest.param(
            {"data": {"images": "http://127.0.0.1/secret"}}, "Too many fields", id="a URL to fetch"
        ),
        pytest.param({"json": {"images": []}}, "only the field", id="JSON"),
        pytest.param({"content": b""}, "only the field", id="nothing"),
    ],
)
async def test_anything_else_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        await ImagesInput.from_http_request(received(**body), None)


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
        await VotesInput.from_http_request(received(json=body), None)
