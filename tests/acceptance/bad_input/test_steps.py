"""Steps that do not exist, or come too late, are refused with their codes and change nothing (domain §2.2)."""

from __future__ import annotations

from typing import Any

import pytest

from cpor.domain.vocabulary import CommandName as C
from cpor.domain.vocabulary import Status as S
from cpor.domain.vocabulary import parse_instant
from cpor.ops.partner_client import declared
from cpor.runtime.topics import DAY_MS
from tests.acceptance.bad_input.statuses import ASK, REJECT, Editions, brought
from tests.acceptance.bad_input.world import NEW_DAYS, TWO, Claim, World, codes
from tests.chaos.material import UNENROLLED, tenant

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SPOKEN: dict[C, dict[str, Any]] = {
    C.EDIT: {"claim_name": "Other"},
    C.CANCEL: {},
    C.POE_RESERVE: declared("new.pdf", "application/pdf", b"new"),
    C.POE_AMEND: {"document_id": str(tenant(0)), "description": "Better"},
    C.POE_REMOVE: {"document_id": str(tenant(0))},
    C.COMMENT: {"text": "Hello"},
    C.SUBMIT: {"acknowledgements": []},
    C.RESUBMIT: {"comment": "Better"},
    C.WITHDRAW: {"reason": "wrong_role"},
    C.DISPUTE: {"justification": "It is signed"},
    C.DISASSOCIATE: {"reason": "It is over"},
    C.REVIEW_START: {},
    C.REVIEW_REQUEST_INFORMATION: ASK,
    C.REVIEW_APPROVE: {},
    C.REVIEW_REJECT: REJECT,
    C.REVIEW_COMMENT: {"text": "Hello"},
}
_DRAFT, _SUBMITTED, _REVIEW, _ASKED = S.DRAFT, S.SUBMITTED, S.UNDER_REVIEW, S.PARTNER_ACTION_REQUIRED
_APPROVED, _REJECTED, _DISPUTED = S.APPROVED, S.REJECTED, S.DISPUTED
_OPEN = {_SUBMITTED, _REVIEW, _ASKED, _DISPUTED}
#: Where each is possible, by the words of D6, D8, D21, D26 and of the transitions; everywhere else it is not.
NEW: dict[C, set[S]] = {
    C.EDIT: {_DRAFT, _ASKED, _APPROVED},  # approved: see D20
    C.CANCEL: {_DRAFT},
    C.POE_RESERVE: {_DRAFT, _ASKED, _REJECTED, _APPROVED},
    C.POE_AMEND: {_DRAFT, _ASKED},
    C.POE_REMOVE: {_DRAFT, _ASKED},
    C.COMMENT: {_DRAFT, *_OPEN, _APPROVED, _REJECTED},
    C.SUBMIT: {_DRAFT},
    C.RESUBMIT: {_ASKED},
    C.WITHDRAW: {_SUBMITTED, _REVIEW, _ASKED},
    C.DISPUTE: {_REJECTED},
    C.DISASSOCIATE: {_APPROVED},
    C.REVIEW_START: {_SUBMITTED},
    C.REVIEW_REQUEST_INFORMATION: {_REVIEW},
    C.REVIEW_APPROVE: {_REVIEW, _DISPUTED},
    C.REVIEW_REJECT: {_REVIEW, _DISPUTED},
    C.REVIEW_COMMENT: {*_OPEN, _APPROVED, _REJECTED},
}
OLD: dict[C, set[S]] = {
    **NEW,
    C.EDIT: {*NEW[C.EDIT], _SUBMITTED},
    C.POE_RESERVE: {*NEW[C.POE_RESERVE], _SUBMITTED},
    C.POE_AMEND: {_DRAFT},
    C.POE_REMOVE: {_DRAFT},
    C.WITHDRAW: {*NEW[C.WITHDRAW], _APPROVED},
    C.DISASSOCIATE: set(),
}
POSSIBLE = {"P2020": OLD, "P2023": NEW}
PLACES = [("P2020", each) for each in S if each is not S.REJECTED_FINAL] + [("P2023", each) for each in S]


@pytest.mark.parametrize(("edition", "status"), PLACES, ids=str)
def test_what_is_not_possible_in_a_status_is_refused_and_changes_nothing(
    claims: Editions, edition: str, status: S
) -> None:
    claim = claims[edition][status]
    impossible = [name for name in SPOKEN if status not in POSSIBLE[edition][name]]
    told = claim.world.told({name: claim.begin(name, SPOKEN[name]) for name in impossible})
    found = {name: (each["code"], each["status"]) for name, each in told.items()}
    assert found == dict.fromkeys(impossible, ("illegal_transition", status))


@pytest.mark.parametrize("status", list(S))
def test_a_reference_that_has_a_claim_cannot_begin_another(claims: Editions, status: S) -> None:
    claim = claims["P2023"][status]
    assert [claim.create().code, claim.file().code] == ["claim_exists", "claim_exists"]


