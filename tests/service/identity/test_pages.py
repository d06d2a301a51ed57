"""Pages and forms against other sites: kept by nobody, framed by nobody, sent by nobody else."""

from __future__ import annotations

import pytest

from tests.service.kit.accounts import PASSWORD, browser, person
from tests.service.kit.fronts import API, Front

pytestmark = pytest.mark.anyio


async def test_attack_5_20_pages_are_kept_and_framed_by_nobody(guarded: Front, png: bytes) -> None:
    async with (
        person(guarded, "framed", "clinician", "administrator", "auditor") as somebody,
        browser(guarded) as client,
    ):
        id = (await somebody.client.post(API, content=png)).json()["id"]
        for path in (
            "/", "/bulk", "/history", "/treatment", "/faq", "/models", "/about", "/integrate",
            "/people", "/sites", "/keys", "/audit", "/account", f"/results/{id}",
            f"/results/{id}/study", f"/results/{id}/delete", f"/people/{somebody.id}", "/nowhere",
        ):  # fmt: skip
            page = await somebody.client.get(path)
            assert page.headers["cache-control"] == "no-store", path
            assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
            assert page.headers["cross-origin-opener-policy"] == "same-origin"
            if path not in ("/about", "/nowhere"):
                assert (await client.get(path)).status_code == 303, path
        for path in ("image", "maps/cnn", "report.pdf"):
            assert (await client.get(f"{API}/{id}/{path}")).status_code == 401
            kept = (await somebody.client.get(f"{API}/{id}/{path}")).headers["cache-control"]
            assert "no-store" in kept or "private" in kept, path
        assert (await client.get(f"/results/{id}/report.pdf")).status_code == 303


async def test_attack_18_no_form_and_no_script_of_another_site_writes(
    guarded: Front, png: bytes
) -> None:
    async with person(guarded, "clicked", "clinician", "administrator") as somebody:
        id = (await somebody.client.post(API, content=png)).json()["id"]
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "https://sub.127.0.0.1:8000"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            for path, sent in (
                (f"{API}/{id}/reviews", {"content": b'{"action": "sign"}'}),
                (f"/results/{id}/reviews", {"data": {"action": "sign"}}),
                (f"/results/{id}/delete", {"data": {"reason": "test"}}),
                ("/people", {"data": {"login": "eve", "name": "Eve"}}),
                ("/sites", {"data": {"site": "evil"}}),
                ("/account/password", {"data": {"old": PASSWORD}}),
            ):
                answer = await somebody.client.post(
                    path, headers={"Content-Type": "text/plain", **headers}, **sent
                )
                assert answer.status_code == 403, (path, headers)
        assert (await somebody.client.get(f"{API}/{id}/reviews")).json() == []
