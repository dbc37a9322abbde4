"""Everything that the page shows, in a real browser: in five languages, on a phone, in the dark, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from cpor.domain.vocabulary import Status
from cpor.words import LANGUAGES
from services.consent.page.answering import Log, NotWritten
from services.consent.page.guard import Rates
from tests.acceptance.browser import Visit, visiting
from tests.browser import real_browser
from tests.integration.consent.states import MINUTE, STATES, Served, served, waiting
from tests.unit.consent.stage import of_2020

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

PHONE, HEIGHT = 390, 844
#: WCAG 2.5.8: pixels.
TARGET = 24
#: What a page does not say where it has no claim to show.
SECRETS = ("Partner P-1", "Teams", "contoso")
SIZES = "all => all.map(each => each.getBoundingClientRect()).map(box => [box.width, box.height])"
OUTLINE = "getComputedStyle(document.activeElement)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with real_browser() as found:
        yield found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with served(waiting(), tmp_path) as made:
        yield made


def assert_fit(visit: Visit, status: int, link: str, language: str) -> None:
    """In its language, as narrow as the window, for everybody, and from nowhere else."""
    answer = visit.opens(link)
    assert (answer.status, answer.headers["content-language"], visit.language()) == (status, language, language)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert visit.violations() == []
    assert visit.elsewhere() == []


@pytest.mark.parametrize("name", STATES)
def test_every_state_can_be_read_and_used_on_a_phone_in_every_language(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    state = STATES[name]
    with served(state.stage(), tmp_path) as site:
        state.act(site.customer)
        with visiting(browser, viewport={"width": PHONE, "height": HEIGHT}) as visit:
            for language in LANGUAGES:
                assert_fit(visit, 200, site.link(language), language)
                assert tuple(visit.buttons()) == state.buttons
            visit.opens(site.link("en"))
            assert state.says in visit.page.inner_text("main")
            visit.page.emulate_media(color_scheme="dark")
            assert visit.violations() == []


@pytest.mark.parametrize(("token", "status"), [("A" * 116, 404), ("", 404), (None, 410)])
def test_a_page_without_a_claim_helps_in_every_language_and_reveals_nothing(
    browser: Browser, site: Served, token: str | None, status: int
) -> None:
    """None: a genuine link that is too old."""
    if token is None:
        site.stage.clock.tick(401 * 86_400_000)
    with visiting(browser, viewport={"width": PHONE, "height": HEIGHT}, color_scheme="dark") as visit:
        for language in LANGUAGES:
            assert_fit(visit, status, site.link(language, token), language)
            assert not [each for each in SECRETS if each in visit.page.content()]


class Deaf(Log):
    """A log that does not say that it has anything: a real one falls silent in `test_page_process`."""

    def __init__(self) -> None:
        """Without a Kafka."""

    def write(self, output: object) -> None:
        raise NotWritten("silence")


@pytest.mark.parametrize(("change", "status"), [({"answers": Deaf()}, 503), ({"rates": Rates(answers_of_link=0)}, 429)])
def test_an_answer_that_was_not_taken_is_not_shown_as_taken(
    browser: Browser, tmp_path: Path, change: dict[str, object], status: int
) -> None:
    with served(waiting(), tmp_path, **change) as site, visiting(browser) as visit:
        for language in LANGUAGES:
            visit.opens(site.link(language))
            with visit.page.expect_response(lambda answer: answer.request.method == "POST") as told:
                visit.presses("decline")
            assert (told.value.status, visit.language(), visit.buttons()) == (status, language, [])
            assert visit.violations() == []
        assert site.customer.answers() == []


@pytest.mark.rule("D4", "D19", edition="P2020")
def test_2020_a_no_after_the_last_day_explains_itself_in_every_language(browser: Browser, tmp_path: Path) -> None:
    """The page was opened in time, the button was not pressed in time."""
    stage, due = of_2020()
    stage.clock.tick(due - MINUTE - stage.clock.now())
    with served(stage, tmp_path) as site, ExitStack() as windows:
        visits = {language: windows.enter_context(visiting(browser)) for language in LANGUAGES}
        for language, visit in visits.items():
            visit.opens(site.link(language))
        stage.pass_to(due + 1_000)
        for language, visit in visits.items():
            visit.presses("decline")
            stage.run()
            visit.awaits("too_late")
            assert (visit.language(), visit.buttons(), visit.violations()) == (language, [], [])
        assert stage.claim().status == Status.APPROVED


def test_the_keyboard_alone_reaches_everything_in_order_sees_where_it_is_and_answers(
    browser: Browser, site: Served
) -> None:
    with visiting(browser) as visit:
        visit.opens(site.link("en"))
        reached = [next_by_tab(visit.page) for _ in range(len(LANGUAGES) + 3)]
        assert reached == [*LANGUAGES, "decline", "agree", "mailto"]
        visit.page.keyboard.press("Shift+Tab")
        visit.page.keyboard.press("Shift+Tab")
        with visit.page.expect_navigation():
            visit.page.keyboard.press("Enter")
        site.stage.run()
        visit.awaits("declined")
    assert [each["answer"] for each in site.customer.answers()] == ["decline"]


def next_by_tab(page: Page) -> str:
    """What has the focus now; it must be seen that it has."""
    page.keyboard.press("Tab")
    assert page.evaluate(f"{OUTLINE}.outlineStyle") == "solid"
    assert page.evaluate(f"parseFloat({OUTLINE}.outlineWidth)") >= 2
    there = page.locator(":focus")
    return there.get_attribute("lang") or there.get_attribute("value") or str(there.get_attribute("href"))[:6]


def test_buttons_and_links_are_large_enough_for_a_thumb(browser: Browser, site: Served) -> None:
    with visiting(browser, viewport={"width": PHONE, "height": HEIGHT}) as visit:
        for language in LANGUAGES:
            visit.opens(site.link(language))
            for width, height in visit.page.eval_on_selector_all("button, nav a", SIZES):
                assert min(width, height) >= TARGET


@pytest.mark.parametrize(
    "mark", ["<script>document.title = 'in'</script>", "<img src=x onerror=\"document.title = 'in'\">"]
)
def test_a_script_within_the_page_would_not_run(browser: Browser, site: Served, mark: str) -> None:
    """What an attacker would have to bring in, under the page's own headers."""
    refused: list[str] = []
    with visiting(browser) as visit:
        visit.page.on("console", lambda told: refused.append(told.text))
        visit.page.route("**/?*", lambda route: put_in(route, mark))
        visit.opens(site.link("en"))
        visit.page.wait_for_load_state("networkidle")
        assert mark[:8] in visit.page.content()
        assert "recorded" in visit.page.title()
    assert any("Content Security Policy" in each for each in refused)


def put_in(route: Route, mark: str) -> None:
    answer = route.fetch()
    body = answer.text().replace("<main>", f"<main>{mark}")
    route.fulfill(response=answer, body=body)


def test_without_styles_or_scripts_it_still_answers(browser: Browser, site: Served) -> None:
    with visiting(browser, java_script_enabled=False) as visit:
        visit.page.route("**/*.css", lambda route: route.abort())
        visit.opens(site.link("ja"))
        visit.presses("agree")
        site.stage.run()
        visit.awaits("agreed")
        assert visit.language() == "ja"
