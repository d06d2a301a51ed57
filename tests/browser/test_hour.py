"""An hour, scripted: a technician sends, finds and exports, a radiologist reads by keyboard.

In little with the others; whole by ``pytest tests/browser/test_hour.py -m "browser and hour"``.
"""

from __future__ import annotations

import csv
import os
import re
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.access_log import template
from tests.browser.test_accounts import entered
from tests.browser.test_worklist import picture, pressed
from tests.browser.visits import Visit, opened
from tests.service.kit.accounts import Somebody, person
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

TOGETHER: Final = 10
"""Files that the technician chooses at a time."""
MOST_MS: Final = 300
SOON: Final = 30_000
"""Milliseconds that a page is waited for: how long the front took is looked at by itself."""
RESULT: Final = re.compile(r"/results/[0-9a-f-]{36}")


@dataclass(frozen=True)
class Hour:
    """How much is done; of what is read two are overridden, one is commented, one withdrawn."""

    images: int
    patients: int
    read: int

    def patient(self, image: int) -> str:
        return f"H-{image % self.patients:03}"

    def of(self, patient: str) -> int:
        """How many images there are of a patient."""
        return sum(self.patient(image) == patient for image in range(self.images))


@dataclass
class Clock:
    """How long the front took for each answer, by its route: in all, and of processors."""

    took: defaultdict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )


class Timed:
    """Takes the time of each answer into what is the clock then."""

    clock = Clock()

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, worked = time.perf_counter(), time.process_time()
        await self._app(scope, receive, send)
        if scope["type"] == "http":
            took = (time.perf_counter() - begun, time.process_time() - worked)
            route = f"{scope['method']} {template(scope)}"
            Timed.clock.took[route].append((took[0] * 1000, took[1] * 1000))


@contextmanager
def timed() -> Iterator[Clock]:
    Timed.clock = Clock()
    yield Timed.clock


@pytest.fixture(
    scope="module",
    params=[Hour(6, 4, 4), pytest.param(Hour(60, 40, 40), marks=pytest.mark.hour)],
    ids=lambda hour: f"{hour.images} images",
)
def hour(request: pytest.FixtureRequest) -> Hour:
    found: Hour = request.param
    return found


@pytest.fixture(scope="module")
async def house(hour: Hour, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        # So that neither has to prove once more who they are while the script is under way.
        front(
            tmp_path_factory.mktemp("var"),
            runners,
            lambda app: app.add_middleware(Timed),
            auth="local",
            signature_minutes=60,
            session_idle_minutes=120,
        ) as made,
    ):
        yield made


@pytest.fixture(scope="module")
async def tim(house: Front) -> AsyncIterator[Somebody]:
    async with person(house, "tim", "clinician") as somebody:
        yield somebody


@pytest.fixture(scope="module")
async def rita(house: Front) -> AsyncIterator[Somebody]:
    async with person(house, "rita", "clinician") as somebody:
        yield somebody


def quick(clock: Clock, hour: Hour) -> None:
    """Hold each answer's time where the machine is not busy, and always what processors take.

    What waits for a processor says nothing of the front. Its process is the tests' own as well, and
    answers at a time are charged with each other's work: of processors it is each route's middle.
    """
    alone = os.getloadavg()[0] <= 2 * (os.cpu_count() or 1)
    for place, name in enumerate(("whole", "of processors")):
        every = sorted(one[place] for took in clock.took.values() for one in took)
        print(
            f"{hour}: {len(every)} answers, {name}: median {statistics.median(every):.0f} ms, "
            f"95 % within {every[len(every) * 95 // 100]:.0f} ms, longest {every[-1]:.0f} ms"
        )
    routes = clock.took.items()
    longest = {route: max(whole for whole, _ in took) for route, took in routes}
    worked = {route: statistics.median(own for _, own in took) for route, took in routes}
    for times in (longest, worked) if alone else (worked,):
        assert {route: took for route, took in times.items() if took >= MOST_MS} == {}


async def test_a_technician_s_hour(
    chromium: Browser, house: Front, tim: Somebody, hour: Hour, tmp_path: Path
) -> None:
    url = str(house.client.base_url)
    async with opened(chromium, url, viewport={"width": 1280, "height": 800}) as visit:
        await entered(visit, tim)
        with timed() as clock:
            for first in range(0, hour.images, TOGETHER):
                await sent(visit, hour, range(first, min(first + TOGETHER, hour.images)))
            for patient in sorted({hour.patient(image) for image in range(hour.images)}):
                await found(visit, patient, hour.of(patient))
            table = await exported(visit, tmp_path)
        quick(clock, hour)
    wanted = Counter(hour.patient(image) for image in range(hour.images))
    assert Counter(row["patient"] for row in table) == wanted
    assert {row["file"] for row in table} == {f"scan-{n}.png" for n in range(hour.images)}


