"""Integrators: what a key of theirs may not do, and what it sees of others'."""

from __future__ import annotations

import pytest

from tests.service.kit.accounts import bearer, browser, key
from tests.service.kit.fronts import API, Front

pytestmark = pytest.mark.anyio


async def test_attack_23_what_an_integrator_may_not(guarded: Front, png: bytes) -> None:
    first, second = [bearer(await key(guarded, "integrator")) for _ in range(2)]
    async with browser(guarded) as client:
        id = (await client.post(API, content=png, headers=first)).json()["id"]
        facts = {"json": {"t_score": -1.0}}
        for status, method, path, body in (
            (403, "POST", f"{API}/{id}/reviews", {"json": {"action": "sign"}}),
            (403, "PUT", f"{API}/{id}/study", facts),
            (403, "DELETE", f"{API}/{id}", {}),
            (403, "GET", "/people", {}),
            (403, "GET", "/keys", {}),
            (403, "GET", "/sites", {}),
            (403, "GET", "/audit", {}),
            (403, "GET", f"/results/{id}", {}),
        ):
            for who in (first, second):
                answer = await client.request(method, path, headers=who, **body)
                assert answer.status_code == status, (method, path)
        for path in ("", "/image", "/report.pdf", "/maps/cnn", "/reviews", "/study"):
            assert (await client.get(f"{API}/{id}{path}", headers=second)).status_code == 404, path
        assert (await client.get(f"{API}/{id}", headers=first)).status_code == 200
        assert (await client.get(API, headers=second)).json()["items"] == []
