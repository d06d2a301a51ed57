"""The chart as it comes: one front on SQLite, and no value given but where the images are."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.cluster.clients import key_of
from tests.cluster.kubectl import Namespace
from tests.cluster.release import COMPONENTS, Images, Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster


@pytest.fixture
def default(elsewhere: Namespace, images: Images) -> Iterator[Release]:
    one = Release("osteoserve", elsewhere, images, values=None)
    # Not every cluster that tests run on has volumes to give.
    one.upgrade({"database.sqlite.persistence.enabled": False})
    try:
        yield one
    finally:
        one.uninstall()


def test_one_command_and_no_values(default: Release, png: bytes, scenario: Scenario) -> None:
    with (
        default.namespace.forwarded(f"service/{default.object('front')}", 80) as url,
        httpx.Client(
            base_url=url,
            timeout=60,
            trust_env=False,
            headers={"Authorization": f"Bearer {key_of(default)}"},
        ) as client,
    ):
        response = client.post("/api/v1/predictions", content=png)
        assert response.status_code == 201, response.text
        assert client.get(response.headers["location"]).json() == response.json()
    assert "the release answers" in default.test()
    scenario.facts["pods"] = {one: len(default.pods(one)) for one in COMPONENTS}
