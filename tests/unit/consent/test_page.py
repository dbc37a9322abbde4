"""The customer's page: what it shows, what its buttons do, and what it never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpor.domain.vocabulary import Status
from cpor.runtime.topics import Topic
from services.consent.tokens import Tokens
from tests.unit.consent.page_stage import CONTACT, SOON, Browser, browsing, buttons, words
from tests.unit.consent.stage import GRACE, KEY, Stage, of_2020, stage_of
from tests.unit.review.pipeline import TENANT, of, usage_form

DAY = 86_400_000


# -- looking changes nothing ------------------------------------------------------------------------------------------


def test_the_page_names_partner_products_data_and_deadline_and_offers_both_buttons(browser: Browser) -> None:
    page = browser.opens(lang="en")
    assert page.status_code == 200
    told = words(page)
    for each in (
        "Partner P-1",
        "Teams",
        "Intune",
        TENANT,
        "no data about single persons",
        "You can decline at any time",
    ):
        assert each in told
    assert buttons(page) == ["decline", "agree"]
    assert CONTACT in told


@pytest.mark.rule("R48", "D17")
def test_what_the_partner_lost_to_another_claim_is_not_shown_as_its_own(browser: Browser) -> None:
    browser.stage.approved("rival", "P-2", usage_form("teams"), 2, displaces=[of("c")])
    browser.stage.run()
    told = words(browser.opens(lang="en"))
    assert ("Intune" in told, "Teams" in told) == (True, False)


def test_fetching_the_page_however_often_changes_nothing(browser: Browser) -> None:
    before = len(browser.stage.broker.records(Topic.CONSENT_RESPONSES))
    for _ in range(30):
        assert browser.opens().status_code == 200
        assert browser.client.head("/", query_string={"token": browser.link()}).status_code == 200
    browser.stage.run()
    assert len(browser.stage.broker.records(Topic.CONSENT_RESPONSES)) == before
    assert stage_of(browser.stage.claim()) == "waiting"


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_not_served(browser: Browser, method: str) -> None:
    assert getattr(browser.client, method)("/", query_string={"token": browser.link()}).status_code == 405


def test_answering_by_get_is_not_served(browser: Browser) -> None:
    page = browser.client.get("/answer", query_string={"token": browser.link(), "answer": "decline"})
    assert page.status_code == 405
    assert browser.answers() == []


# -- answering --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("D4", "D19")
def test_a_no_by_the_page_ends_the_association_and_the_page_says_so(browser: Browser) -> None:
    page = browser.presses(browser.opens(lang="en"), "decline")
    assert browser.stage.claim().status == Status.REJECTED
    assert browser.answers()[0].get("doubts") is None
    assert "You have declined" in words(page)
    assert buttons(page) == []


def test_a_yes_is_noted_and_leaves_the_no_possible(browser: Browser) -> None:
    page = browser.presses(browser.opens(lang="en"), "agree")
    assert "You have agreed" in words(page)
    assert buttons(page) == ["decline"]
    page = browser.presses(page, "decline")
    assert "You have declined" in words(page)
    assert browser.stage.claim().status == Status.REJECTED


def test_an_answer_s_evidence_says_when_by_which_notice_and_with_what(browser: Browser) -> None:
    browser.presses(browser.opens(lang="de"), "decline")
    told = browser.evidence()
    assert told["token_id"] == browser.stage.request()
    assert told["user_agent"] == "Browser/1.0"
    assert told["opened_at"] <= told["answered_at"]
    assert told["page"]["language"] == "de"
    assert told["notice"]["delivered_at"] < told["opened_at"]


def test_answering_twice_does_no_harm_and_shows_the_state(browser: Browser) -> None:
    first = browser.opens(lang="en")
    browser.presses(first, "decline")
    again = browser.presses(first, "decline")
    changed = browser.presses(first, "agree")
    assert len(browser.answers()) == 1
    for page in (again, changed):
        assert "You have declined" in words(page)


def test_an_answer_that_nobody_has_judged_yet_is_shown_as_on_record(browser: Browser) -> None:
    browser.stage.stopped = True
    page = browser.presses(browser.opens(lang="en"), "decline")
    assert "We have your answer" in words(page)
    browser.stage.goes_on()
    assert "You have declined" in words(browser.opens(lang="en"))


# -- whether a person answers -----------------------------------------------------------------------------------------


@pytest.mark.rule("D20")
@pytest.mark.parametrize("form", ["", "forged", "A" * 44])
def test_an_answer_without_a_visit_is_held_and_the_page_says_that_it_is_checked(browser: Browser, form: str) -> None:
    page = browser.presses(browser.opens(lang="en"), "decline", form=form)
    assert browser.answers()[0]["doubts"] == ["no_visit"]
    assert stage_of(browser.stage.claim()) == "suspended"
    assert "An answer is being checked" in words(page)
    assert "this link was used to decline" in words(page)
    assert buttons(page) == ["decline", "agree"]


def test_the_form_of_an_older_visit_is_no_visit(browser: Browser) -> None:
    page = browser.opens()
    browser.stage.clock.tick(5 * 3_600_000)
    browser.presses(page, "decline")
    assert browser.answers()[0]["doubts"] == ["no_visit"]


def test_a_form_from_another_link_s_page_is_no_visit(tmp_path: Path) -> None:
    stage = Stage()
    stage.waiting()
    stage.clock.tick(SOON)
    with browsing(stage, tmp_path) as browser:
        first = stage.requests()[0][1].token
        browser.presses(browser.opens(first), "decline", token=browser.link())
        assert browser.answers()[0]["doubts"] == ["no_visit"]


@pytest.mark.rule("D20")
def test_an_answer_within_three_seconds_of_the_delivery_is_held(tmp_path: Path) -> None:
    stage = Stage()
    stage.waiting(delivered=False)
    with browsing(stage, tmp_path) as browser:
        page = browser.opens(lang="en")
        stage.arrives()
        page = browser.presses(page, "decline")
        assert browser.answers()[0]["doubts"] == ["too_soon"]
        assert "An answer is being checked" in words(page)


def test_an_answer_before_the_delivery_is_on_record_is_held(tmp_path: Path) -> None:
    stage = Stage()
    stage.waiting(delivered=False)
    stage.clock.tick(DAY)
    with browsing(stage, tmp_path) as browser:
        browser.presses(browser.opens(), "decline")
        assert browser.answers()[0]["doubts"] == ["too_soon"]


def test_the_customer_s_own_press_of_the_button_settles_what_was_held(browser: Browser) -> None:
    held = browser.presses(browser.opens(lang="en"), "agree", form="")
    page = browser.presses(held, "decline")
    assert browser.stage.claim().status == Status.REJECTED
    assert "You have declined" in words(page)


@pytest.mark.rule("D9", "D20")
def test_a_no_that_is_checked_stays_so_after_a_yes_by_the_button_and_the_page_says_so(browser: Browser) -> None:
    held = browser.presses(browser.opens(lang="en"), "decline", form="")
    assert "If you decline now with the button below, that counts and no check is needed." in words(held)
    assert "the check goes on in any case" in words(held)
    page = browser.presses(held, "agree")
    assert "An answer is being checked" in words(page)
    assert buttons(page) == ["decline"]
    assert browser.presses(page, "agree").status_code == 200
    assert browser.stage.outcomes() == ["suspended", "agreed", "suspended"]
    browser.presses(page, "decline")
    assert browser.stage.claim().status == Status.REJECTED


def test_what_was_held_and_dismissed_is_no_longer_shown(browser: Browser) -> None:
    browser.presses(browser.opens(lang="en"), "decline", form="")
    held = [each.header("ce_id") for each in browser.stage.broker.records(Topic.CONSENT_RESPONSES)][-1]
    browser.stage.finds("dismissed", held or "")
    told = words(browser.opens(lang="en"))
    assert "being checked" not in told
    assert "At present it stands still" in told


# -- editions ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("D4", edition="P2020")
def test_2020_the_page_says_until_when_and_afterwards_that_it_is_too_late(tmp_path: Path) -> None:
    stage, due = of_2020()
    stage.clock.tick(SOON)
    with browsing(stage, tmp_path) as browser:
        page = browser.opens(lang="en")
        assert "You can decline until the end of Monday, March 13, 2023" in words(page)
        assert "not afterwards" in words(page)
        stage.pass_to(due + GRACE)
        stage.run()
        late = browser.opens(lang="en")
        assert "That time is over" in words(late)
        assert buttons(late) == []


@pytest.mark.rule("D4", "D19", edition="P2020")
def test_2020_a_button_pressed_after_the_window_explains_itself(tmp_path: Path) -> None:
    stage, due = of_2020()
    stage.clock.tick(due - 60_000 - stage.clock.now())
    with browsing(stage, tmp_path) as browser:
        page = browser.opens(lang="en")
        stage.pass_to(due + 1_000)
        page = browser.presses(page, "decline")
        assert len(browser.answers()) == 1
        assert "Your answer came too late" in words(page)
        assert stage.claim().status == Status.APPROVED


def test_2023_a_no_after_the_hand_off_still_counts(browser: Browser) -> None:
    browser.stage.pass_to(browser.stage.due() + GRACE)
    browser.stage.run()
    page = browser.opens(lang="en")
    assert "The partner has been recorded since" in words(page)
    assert buttons(page) == ["decline"]
    browser.presses(page, "decline")
    assert browser.stage.claim().status == Status.REJECTED
    assert browser.stage.handed_off(Topic.ELIGIBLE)[-1][0] == "cpor.eligible.revoked.v1"


def test_2023_the_first_notice_s_link_can_decline_before_the_approval(tmp_path: Path) -> None:
    stage = Stage()
    stage.file()
    stage.run()
    stage.arrives()
    stage.clock.tick(SOON)
    with browsing(stage, tmp_path) as browser:
        page = browser.opens(lang="en")
        assert "The request is being reviewed" in words(page)
        page = browser.presses(page, "decline")
        assert stage.claim().status == Status.REJECTED
        assert "You have declined" in words(page)


# -- links that lead nowhere ------------------------------------------------------------------------------------------


def test_a_link_that_a_newer_contact_replaced_reveals_nothing(browser: Browser) -> None:
    old = browser.link()
    browser.stage.answers("decline", "mail", operator=None)
    contact = {"name": "Ken Abe", "title": "CTO", "email": "ken@contoso.example", "language": "ja"}
    browser.stage.resend(customer_contact=contact)
    gone = browser.opens(old, lang="en")
    assert gone.status_code == 410
    assert_reveals_nothing(gone.text)
    assert browser.opens().status_code == 200


def test_a_link_that_has_expired_says_how_to_answer_instead(browser: Browser) -> None:
    browser.stage.clock.tick(401 * DAY)
    gone = browser.opens(lang="en")
    assert gone.status_code == 410
    assert "You can also answer by mail" in words(gone)
    assert_reveals_nothing(gone.text)


@pytest.mark.parametrize("token", ["", "x", "A" * 116, "A" * 100, "ä", "<script>alert(1)</script>", "A" * 3000])
def test_wrong_and_forged_links_look_the_same_and_reveal_nothing(browser: Browser, token: str) -> None:
    forged = browser.link()[:-1] + ("A" if browser.link()[-1] != "A" else "B")
    page, other = browser.opens(token, lang="en"), browser.opens(forged, lang="en")
    assert page.status_code == other.status_code == 404
    assert words(page) == words(other)
    assert_reveals_nothing(page.text + other.text)
    assert "<script" not in page.text


def test_an_answer_with_a_forged_link_is_no_answer(browser: Browser) -> None:
    page = browser.presses(browser.opens(), "decline", token="A" * 116)
    assert page.status_code == 404
    assert browser.answers() == []


def assert_reveals_nothing(html: str) -> None:
    for each in ("Partner P-1", "Teams", TENANT, "contoso"):
        assert each not in html


def test_a_link_of_an_older_key_still_leads_to_its_claim(tmp_path: Path) -> None:
    stage = Stage()
    stage.waiting()
    with browsing(stage, tmp_path) as browser:
        rotated = browser.with_site(tokens=Tokens(f"{KEY[::-1]},{KEY}"))
        assert rotated.opens().status_code == 200
