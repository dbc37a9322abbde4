"""A customer before the page in a real browser, and a scanner that opens every link of a mail before its reader."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response

from cpor.devstack.mail import Received

PATIENCE = 60.0
#: WCAG 2.0 to 2.2, A and AA.
LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
_LINK = re.compile(r"https?://[^\s\"'<>]+")


@dataclass
class Visit:
    """One window. `asked`: every address that it asked for something."""

    page: Page
    asked: list[str]

    def opens(self, link: str) -> Response:
        answer = self.page.goto(link)
        assert answer is not None
        return answer

    def presses(self, answer: str) -> None:
        """Returns on the page behind the button."""
        with self.page.expect_navigation():
            self.page.click(f"button[value={answer}]")

    def awaits(self, heard: str) -> None:
        """Load the page anew until it says so."""
        deadline = time.monotonic() + PATIENCE
        while not self.page.locator(f"section.notice.{heard}").count():
            assert time.monotonic() < deadline, self.page.locator("main").inner_text()
            self.page.reload()

    def buttons(self) -> list[str]:
        return [each.get_attribute("value") or "" for each in self.page.locator("button").all()]

    def language(self) -> str | None:
        return self.page.locator("html").get_attribute("lang")

    def violations(self) -> list[str]:
        """What keeps somebody from reading or using the page, by axe."""
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": LEVELS}}).response["violations"]
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]

    def elsewhere(self) -> list[str]:
        """What it asked of anybody but the page itself."""
        own = urlsplit(self.page.url).netloc
        return [each for each in self.asked if urlsplit(each).netloc != own]


@contextmanager
def visiting(browser: Browser, **settings: Any) -> Iterator[Visit]:
    """`settings` are those of a browser's context: width, language, colours, scripts."""
    context = browser.new_context(**settings)
    visit = Visit(context.new_page(), [])
    visit.page.on("request", lambda request: visit.asked.append(request.url))
    try:
        yield visit
    finally:
        context.close()


def links_of(mail: Received) -> list[str]:
    """Every link in it, of the text and of the HTML, each once."""
    found = _LINK.findall(mail.body()) + _LINK.findall(html.unescape(mail.body("html")))
    return list(dict.fromkeys(found))


def scanned(links: list[str], browser: Browser) -> list[int]:
    """Fetch, ask after and open all links as scanners do: redirects are followed, scripts run, pages are read to their
    end and every link on them is opened too; no form is submitted. The status of each answer.
    """
    http, found = urllib3.PoolManager(timeout=30), list[int]()
    with visiting(browser) as visit:
        for link in links:
            found += [http.request("HEAD", link).status, http.request("GET", link).status]
            found.append(http.request("GET", link, headers={"Sec-Purpose": "prefetch", "Purpose": "prefetch"}).status)
            found.append(visit.opens(link).status)
            visit.page.mouse.wheel(0, 5_000)
            further = [each.get_attribute("href") or "" for each in visit.page.locator("a[href]").all()]
            pages = [urljoin(link, each) for each in further if not each.startswith("mailto:")]
            found += [visit.opens(each).status for each in pages]
            actions = [each.get_attribute("action") or "" for each in visit.page.locator("form").all()]
            for action in actions:
                http.request("HEAD", urljoin(link, action))
    return found
