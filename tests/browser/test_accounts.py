"""Sign-in, people, sites, keys and the trail, as they are seen, and the way through them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, expect

from service.commands import first_link
from tests.browser.places import result
from tests.browser.visits import Visit, opened
from tests.service.kit import images
from tests.service.kit.accounts import PASSWORD, Somebody, key, person
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import running

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

OPEN = {"signin": "/signin", "welcome": "/welcome"}
CLOSED = {
    "account": "/account",
    "people": "/people",
    "sites": "/sites",
    "keys": "/keys",
    "retention": "/retention",
    "trail": "/audit",
    "second-factor": "/account/second",
    "passkeys": "/account/passkeys",
    "sessions": "/account/sessions",
    "glass": "/glass",
    "glass-uses": "/glass/uses",
    "paused": "/signin?idle=&next=%2Fhistory",
}
WIDTHS = (320, 1440)


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as made,
    ):
        yield made


@pytest.fixture(scope="module")
async def boss(guarded: Front) -> AsyncIterator[Somebody]:
    roles = ("clinician", "administrator", "auditor")
    async with person(guarded, "margarethe.oberhuber-schmidt", *roles) as somebody:
        await somebody.client.post("/sites", data={"site": "north-clinic"})
        await key(guarded, "integrator")
        yield somebody


async def entered(visit: Visit, somebody: Somebody) -> None:
    token = somebody.client.cookies["osteoserve"]
    cookie = {"name": "osteoserve", "value": token, "url": visit.url}
    await visit.context.add_cookies([cookie])


async def seen(visit: Visit, path: str, screenshots: Path, name: str, width: int) -> None:
    await visit.go(path)
    assert await visit.sideways() <= 0, f"wider than {width} px"
    assert await visit.shifted() < 0.01
    for theme in ("light", "dark"):
        await visit.themed(theme)
        assert await visit.grave() == []
        picture = screenshots / f"{name}-{width}-{theme}.png"
        await visit.page.screenshot(path=picture, full_page=True)


@pytest.mark.parametrize("name", [*OPEN, *CLOSED, "person"])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_page(
    chromium: Browser, guarded: Front, boss: Somebody, screenshots: Path, name: str, language: str
) -> None:
    path = {**OPEN, **CLOSED, "person": f"/people/{boss.id}"}[name]
    for width in WIDTHS:
        size = {"width": width, "height": 900}
        url = str(guarded.client.base_url)
        async with opened(chromium, url, viewport=size, locale=language) as visit:
            if name not in OPEN:
                await entered(visit, boss)
            await seen(visit, path, screenshots, f"{name}-{language}", width)
            assert await visit.page.get_attribute("html", "lang") == language
            assert "/signin?" not in visit.page.url or "idle" in visit.page.url


@pytest.mark.parametrize("language", ["en", "de"])
async def test_forms_that_could_not_be_taken(
    chromium: Browser, guarded: Front, boss: Somebody, screenshots: Path, language: str
) -> None:
    for width in WIDTHS:
        size = {"width": width, "height": 900}
        url = str(guarded.client.base_url)
        async with opened(chromium, url, viewport=size, locale=language) as visit:
            await entered(visit, boss)
            for name, path in (("people", "/people"), ("sites", "/sites"), ("keys", "/keys")):
                await visit.go(path)
                form = visit.page.locator(f"form[action='{path}']")
                # As one sends it whose browser checks nothing.
                await form.evaluate("(form) => form.noValidate = true")
                await form.get_by_role("button").click()
                await expect(visit.page.locator("[aria-invalid=true]").first).to_be_visible()
                assert await visit.grave() == []
                assert await visit.sideways() <= 0
                picture = screenshots / f"{name}-refused-{language}-{width}.png"
                await visit.page.screenshot(path=picture, full_page=True)


async def test_from_the_printed_link_to_a_signed_in_clinician(
    chromium: Browser, tmp_path: Path
) -> None:
    async with running() as runners, front(tmp_path, runners, auth="local") as made:
        link = await first_link(made.settings)
        assert link is not None
        url = str(made.client.base_url)
        async with opened(chromium, url) as visit:
            page = visit.page
            await visit.go(f"/setup#{link.partition('#')[2]}")
            # The code goes from the address into the form, and stands in neither afterwards.
            await expect(page.get_by_label("Code in the link")).not_to_have_value("")
            assert "#" not in page.url
            await page.get_by_label("Name for signing in").fill("first")
            await page.get_by_label("Your name").fill("First One")
            await page.get_by_label("New password").fill(PASSWORD)
            await page.get_by_label("The same once more").fill(PASSWORD)
            await page.get_by_role("button", name="Make the account").click()
            await expect(page.get_by_role("link", name="First One")).to_be_visible()
            await page.get_by_role("button", name="Sign out").click()
            await page.wait_for_url(re.compile("/signin$"))
            # Going back shows nothing of what was there.
            await page.go_back()
            await expect(page.get_by_role("link", name="First One")).to_have_count(0)
            await visit.go("/history?sort=oldest")
            await page.get_by_label("Name for signing in").fill("first")
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in").click()
            await page.wait_for_url(re.compile(r"/history\?sort=oldest$"))


async def test_somebody_is_added_and_signed_in_by_their_link(
    chromium: Browser, guarded: Front, boss: Somebody
) -> None:
    url = str(guarded.client.base_url)
    async with opened(chromium, url) as visit, opened(chromium, url) as theirs:
        await entered(visit, boss)
        await visit.go("/people")
        await visit.page.get_by_label("Name for signing in").fill("new.one")
        await visit.page.get_by_label("Name, as it stands").fill("New One")
        await visit.page.get_by_role("button", name="Add").click()
        link = await visit.page.locator("code.secret").inner_text()
        assert await visit.grave() == []
        await theirs.page.goto(link)
        await theirs.page.get_by_label("New password").fill("passwordpassword")
        await theirs.page.get_by_label("The same once more").fill("passwordpassword")
        await theirs.page.get_by_role("button", name="Keep it").click()
        await expect(theirs.page.get_by_text("This is among what is tried first")).to_be_visible()
        assert await theirs.grave() == []
        await theirs.page.get_by_label("New password").fill(PASSWORD)
        await theirs.page.get_by_label("The same once more").fill(PASSWORD)
        await theirs.page.get_by_role("button", name="Keep it").click()
        await expect(theirs.page.get_by_role("link", name="New One")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_second_factor_is_taken_up_and_given_without_scripts(
    chromium: Browser, guarded: Front, screenshots: Path, language: str
) -> None:
    name = f"two.{language}"
    url = str(guarded.client.base_url)
    for width in WIDTHS:
        size = {"width": width, "height": 900}
        options = {"viewport": size, "locale": language, "java_script_enabled": False}
        async with (
            person(guarded, f"{name}.{width}", "clinician") as somebody,
            opened(chromium, url, **options) as visit,
        ):
            page = visit.page
            await entered(visit, somebody)
            await visit.go("/account/second")
            await page.locator("#password").fill(PASSWORD)
            await page.locator("form[action='/account/second'] button").click()
            secret = (await page.locator("code.secret").inner_text()).replace(" ", "")
            await expect(page.locator(".qr svg")).to_be_visible()
            picture = screenshots / f"second-offer-{language}-{width}.png"
            await page.screenshot(path=picture, full_page=True)
            await page.locator("#code").fill(pyotp.TOTP(secret).now())
            await page.locator("form[action='/account/second/confirm'] button").click()
            await expect(page.locator("code.secret")).to_have_count(10)
            picture = screenshots / f"second-codes-{language}-{width}.png"
            await page.screenshot(path=picture, full_page=True)
            recovery = await page.locator("code.secret").first.inner_text()
            await page.locator(".who button").click()
            await page.locator("#login").fill(somebody.login)
            await page.locator("#password").fill(PASSWORD)
            await page.locator("form[action='/signin'] button").click()
            await page.wait_for_url(re.compile("/signin/second$"))
            picture = screenshots / f"second-asked-{language}-{width}.png"
            await page.screenshot(path=picture, full_page=True)
            await page.locator("#code").fill(recovery)
            await page.locator("form[action='/signin/second'] button").click()
            await page.wait_for_url(re.compile("/$"))


async def test_while_glass_is_broken_every_page_says_so(
    chromium: Browser, guarded: Front, boss: Somebody, screenshots: Path
) -> None:
    url = str(guarded.client.base_url)
    async with person(guarded, "near.one", "clinician") as near:
        sent = {"site": "north-clinic", "reason": "Trauma call, no other way to the earlier scan."}
        assert (await near.client.post("/glass", data=sent)).status_code == 303
        for width in WIDTHS:
            size = {"width": width, "height": 900}
            async with opened(chromium, url, viewport=size) as visit:
                await entered(visit, near)
                await seen(visit, "/history", screenshots, "glass-broken-en", width)
                await expect(visit.page.locator(".strip.glass")).to_contain_text("north-clinic")
                for theme in ("light", "dark"):
                    await visit.themed(theme)
                    assert await visit.grave() == []
    async with opened(chromium, url, viewport={"width": 320, "height": 900}) as visit:
        await entered(visit, boss)
        await seen(visit, "/glass/uses", screenshots, "glass-used-en", 320)


async def test_a27_the_screen_goes_blank_without_a_click(
    chromium: Browser, guarded: Front, boss: Somebody
) -> None:
    answer = await boss.client.post("/api/v1/predictions", content=images.png())
    place = f"/results/{answer.json()['id']}"
    async with opened(chromium, str(guarded.client.base_url)) as visit:
        await entered(visit, boss)
        page = visit.page
        await page.clock.install()
        await page.goto(visit.url + place)
        await expect(page.locator("h1")).to_contain_text("Signs of osteoporosis")
        idle = int(await page.get_attribute("body", "data-idle") or "")
        await page.clock.fast_forward((idle - 60) * 1000)
        await expect(page.locator("h1")).to_contain_text("Signs of osteoporosis")
        await page.clock.fast_forward(62_000)
        # The sign-in is used elsewhere, as the server sees it: the page waits.
        await expect(page.locator("h1")).to_have_text("Paused")
        await page.get_by_role("link", name="Go on").click()
        await expect(page.locator("h1")).to_contain_text("Signs of osteoporosis")


async def test_a_page_without_sign_in_never_goes_blank(visit: Visit, shared: Front) -> None:
    await visit.go(await result(shared))
    assert await visit.page.get_attribute("body", "data-idle") is None