async def sent(visit: Visit, hour: Hour, numbers: range) -> None:
    """Send some images from the first page, each with its patient."""
    page = visit.page
    await visit.go("/")
    await page.set_input_files("#file", [picture(f"scan-{number}.png") for number in numbers])
    rows = page.locator(".queued")
    await expect(rows).to_have_count(len(numbers))
    for row, number in enumerate(numbers):
        if len(numbers) > 1:
            await rows.nth(row).get_by_label("Patient reference").fill(hour.patient(number))
        else:
            await page.get_by_label("Patient reference").first.fill(hour.patient(number))
    await page.get_by_role("button", name=re.compile("^Analyse image")).click()
    if len(numbers) > 1:
        await expect(page.get_by_text("All images are done.")).to_be_visible(timeout=60_000)
    else:
        await page.wait_for_url(RESULT)


async def found(visit: Visit, patient: str, images: int) -> None:
    """Look for a patient by part of the reference, in another case."""
    page = visit.page
    await visit.go("/history")
    await page.keyboard.press("/")
    await page.keyboard.type(patient.lower())
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"patient="))
    await expect(page.locator("tr[data-result]")).to_have_count(images, timeout=SOON)
    assert patient.lower() not in page.url.lower()


async def exported(visit: Visit, folder: Path) -> list[dict[str, str]]:
    page = visit.page
    await visit.go("/history")
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="CSV").click()
    await (await waiting.value).save_as(folder / "list.csv")
    with (folder / "list.csv").open(newline="") as file:
        return list(csv.DictReader(file))


async def test_a_radiologist_s_hour(
    chromium: Browser, house: Front, tim: Somebody, rita: Somebody, hour: Hour
) -> None:
    """Reads what the technician has sent: no mouse, and no address typed but the list's."""
    url = str(house.client.base_url)
    async with opened(chromium, url, viewport={"width": 1280, "height": 800}) as visit:
        await entered(visit, rita)
        page = visit.page
        await visit.go("/history?reviewed=false")
        seen: set[str] = set()
        with timed() as clock:
            await pressed(page, "j", "Enter")
            await page.wait_for_url(RESULT)
            for number in range(hour.read):
                seen.add(page.url.partition("#")[0])
                await (overridden if number < 2 else signed)(page)
                if number == 2:
                    await commented(page)
                if number == hour.read - 1:
                    await withdrawn(page)
                elif number < hour.images - 1:
                    await following(page)
        quick(clock, hour)
        assert len(seen) == hour.read
    overview = (await rita.client.get("/history/export.csv")).text
    reviews = Counter(row["review"] for row in csv.DictReader(overview.splitlines()))
    # The one that was withdrawn is unread again.
    assert reviews == {
        "sign": hour.read - 3,
        "override": 2,
        "unread": hour.images - hour.read + 1,
    }


async def signed(page: Page) -> None:
    await pressed(page, "s")
    await expect(page.get_by_role("button", name="Sign", exact=True)).to_be_focused(timeout=SOON)
    await pressed(page, "Enter")
    await expect(page.locator("#review .standing")).to_contain_text("Signed by Rita", timeout=SOON)
    await page.wait_for_load_state("load")


async def overridden(page: Page) -> None:
    await pressed(page, "o")
    await expect(page.get_by_label("Your outcome")).to_be_focused(timeout=SOON)
    await page.keyboard.type("Indeterminate")
    await pressed(page, "Tab")
    await page.keyboard.type("Marked degeneration; the hip decides.")
    await pressed(page, "Tab", "Enter")
    await expect(page.locator("#review .standing")).to_contain_text(
        "Overridden by Rita", timeout=SOON
    )
    await page.wait_for_load_state("load")


async def commented(page: Page) -> None:
    await pressed(page, "c")
    await page.keyboard.type("Compare with the next hip scan.")
    await pressed(page, "Tab", "Enter")
    await expect(page.locator("#review")).to_contain_text("Comment by Rita", timeout=SOON)
    await page.wait_for_load_state("load")


async def withdrawn(page: Page) -> None:
    summary = page.locator("summary", has_text="Withdraw what was signed")
    await summary.focus()
    await pressed(page, "Enter", "Tab")
    await expect(page.locator("#withdraw-reason")).to_be_focused(timeout=SOON)
    await page.keyboard.type("Signed the wrong result.")
    await pressed(page, "Tab", "Enter")
    await expect(page.locator("#review")).to_contain_text(
        "Signature withdrawn by Rita", timeout=SOON
    )
    await page.wait_for_load_state("load")


async def following(page: Page) -> None:
    """Go to what nobody has read, by its key."""
    before = page.url.partition("#")[0]
    await pressed(page, "n")
    await page.wait_for_url(
        lambda url: bool(RESULT.search(url)) and url.partition("#")[0] != before
    )
    await page.wait_for_load_state("load")
