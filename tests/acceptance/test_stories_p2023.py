"""The worked examples of edition P2023, on a running instance whose clock says 2024 (docs/stories/p2023.md)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas import handoff
from tests.acceptance.stories import p2023
from tests.acceptance.stories.played import Played, played

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(p2023.BOOK, p2023.BEGINS, tmp_path_factory.mktemp("stories-2023") / "data") as played_all:
        yield played_all


@pytest.mark.rule("T1", "T3", "T5", "T7", "T12", "T18", "D3", "D4", "D16", "R28", "R29", "R47", edition="P2023")
def test_a_claim_goes_from_the_form_to_the_hand_off_and_takes_a_document_later(told: Played) -> None:
    told.assert_told(p2023.happy_path)


@pytest.mark.rule("T11b", "D3", "D7", "D9", edition="P2023")
def test_a_customer_can_decline_as_soon_as_it_is_told_of_the_submission(told: Played) -> None:
    told.assert_told(p2023.no_at_submission)


@pytest.mark.rule("T11", "D4", "R45", edition="P2023")
def test_a_no_months_after_the_hand_off_revokes_it(told: Played) -> None:
    told.assert_told(p2023.no_months_later)


@pytest.mark.rule("T8", "T15", "T16a", "T16b", "D12", "D18", "D24", "D25", "R38", "R40", "R41", "R42", edition="P2023")
def test_a_dispute_is_won_or_lost_for_good(told: Played) -> None:
    told.assert_told(p2023.disputes)


@pytest.mark.rule("T13", "D8", "R51", edition="P2023")
def test_an_approved_claim_is_disassociated_with_a_reason(told: Played) -> None:
    told.assert_told(p2023.disassociated)


@pytest.mark.rule("D6", "D20", "R47", edition="P2023")
def test_a_wait_whose_notice_bounced_begins_anew_with_one_that_arrives(told: Played) -> None:
    told.assert_told(p2023.bounced)


@pytest.mark.rule("R13", "R50", "D13", edition="P2023")
def test_a_claim_that_opted_out_is_handed_off_for_recognition_only(told: Played) -> None:
    told.assert_told(p2023.opted_out)


@pytest.mark.rule("R7", "R9", "R10", "R50", "D10", "D13", edition="P2023")
def test_influenced_revenue_is_recognised_and_not_paid(told: Played) -> None:
    told.assert_told(p2023.influenced_revenue)


@pytest.mark.rule("D17", "T20", "T15", "T16a", "R20", "R21", "D30", edition="P2023")
def test_a_competitor_takes_one_unit_then_all_and_loses_them_to_a_dispute(told: Played) -> None:
    told.assert_told(p2023.displaced)


@pytest.mark.rule("D23", "T19", "D16", "R22", edition="P2023")
def test_an_imported_association_is_renewed_by_a_claim_that_ends_with_its_subscription(told: Played) -> None:
    told.assert_told(p2023.subscription_ends)


@pytest.mark.rule("T6", "T10", "D15", "D18", "D28", "R31", "R32", "R33", edition="P2023")
def test_fourteen_business_days_over_christmas_leave_its_holidays_out(told: Played) -> None:
    told.assert_told(p2023.christmas)


@pytest.mark.rule("D4", "D6", "D19", "D20", "R45", "T11", edition="P2023")
def test_a_no_by_the_link_of_the_mail_that_at_last_arrived_takes_everything_back(told: Played) -> None:
    told.assert_told(p2023.bounced_then_no)
    told.assert_nobody_holds(p2023.bounced_then_no, handoff.APPROVED_REVOKED, handoff.ELIGIBLE_REVOKED)


def test_the_offline_checker_finds_nothing(told: Played) -> None:
    assert [str(each) for each in told.findings] == []


def test_the_page_tells_what_was_recorded(told: Played) -> None:
    told.assert_page_is_fresh()
