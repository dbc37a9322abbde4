"""Mails as a browser shows them: as narrow as a phone, in light and dark, and read without any help from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from cpor.words import LANGUAGES
from services.notify.preview.pages import Wanted, shown
from services.notify.preview.world import Size
from tests.browser import real_browser
from tests.unit.notify.test_foreign import ONE_OF_EACH, of

#: Width of the narrowest phones, pixels.
PHONE = 320
#: Between them they have all that a mail is put together from.
WITH_ALL_PARTS = ("customer_approved", "information_requested", "operator_task-answer_held")
#: Rules for pages; a mail stands within the page of a mail program, which has these.
OF_PAGES = ("landmark-one-main", "region")
WIDE_NAMES = ("W" * 300, "長い名前の株式会社" * 34, "שלום עולם" * 30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with real_browser() as found:
        yield found


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": PHONE, "height": 800})


def width(page: Page, html: str) -> int:
    page.set_content(html)
    found: int = page.evaluate("document.documentElement.scrollWidth")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_mail_is_wider_than_a_phone(phone: Page, language: str) -> None:
    for one in shown(Wanted(languages=(language,))):
        if one.preview.name in ONE_OF_EACH and one.world.size is Size.FULL:
            assert width(phone, one.mail.html) <= PHONE, one.path


@pytest.mark.parametrize("name", WIDE_NAMES, ids=["W", "kanji", "hebrew"])
def test_no_name_makes_a_mail_wider(phone: Page, name: str) -> None:
    for preview in ONE_OF_EACH:
        assert width(phone, of(preview, name).html) <= PHONE, preview


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_mail_can_be_read_by_everybody(browser: Browser, scheme: str) -> None:
    """Contrast above all, which differs between light and dark but not between languages."""
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    for preview in WITH_ALL_PARTS:
        page.set_content(of(preview, "Contoso", "de").html)
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["id"] not in OF_PAGES] == [], preview
    page.close()


def test_a_mail_asks_for_nothing_from_elsewhere(browser: Browser) -> None:
    page, asked = browser.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    for preview in ONE_OF_EACH:
        page.set_content(of(preview, "<img src=https://x.example/1.png>").html)
    page.close()
    assert not asked
