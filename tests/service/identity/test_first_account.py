"""The first administrator: one link, used once, by one (case A14 and attack 28)."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from service.clock import now
from service.commands import LINK_FILE, first_link
from service.settings import Settings as Settings_
from service.settings import SettingsError, check
from service.storage.database import Database
from service.storage.tables.identity import ClaimRow
from tests.service.kit.accounts import PASSWORD, browser
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio


def form(token: str, **changes: str) -> dict[str, str]:
    return {
        "token": token,
        "login": "First",
        "name": "First One",
        "password": PASSWORD,
        "again": PASSWORD,
        "reads": "on",
        **changes,
    }


async def token_of(opened: Front) -> str:
    link = await first_link(opened.settings)
    assert link is not None
    return link.partition("#")[2]


async def test_a14_attack_28_of_twenty_at_once_one_wins_and_then_there_is_no_such_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running() as runners, front(tmp_path, runners, auth="local") as opened:
        token = await token_of(opened)
        file = tmp_path / LINK_FILE
        assert file.read_text().strip().endswith(f"/setup#{token}")
        assert file.stat().st_mode & 0o777 == 0o600
        assert (await opened.client.get("/setup")).status_code == 200
        assert (await opened.client.post("/setup", data=form("x" * 43))).status_code == 403
        assert (await opened.client.post("/setup", data=form(""))).status_code == 403
        weak = {**form(token), "password": "osteoserve12", "again": "osteoserve12"}
        assert (await opened.client.post("/setup", data=weak)).status_code == 422
        tries = [form(token, login=f"first{n}") for n in range(20)]
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(opened.client.post("/setup", data=one)) for one in tries]
        codes = sorted(one.result().status_code for one in asked)
        assert codes[0] == 303
        assert set(codes[1:]) <= {403, 404, 429}
        async with browser(opened) as client:
            assert (await client.get("/setup")).status_code == 404
            assert (await client.post("/setup", data=form(token))).status_code == 404
        assert await first_link(opened.settings) is None
        assert not file.exists()
    assert token not in caplog.text + str([vars(record) for record in caplog.records])


async def test_from_nothing_to_a_clinician_who_analyses_and_signs(
    tmp_path: Path, png: bytes
) -> None:
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local") as opened,
        browser(opened, follow_redirects=True) as client,
    ):
        begun = await client.post("/setup", data=form(await token_of(opened)))
        assert (begun.status_code, begun.url.path) == (200, "/")
        assert "First One" in begun.text
        result = await client.post("/", files={"file": ("a.png", png, "image/png")})
        place = result.headers["content-location"]
        signed = await client.post(f"{place}/reviews", data={"action": "sign"})
        assert signed.status_code == 200
        assert "by First One" in signed.text
        assert "Signed" in (await client.get("/history")).text
        assert (await client.get("/people")).status_code == 200


async def test_a_link_is_good_for_a_while_and_the_newest_alone(tmp_path: Path) -> None:
    async with running() as runners, front(tmp_path, runners, auth="local") as opened:
        old, token = await token_of(opened), await token_of(opened)
        assert (await opened.client.post("/setup", data=form(old))).status_code == 403
        database = Database(opened.settings)
        late = update(ClaimRow).values(ends_at=now() - timedelta(seconds=1))
        await database.write(lambda on: on.execute(late))
        await database.close()
        assert (await opened.client.post("/setup", data=form(token))).status_code == 403
        assert (await opened.client.get("/setup")).status_code == 200


async def test_a_token_that_the_operator_has_set(tmp_path: Path) -> None:
    token = "t" * 40
    async with (
        running() as runners,
        front(tmp_path, runners, auth="local", first_administrator=token) as opened,
    ):
        assert (await opened.client.post("/setup", data=form("u" * 40))).status_code == 403
        alone = form(token)
        del alone["reads"]
        done = await opened.client.post("/setup", data=alone)
        assert (done.status_code, done.headers["location"]) == (303, "/people")
        assert (await opened.client.get("/history")).status_code == 403
        again = await opened.client.post("/setup", data=form(token, login="second"))
        assert again.status_code == 404


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"auth": "none", "host": "0.0.0.0"}, "loopback"),  # noqa: S104 - refused
        ({"auth": "none", "host": "front"}, "loopback"),
        ({"auth": "none", "public_url": "https://dxa.example"}, "PUBLIC_URL"),
        ({"database_url": "postgresql://db/x"}, "AUDIT_KEY"),
    ],
)
def test_attack_44_settings_that_do_not_go_together_are_refused(
    settings: dict[str, str], said: str
) -> None:
    """Attack 44."""
    with pytest.raises(SettingsError, match=said):
        check(Settings_.model_validate(settings))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_nobody_signs_in_on_loopback_where_that_is_set(host: str) -> None:
    check(Settings_(auth="none", host=host))


async def test_where_nobody_signs_in_every_page_says_so(shared: Front) -> None:
    for path in ("/", "/history", "/audit", "/faq"):
        assert "Nobody signs in here." in (await shared.client.get(path)).text
    for path in ("/signin", "/people", "/keys", "/account", "/setup"):
        assert (await shared.client.get(path)).status_code == 404
