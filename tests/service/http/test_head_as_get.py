"""What is asked in another form than routes know it."""

from __future__ import annotations

import pytest

from tests.service.kit.fronts import API, Front
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/history", "/about", API, "/health/live", "/api/docs"])
async def test_a_slash_at_the_end_asks_for_the_same(shared: Front, path: str) -> None:
    plain, slashed = [await shared.client.get(one) for one in (path, path + "/")]
    assert (plain.status_code, plain.is_redirect) == (slashed.status_code, slashed.is_redirect)
    assert plain.status_code == 200


async def test_a_scan_may_be_sent_to_an_address_with_a_slash(shared: Front, png: bytes) -> None:
    answer = await shared.client.post(f"{API}/", content=png)
    assert answer.status_code == 201
    assert (await shared.client.get("/nowhere/")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", API, "GET, HEAD, POST"),
        ("PUT", "/bulk", "GET, HEAD, POST"),
        ("PUT", f"{API}/00000000-0000-4000-8000-000000000000", "DELETE, GET, HEAD"),
        ("POST", "/health/live", "GET, HEAD"),
        ("POST", "/static/base.css", "GET, HEAD"),
        ("POST", "/static/swagger/swagger-ui.css", "GET, HEAD"),
        ("OPTIONS", "/bulk", "GET, HEAD, POST"),
        ("TRACE", API, "GET, HEAD, POST"),
        ("HEAD", "/bulk/00000000-0000-4000-8000-000000000000/cancel", "POST"),
    ],
)
async def test_allow_names_every_method(
    shared: Front, method: str, path: str, allowed: str
) -> None:
    answer = await shared.client.request(method, path, headers={"Accept": "application/json"})
    assert answer.headers["allow"] == allowed
    assert answer.status_code == 405
    if method != "HEAD":
        assert allowed in assert_problem(answer, "method_not_allowed")["detail"]