# fmt: off
INCOMPLETE: tuple[tuple[S, C, dict[str, Any], str], ...] = (
    (S.DRAFT,          C.SUBMIT,         {"acknowledgements": []},               "acknowledgements_incomplete"),
    (S.DRAFT,          C.SUBMIT,         {},                                     "poe_missing"),
    (S.DRAFT,          C.POE_REMOVE,     SPOKEN[C.POE_REMOVE],                   "document_unknown"),
    (S.DRAFT,          C.EDIT,           {"tenant_id": str(tenant(1))},          "edit_not_allowed"),
    (S.DRAFT,          C.EDIT,           {"workloads": []},                      "last_workload"),
    (S.DRAFT,          C.EDIT,           {"location_id": "1"},                   "location_unknown"),
    (S.PARTNER_ACTION_REQUIRED, C.EDIT,  {"claim_name": "Other"},                "edit_not_allowed"),
    (S.PARTNER_ACTION_REQUIRED, C.RESUBMIT, {},                                  "nothing_provided"),
    (S.APPROVED,       C.EDIT,           {"claim_name": "Other"},                "edit_not_allowed"),
    (S.APPROVED,       C.DISASSOCIATE,   {"reason": "  "},                       "reason_required"),
    (S.SUBMITTED,      C.WITHDRAW,       {"reason": "other"},                    "reason_required"),
    (S.REJECTED,       C.DISPUTE,        {},                                     "dispute_empty"),
    (S.REJECTED,       C.DISPUTE,        {"document_ids": [str(tenant(0))]},     "document_unknown"),
)
# fmt: on


@pytest.mark.parametrize(("status", "name", "data", "code"), INCOMPLETE, ids=str)
def test_a_possible_step_with_something_missing_says_what(
    claims: Editions, status: S, name: C, data: dict[str, Any], code: str
) -> None:
    assert code in codes(claims["P2023"][status].say(name, **data))


def test_reviewers_are_refused_with_codes_too(world: World, claims: Editions) -> None:
    claim, stranger = brought(world.claim(), S.UNDER_REVIEW), world.claim()
    asked = [
        claim.desk(C.REVIEW_REJECT, reasons=[{"code": "customer_declined"}], comment="No"),
        claim.desk(C.REVIEW_APPROVE, expected_sequence=1),
        stranger.desk(C.REVIEW_START),
    ]
    assert [each["code"] for each in asked] == ["reason_not_allowed", "stale_sequence", "claim_unknown"]
    assert [each["sequence"] for each in asked][2] == 0


def test_a_location_that_is_not_enrolled_stops_a_submission(world: World, claims: Editions) -> None:
    assert "location_not_enrolled" in codes(world.claim().file(location_id=UNENROLLED))


def test_the_own_open_claim_and_the_own_rejected_proof_stand_in_the_way(world: World, claims: Editions) -> None:
    claim = brought(world.claim(), S.UNDER_REVIEW)
    again = Claim(world, f"{claim.ref}-again", claim.tenant)
    assert "already_claimed" in codes(again.file())
    claim.desk(C.REVIEW_REJECT, **REJECT)
    once_more = Claim(world, f"{claim.ref}-once-more", claim.tenant)
    assert "poe_not_updated" in codes(once_more.file())


def test_a_second_dispute_is_one_too_many(world: World, claims: Editions) -> None:
    """The first is won, the unit is lost to another partner, and that cannot be disputed again (R41, D17, D25)."""
    claim = brought(world.claim(), S.DISPUTED)
    claim.desk(C.REVIEW_APPROVE)
    rival = brought(Claim(world, claim.ref, claim.tenant, TWO), S.UNDER_REVIEW)
    assert rival.desk(C.REVIEW_APPROVE)["code"] == "incumbents_not_named"
    assert rival.desk(C.REVIEW_APPROVE, displaces=[claim.id])["status"] == S.APPROVED
    assert claim.say(C.DISPUTE, justification="It is still signed").code == "dispute_spent"


def test_what_the_partner_or_the_customer_ended_cannot_be_disputed(world: World, claims: Editions) -> None:
    withdrawn, declined = brought(world.claim(), S.SUBMITTED), brought(world.claim(), S.APPROVED)
    assert withdrawn.say(C.WITHDRAW, reason="wrong_role").value["status"] == S.REJECTED
    assert declined.order(C.CONSENT_OUTCOME, outcome="declined")["status"] == S.REJECTED
    assert [each.say(C.DISPUTE, justification="No").code for each in (withdrawn, declined)] == ["not_disputable"] * 2


# --- Too late --------------------------------------------------------------------------------


def test_an_answer_after_the_last_day_comes_too_late(claims: Editions) -> None:
    """P2020: five business days were over long ago."""
    assert claims["P2020"][S.PARTNER_ACTION_REQUIRED].say(C.RESUBMIT, comment="Here").code == "window_closed"


def test_a_customers_no_after_the_seventh_day_changes_nothing(claims: Editions) -> None:
    """P2020; it is no partner's message and gets no answer: the next event is that of what is said after it."""
    claim = claims["P2020"][S.APPROVED]
    before = claim.desk(C.REVIEW_COMMENT, text="Before")
    claim.put(C.CONSENT_OUTCOME, outcome="declined")
    after = claim.desk(C.REVIEW_COMMENT, text="After")
    assert (after["status"], after["sequence"]) == (S.APPROVED, before["sequence"] + 1)


def test_on_day_thirty_one_the_windows_are_closed(world: World, claims: Editions) -> None:
    rejected, asked = claims["P2023"][S.REJECTED], claims["P2023"][S.PARTNER_ACTION_REQUIRED]
    world.set_clock(parse_instant(NEW_DAYS) + 32 * DAY_MS)
    late = [rejected.say(name, **SPOKEN[name]).code for name in (C.DISPUTE, C.COMMENT, C.POE_RESERVE)]
    assert [*late, asked.say(C.RESUBMIT, comment="Here").code] == ["window_closed"] * 4


def test_afterwards_the_workers_still_run_and_every_record_has_exactly_one_receipt(world: World) -> None:
    world.assert_sound()
