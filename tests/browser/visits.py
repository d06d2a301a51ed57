"""One visit of a browser, and what it must never meet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

GRAVE = ("serious", "critical")
WCAG_2_2 = {"rules": {"target-size": {"enabled": True}}}
"""axe-core leaves out what WCAG 2.2 added unless it is asked for."""

NOT_OURS = "#swagger"
"""The API page's body is drawn by Swagger UI: its findings are not ours to mend."""

SHIFTS = """() => new Promise((resolve) => {
  let total = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) total += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(total)));
})"""


@dataclass
class Visit:
    """A page of its own, with everything that went wrong on it."""

    page: Page
    context: BrowserContext
    url: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        # Chromium reports an answer of 4xx as an error; pages of errors are meant to be that.
        if message.type in ("error", "warning") and "status of" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.faults.append(f"another origin: {request.url}")

    async def go(self, path: str) -> None:
        await self.page.goto(self.url + path, wait_until="networkidle")

    async def themed(self, scheme: Any) -> None:
        await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    async def grave(self, impacts: Sequence[str] = GRAVE) -> list[str]:
        """What axe-core finds serious or critical, or of other ``impacts``, one line an element."""
        found = await Axe().run(self.page, context={"exclude": [[NOT_OURS]]}, options=WCAG_2_2)
        return [
            f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
            for one in found.response["violations"]
            if one["impact"] in impacts
            for node in one["nodes"]
        ]

    async def sideways(self) -> float:
        """By how many pixels the page is wider than its window."""
        found: float = await self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return found

    async def shifted(self) -> float:
        """Cumulative layout shift up to now."""
        found: float = await self.page.evaluate(SHIFTS)
        return found


@asynccontextmanager
async def opened(browser: Browser, url: str, **options: Any) -> AsyncIterator[Visit]:
    """Open a window of its own; on leaving it, nothing may have gone wrong."""
    context = await browser.new_context(**{"locale": "en-GB", **options})
    try:
        visit = Visit(await context.new_page(), context, url)
        yield visit
        assert visit.faults == []
    finally:
        await context.close()
