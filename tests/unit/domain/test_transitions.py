"""Every status times every command: legal ones lead where the table says, all others leave nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpor.domain import commands as cmd
from cpor.domain.commands import CommandData
from cpor.domain.policy import policy
from cpor.domain.result import Accepted, Ignored, Refused
from cpor.domain.transitions import OPEN, TRANSITIONS, illegal_detail, legal
from cpor.domain.vocabulary import Code, CommandName, Edition, Status
from tests.unit.domain.claims import EXAMPLES, MONDAY, UNDER_P2020, in_status

S, C = Status, CommandName

#: Domain §2.2 under P2023, written out by hand: (status, command) -> status after. Whatever is not here is refused.
LEGAL: dict[tuple[Status, CommandName], Status] = {
    (S.DRAFT, C.EDIT): S.DRAFT,
    (S.DRAFT, C.CANCEL): S.CANCELLED,
    (S.DRAFT, C.POE_RESERVE): S.DRAFT,
    (S.DRAFT, C.POE_ATTACH): S.DRAFT,
    (S.DRAFT, C.POE_AMEND): S.DRAFT,
    (S.DRAFT, C.POE_REMOVE): S.DRAFT,
    (S.DRAFT, C.COMMENT): S.DRAFT,
    (S.DRAFT, C.SUBMIT): S.SUBMITTED,
    (S.SUBMITTED, C.COMMENT): S.SUBMITTED,
    (S.SUBMITTED, C.WITHDRAW): S.REJECTED,
    (S.SUBMITTED, C.REVIEW_START): S.UNDER_REVIEW,
    (S.SUBMITTED, C.REVIEW_COMMENT): S.SUBMITTED,
    (S.SUBMITTED, C.CONSENT_OUTCOME): S.REJECTED,
    (S.SUBMITTED, C.ELIGIBILITY_RESULT): S.SUBMITTED,
    (S.SUBMITTED, C.EARNING): S.SUBMITTED,
    (S.UNDER_REVIEW, C.COMMENT): S.UNDER_REVIEW,
    (S.UNDER_REVIEW, C.WITHDRAW): S.REJECTED,
    (S.UNDER_REVIEW, C.REVIEW_REQUEST_INFORMATION): S.PARTNER_ACTION_REQUIRED,
    (S.UNDER_REVIEW, C.REVIEW_APPROVE): S.APPROVED,
    (S.UNDER_REVIEW, C.REVIEW_REJECT): S.REJECTED,
    (S.UNDER_REVIEW, C.REVIEW_COMMENT): S.UNDER_REVIEW,
    (S.UNDER_REVIEW, C.CONSENT_OUTCOME): S.REJECTED,
    (S.UNDER_REVIEW, C.ELIGIBILITY_RESULT): S.UNDER_REVIEW,
    (S.UNDER_REVIEW, C.EARNING): S.UNDER_REVIEW,
    (S.PARTNER_ACTION_REQUIRED, C.EDIT): S.PARTNER_ACTION_REQUIRED,
    (S.PARTNER_ACTION_REQUIRED, C.POE_RESERVE): S.PARTNER_ACTION_REQUIRED,
    (S.PARTNER_ACTION_REQUIRED, C.POE_ATTACH): S.PARTNER_ACTION_REQUIRED,
    (S.PARTNER_ACTION_REQUIRED, C.POE_AMEND): S.PARTNER_ACTION_REQUIRED,
    (S.PARTNER_ACTION_REQUIRED, C.POE_REMOVE): S.PARTNER_ACTION_REQUIRED,
    (S.PARTNER_ACTION_REQUIRED, C.COMMENT): S.PARTNER_ACTION_REQUIRED,
    (S.PARTNER_ACTION_REQUIRED, C.RESUBMIT): S.SUBMITTED,
    (S.PARTNER_ACTION_REQUIRED, C.WITHDRAW): S.REJECTED,
    (S.PARTNER_ACTION_REQUIRED, C.REVIEW_COMMENT): S.PARTNER_ACTION_REQUIRED,
    (S.PARTNER_ACTION_REQUIRED, C.CONSENT_OUTCOME): S.REJECTED,
    (S.PARTNER_ACTION_REQUIRED, C.ELIGIBILITY_RESULT): S.PARTNER_ACTION_REQUIRED,
    (S.PARTNER_ACTION_REQUIRED, C.EARNING): S.PARTNER_ACTION_REQUIRED,
    (S.APPROVED, C.POE_RESERVE): S.APPROVED,
    (S.APPROVED, C.POE_ATTACH): S.APPROVED,
    (S.APPROVED, C.COMMENT): S.APPROVED,
    (S.APPROVED, C.DISASSOCIATE): S.REJECTED_FINAL,
    (S.APPROVED, C.REVIEW_COMMENT): S.APPROVED,
    (S.APPROVED, C.OPS_RESEND_NOTICE): S.APPROVED,
    (S.APPROVED, C.CONSENT_OUTCOME): S.REJECTED,
    (S.APPROVED, C.ELIGIBILITY_RESULT): S.APPROVED,
    (S.APPROVED, C.EARNING): S.APPROVED,
    (S.REJECTED, C.POE_RESERVE): S.REJECTED,
    (S.REJECTED, C.POE_ATTACH): S.REJECTED,
    (S.REJECTED, C.COMMENT): S.REJECTED,
    (S.REJECTED, C.DISPUTE): S.DISPUTED,
    (S.REJECTED, C.REVIEW_COMMENT): S.REJECTED,
    (S.REJECTED, C.CONSENT_OUTCOME): S.REJECTED,
    (S.REJECTED, C.ELIGIBILITY_RESULT): S.REJECTED,
    (S.REJECTED, C.EARNING): S.REJECTED,
    (S.DISPUTED, C.COMMENT): S.DISPUTED,
    (S.DISPUTED, C.REVIEW_APPROVE): S.APPROVED,
    (S.DISPUTED, C.REVIEW_REJECT): S.REJECTED_FINAL,
    (S.DISPUTED, C.REVIEW_COMMENT): S.DISPUTED,
    (S.DISPUTED, C.CONSENT_OUTCOME): S.REJECTED_FINAL,
    (S.DISPUTED, C.ELIGIBILITY_RESULT): S.DISPUTED,
    (S.DISPUTED, C.EARNING): S.DISPUTED,
    (S.REJECTED_FINAL, C.ELIGIBILITY_RESULT): S.REJECTED_FINAL,
    (S.REJECTED_FINAL, C.EARNING): S.REJECTED_FINAL,
    **{(status, C.PARK): status for status in S},
}

#: Refusals with a more exact code than `illegal_transition`, and what is ignored instead of refused (None).
EXACT: dict[tuple[Status, CommandName], Code | None] = {
    **{(status, begin): Code.CLAIM_EXISTS for status in S for begin in (C.CREATE, C.FILE, C.OPS_IMPORT_LEGACY)},
    **{(status, C.DEADLINE_EXPIRED): None for status in S},
    **{(status, C.UNPARK): None for status in S},
    **{(status, C.OPS_END_SUBSCRIPTION): None for status in S},  # the example claims workloads, no subscription
    (S.DRAFT, C.CONSENT_OUTCOME): None,
    (S.CANCELLED, C.CONSENT_OUTCOME): None,
    (S.REJECTED_FINAL, C.CONSENT_OUTCOME): None,
    (S.APPROVED, C.EDIT): Code.EDIT_NOT_ALLOWED,
}

#: What P2020 does otherwise: it edits and adds documents while submitted, only adds them later, withdraws what is
#: approved instead of disassociating it, keeps an early no for the approval, and knows no final rejection.
P2020_ALONE: dict[tuple[Status, CommandName], Status] = {
    (S.SUBMITTED, C.EDIT): S.SUBMITTED,
    (S.SUBMITTED, C.POE_RESERVE): S.SUBMITTED,
    (S.SUBMITTED, C.POE_ATTACH): S.SUBMITTED,
    (S.APPROVED, C.WITHDRAW): S.REJECTED,
    (S.DISPUTED, C.REVIEW_REJECT): S.REJECTED,
    **{(status, C.CONSENT_OUTCOME): status for status in (*OPEN, S.REJECTED)},
}
P2023_ALONE = {
    (S.PARTNER_ACTION_REQUIRED, C.POE_AMEND),
    (S.PARTNER_ACTION_REQUIRED, C.POE_REMOVE),
    (S.APPROVED, C.DISASSOCIATE),
    *((S.REJECTED_FINAL, name) for name in C),
}
STEPS: dict[Edition, dict[tuple[Status, CommandName], Status]] = {
    Edition.P2023: LEGAL,
    Edition.P2020: {pair: to for pair, to in LEGAL.items() if pair not in P2023_ALONE} | P2020_ALONE,
}
BEGINS = {Edition.P2023: MONDAY, Edition.P2020: UNDER_P2020}
#: A claim of P2020 never gets there.
REACHED = {Edition.P2023: tuple(S), Edition.P2020: tuple(status for status in S if status != S.REJECTED_FINAL)}
CASES = [(edition, status, name) for edition in Edition for status in REACHED[edition] for name in CommandName]
ALLOWED = [case for case in CASES if case[1:] in STEPS[case[0]]]
BARRED = [case for case in CASES if case[1:] not in STEPS[case[0]]]


def _id(value: object) -> str:
    return str(value)


def example(edition: Edition, name: CommandName) -> CommandData:
    """P2020 has no acknowledgements (D31)."""
    given = EXAMPLES[name]
    if edition == Edition.P2020 and isinstance(given, cmd.SubmitClaim):
        return replace(given, acknowledgements=())
    if edition == Edition.P2020 and isinstance(given, cmd.FileClaim):
        return replace(given, acknowledgements=())
    return given


@pytest.mark.rule("T2", "T3", "T5", "T6", "T7", "T8", "T10", "T11", "T14", "T15", "T16a", "T16b", "T18", edition="both")
@pytest.mark.parametrize(("edition", "status", "name"), ALLOWED, ids=_id)
def test_a_legal_step_leads_to_the_status_of_the_table(edition: Edition, status: Status, name: CommandName) -> None:
    world = in_status(status, BEGINS[edition])
    assert world.must("c", example(edition, name)).status == STEPS[edition][status, name]
    assert world.claim("c").policy == edition


@pytest.mark.rule("T16c", "D16", "D6", "D8", edition="both")
@pytest.mark.parametrize(("edition", "status", "name"), BARRED, ids=_id)
def test_every_other_step_is_refused_or_ignored_and_leaves_nothing(
    edition: Edition, status: Status, name: CommandName
) -> None:
    world = in_status(status, BEGINS[edition])
    before = world.claim("c")
    decision = world.give("c", example(edition, name))
    code = EXACT.get((status, name), Code.ILLEGAL_TRANSITION)
    if code is None:
        assert isinstance(decision, Ignored)
    else:
        assert isinstance(decision, Refused)
        assert decision.code == code
    assert world.claim("c") == before


@pytest.mark.parametrize("name", [name for name in CommandName if name not in (C.CREATE, C.FILE)], ids=_id)
def test_a_command_to_a_claim_that_does_not_exist_is_answered(name: CommandName) -> None:
    world = in_status(Status.DRAFT)
    decision = world.give("nobody", EXAMPLES[name])
    if name == C.OPS_IMPORT_LEGACY:
        assert isinstance(decision, Accepted)
    else:
        assert isinstance(decision, Refused)
        assert decision.code == Code.CLAIM_UNKNOWN


@pytest.mark.parametrize("status", list(Status), ids=_id)
def test_a_refusal_names_the_status_and_what_would_be_possible(status: Status) -> None:
    detail = illegal_detail(Edition.P2023, status, CommandName.CANCEL)
    assert f"({status.value})" in detail
    assert detail.count(".") == 1


def test_a_refusal_speaks_of_what_was_asked_and_offers_what_is_possible_to_who_asked() -> None:
    def said(status: Status, name: CommandName) -> str:
        return illegal_detail(Edition.P2023, status, name)

    assert said(S.SUBMITTED, C.DISPUTE) == (
        "It is not possible to dispute while the claim is Submitted (submitted); possible now: comment, withdraw."
    )
    assert said(S.SUBMITTED, C.REVIEW_APPROVE) == (
        "It is not possible to approve while the claim is Submitted (submitted); "
        "possible now: start the review, comment."
    )
    assert said(S.CANCELLED, C.SUBMIT) == (
        "It is not possible to submit while the claim is Cancelled (cancelled); nothing more is."
    )
    assert said(S.CANCELLED, C.PARK).startswith("It is not possible to cpor.claim.park.v1 while ")


def test_the_table_names_a_source_for_each_row_and_decides_no_case_twice() -> None:
    assert all(row.source for row in TRANSITIONS)
    cases = [
        (edition, status, row.command)
        for edition in Edition
        for row in TRANSITIONS
        for status in row.where(policy(edition))
    ]
    assert len(cases) == len(set(cases))


@pytest.mark.rule("T4", "D6", "D8", "D21", edition="P2020")
@pytest.mark.rule("T13", "R51", "D8", "D21", edition="P2023")
@pytest.mark.parametrize(
    ("status", "name", "p2020", "p2023"),
    [
        (S.SUBMITTED, C.EDIT, True, False),
        (S.SUBMITTED, C.POE_ATTACH, True, False),
        (S.APPROVED, C.WITHDRAW, True, False),
        (S.APPROVED, C.DISASSOCIATE, False, True),
        (S.PARTNER_ACTION_REQUIRED, C.POE_REMOVE, False, True),
    ],
    ids=_id,
)
def test_where_the_editions_differ_the_table_follows_their_data(
    status: Status, name: CommandName, p2020: bool, p2023: bool
) -> None:
    assert legal(Edition.P2020, status, name) is p2020
    assert legal(Edition.P2023, status, name) is p2023
