"""Treatment, filled in: told shortly first, details that unfold without scripts, at any width."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.browser.places import result
from tests.browser.visits import Visit, opened
from tests.service.kit.fronts import API, Front

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

WIDTHS = (320, 1280)
WOMAN = {"age": "70", "sex": "female", "menopause": "postmenopausal"}
FORMS = {
    "assumed": {"age": "75", "sex": "female", "t_scores.femoral_neck": "-2.8"},
    "dialysis": {**WOMAN, "dialysis": "yes", "drug": "denosumab", "t_scores.total_hip": "-2.6"},
    "forbidden": {
        **WOMAN, "drug": "raloxifene", "thrombosis": "yes", "oesophageal_disease": "yes",
    },
    "broken": {
        **WOMAN, "oesophageal_disease": "yes", "fractures.0.site": "vertebra",
        "fractures.0.months_ago": "1", "t_scores.femoral_neck": "-2.6",
    },
    "refused": {"sex": "male", "menopause": "postmenopausal", "age": "60"},
}  # fmt: skip


async def filled(visit: Visit, form: dict[str, str]) -> Page:
    await visit.go("/treatment")
    page = visit.page
    for name, value in form.items():
        field = page.locator(f'[name="{name}"]')
        if await field.evaluate("one => one.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
    await page.locator("#facts button[type=submit]").click()
    return page


async def moderate(page: Page) -> list[str]:
    """What axe-core finds that a reader meets, moderate things too, in what is this page's own."""
    found = await Axe().run(page, context={"include": [["main"]]})
    return [
        f"{one['id']}: {node['target']}"
        for one in found.response["violations"]
        if one["impact"] in ("moderate", "serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", FORMS)
async def test_what_is_considered_can_be_read(
    chromium: Browser, shared: Front, screenshots: Path, name: str, language: str
) -> None:
    url = str(shared.client.base_url)
    for width in WIDTHS:
        size = {"width": width, "height": 900}
        async with opened(chromium, url, viewport=size, locale=language) as visit:
            page = await filled(visit, FORMS[name])
            for unfolded in (False, True):
                if unfolded:
                    await page.evaluate(
                        "for (const one of document.querySelectorAll('details')) one.open = true"
                    )
                assert await visit.sideways() <= 0, f"wider than {width} px"
                assert await moderate(page) == []
            place = screenshots / f"treatment-{name}-{language}-{width}.png"
            await page.screenshot(path=place, full_page=True)


async def test_details_open_without_scripts(chromium: Browser, shared: Front) -> None:
    url = str(shared.client.base_url)
    async with opened(chromium, url, java_script_enabled=False) as visit:
        page = await filled(visit, FORMS["broken"])
        await expect(page.locator("section.short")).to_contain_text("range of osteoporosis")
        choices = page.locator("#considered > details.choice")
        await expect(choices.locator("ul.lines")).to_be_hidden()
        await choices.locator(":scope > summary").click()
        await expect(choices.locator("ul.lines")).to_be_visible()
        struck = choices.locator("ul.named > li", has=page.locator("del")).first
        await expect(struck).to_contain_text("alendronate contraindicated here")


async def test_what_forbids_the_drug_that_is_taken_comes_first(visit: Visit) -> None:
    page = await filled(visit, FORMS["forbidden"])
    flags = page.locator("section.red_flag")
    await expect(flags).to_contain_text("contraindicated by what was entered: raloxifene")
    assert await flags.evaluate(
        "one => Boolean(one.compareDocumentPosition(document.querySelector('section.short')) & 4)"
    )


async def test_a_study_is_not_typed_again(visit: Visit, shared: Front) -> None:
    place = await result(shared)
    facts = {"sex": "female", "age_years": 30, "t_score": -2.6}
    id = place.removeprefix("/results/")
    assert (await shared.client.put(f"{API}/{id}/study", json=facts)).status_code == 200
    await visit.go(place)
    page = visit.page
    await expect(page.locator("article.verdict")).to_contain_text("Outside the intended use")
    await expect(page.locator("article.verdict")).to_contain_text("no class by T-score")
    await page.get_by_role("link", name="Treatment considerations from").click()
    await expect(page.get_by_label("Age", exact=True)).to_have_value("30")
    await expect(page.locator("section.short")).to_contain_text("the Z-score is read")
    await page.get_by_role("button", name="Show what to consider").click()
    await expect(page.locator("section.short")).to_contain_text("the Z-score is read")
