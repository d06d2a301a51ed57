"""Times as the site's people read them, with the name of their zone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import html

from service.language.formats import moment, telling_time_in
from service.settings import SettingsError, load
from tests.service.kit.fronts import API, front
from tests.service.kit.runners import running

pytestmark = pytest.mark.anyio

WINTER, SUMMER = datetime(2026, 1, 5, 23, 30, tzinfo=UTC), datetime(2026, 7, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("UTC", "5 January 2026, 23:30 UTC", "5 July 2026, 12:00 UTC"),
        ("Europe/Berlin", "6 January 2026, 00:30 CET", "5 July 2026, 14:00 CEST"),
        ("Asia/Dubai", "6 January 2026, 03:30 UTC+04", "5 July 2026, 16:00 UTC+04"),
    ],
)
def test_a_moment_is_told_with_its_zone(zone: str, winter: str, summer: str) -> None:
    with telling_time_in(ZoneInfo(zone)):
        assert (moment(WINTER), moment(SUMMER)) == (winter, summer)
    assert moment(WINTER) == "5 January 2026, 23:30 UTC"


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc/passwd", "/etc/localtime", "Europe"])
def test_a_zone_that_there_is_not_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("OSTEOSERVE_TIME_ZONE", zone)
    with pytest.raises(SettingsError, match="OSTEOSERVE_TIME_ZONE"):
        load()


async def test_pages_tell_it_and_the_api_stays_in_utc(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners, time_zone="Asia/Kolkata") as opened:
        made = (await opened.post(png)).json()
        assert made["created_at"].endswith("Z")
        page = html.fromstring((await opened.client.get(f"/results/{made['id']}")).text)
        (time,) = page.xpath("//section[@aria-labelledby='facts']//time")
        assert time.text_content().endswith(" IST")
        assert time.get("datetime").endswith("+00:00")
        assert (await opened.client.get(f"{API}/{made['id']}/report.pdf")).status_code == 200
