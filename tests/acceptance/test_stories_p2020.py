"""The worked examples of edition P2020, on a running instance whose clock says 2021 (docs/stories/p2020.md)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas import handoff
from tests.acceptance.stories import p2020
from tests.acceptance.stories.played import Played, played

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(p2020.BOOK, p2020.BEGINS, tmp_path_factory.mktemp("stories-2020") / "data") as played_all:
        yield played_all


@pytest.mark.rule("T1", "T3", "T5", "T7", "T12", "D3", "D4", "R46", "R47", edition="P2020")
def test_a_claim_goes_from_the_form_to_the_hand_off_when_day_seven_is_over(told: Played) -> None:
    told.assert_told(p2020.happy_path)


@pytest.mark.rule("T4", "D5", "D6", "R35", edition="P2020")
def test_a_submitted_claim_can_be_edited_until_the_review_begins(told: Played) -> None:
    told.assert_told(p2020.edits_while_submitted)


@pytest.mark.rule("D10", "D11", "R15", "R18", edition="P2020")
def test_the_only_subscription_is_filled_in_and_shown_by_four_characters_until_the_approval(told: Played) -> None:
    told.assert_told(p2020.single_subscription)


@pytest.mark.rule("T6", "T10", "D15", "D18", "R32", "R33", edition="P2020")
def test_holidays_do_not_count_among_the_five_business_days_to_answer(told: Played) -> None:
    told.assert_told(p2020.easter)


@pytest.mark.rule("T9", "T15", "T16a", "T16b", "D25", "R33", "R39", edition="P2020")
def test_each_rejection_can_be_disputed_anew(told: Played) -> None:
    told.assert_told(p2020.repeated_disputes)


@pytest.mark.rule("D7", "D9", "T7", "T11", edition="P2020")
def test_an_early_no_is_kept_and_applied_when_the_approval_comes(told: Played) -> None:
    told.assert_told(p2020.early_no)


@pytest.mark.rule("D4", "D19", "T11", "T12", "R45", "R46", edition="P2020")
def test_a_no_on_the_evening_of_day_seven_counts_and_on_day_eight_does_not(told: Played) -> None:
    told.assert_told(p2020.day_seven)


@pytest.mark.rule("T14", "D7", "D8", edition="P2020")
def test_an_approved_claim_can_be_withdrawn_and_its_hand_off_is_revoked(told: Played) -> None:
    told.assert_told(p2020.withdrawn_after_approval)


@pytest.mark.rule("D5", "T6", "T10", edition="P2020")
def test_the_clock_of_the_whole_decision_stands_still_while_the_partner_is_asked(told: Played) -> None:
    told.assert_told(p2020.overall_clock)


@pytest.mark.rule("D13", "D29", "R4", "R49", edition="P2020")
def test_usage_recognition_is_handed_off_for_payment(told: Played) -> None:
    told.assert_told(p2020.usage_is_paid)


@pytest.mark.rule("D17", "T20", "R20", "R21", edition="P2020")
def test_a_competing_claim_displaces_the_one_that_the_reviewer_names(told: Played) -> None:
    told.assert_told(p2020.displaced)


@pytest.mark.rule("D4", "D6", "D19", "D20", "R45", "T11", edition="P2020")
def test_a_no_by_the_link_of_the_mail_that_at_last_arrived_takes_everything_back(told: Played) -> None:
    told.assert_told(p2020.bounced_then_no)
    told.assert_nobody_holds(p2020.bounced_then_no, handoff.APPROVED_REVOKED)


def test_the_offline_checker_finds_nothing(told: Played) -> None:
    assert [str(each) for each in told.findings] == []


def test_the_page_tells_what_was_recorded(told: Played) -> None:
    told.assert_page_is_fresh()
