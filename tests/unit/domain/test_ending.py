"""What the events of a claim's end say (D8, D12, R51): the words, the documents, and what was given up."""

from __future__ import annotations

from typing import Any

import pytest

from cpor.domain import commands as cmd
from cpor.domain.events import Disputed, Event, Rejected
from cpor.domain.result import Refused
from cpor.domain.vocabulary import Clock, Code, ConsentOutcome, RevocationReason, Status, WithdrawReason
from tests.unit.domain.claims import MONDAY, UNDER_P2020, World, document, in_status

TWO_LINES = "First line\nsecond line"
BELL = "A bell \a rings"


def words_of(kind: str, words: str) -> cmd.CommandData:
    """The command that ends or disputes with these words."""
    match kind:
        case "text":
            return cmd.WithdrawClaim(reason=WithdrawReason.OTHER, text=words)
        case "reason":
            return cmd.DisassociateCustomer(reason=words)
    return cmd.DisputeRejection(justification=words)


def last(world: World) -> Any:
    """The newest event."""
    event: Event = world.log[-1]
    return event


WORDS = pytest.mark.parametrize(
    ("field", "status"),
    [("text", Status.SUBMITTED), ("reason", Status.APPROVED), ("justification", Status.REJECTED)],
)


@WORDS
def test_words_at_the_end_of_a_claim_may_have_several_lines(field: str, status: Status) -> None:
    in_status(status).must("c", words_of(field, TWO_LINES))


@WORDS
def test_words_that_are_no_text_are_refused_under_the_name_of_their_field(field: str, status: Status) -> None:
    no = in_status(status).give("c", words_of(field, BELL))
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [(field, Code.INVALID_FIELDS)]


@pytest.mark.parametrize(
    ("field", "status", "longest"), [("text", Status.SUBMITTED, 4000), ("reason", Status.APPROVED, 1000)]
)
def test_words_may_be_as_long_as_the_message_that_brings_them_allows(field: str, status: Status, longest: int) -> None:
    """What the published form of a message takes is not refused behind it."""
    in_status(status).must("c", words_of(field, "x" * longest))
    no = in_status(status).give("c", words_of(field, "x" * (longest + 1)))
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [(field, Code.INVALID_FIELDS)]


def test_a_withdrawal_keeps_the_partners_words_and_needs_none() -> None:
    world = in_status(Status.SUBMITTED)
    world.must("c", cmd.WithdrawClaim(reason=WithdrawReason.WRONG_ROLE, text=" Typed in haste "))
    assert (last(world).comment, last(world).withdraw_reason) == ("Typed in haste", WithdrawReason.WRONG_ROLE)
    silent = in_status(Status.SUBMITTED)
    silent.must("c", cmd.WithdrawClaim(reason=WithdrawReason.WRONG_ROLE))
    assert last(silent).comment is None


def test_a_withdrawal_for_another_reason_says_which() -> None:
    no = in_status(Status.SUBMITTED).give("c", cmd.WithdrawClaim(reason=WithdrawReason.OTHER))
    assert isinstance(no, Refused)
    assert no.code == Code.REASON_REQUIRED


def test_a_dispute_says_its_justification_and_names_every_document_that_is_new() -> None:
    world = in_status(Status.REJECTED)
    new = document(2)
    world.must("c", new)
    world.must("c", cmd.DisputeRejection(justification="Look again"))
    assert isinstance(last(world), Disputed)
    assert (last(world).justification, last(world).document_ids) == ("Look again", (new.document_id,))


def test_a_dispute_names_only_the_documents_it_was_given() -> None:
    world = in_status(Status.REJECTED)
    second, third = document(2), document(3)
    world.must("c", second)
    world.must("c", third)
    world.must("c", cmd.DisputeRejection(document_ids=(third.document_id,)))
    assert (last(world).justification, last(world).document_ids) == (None, (third.document_id,))


@pytest.mark.parametrize(("begins", "spent"), [(MONDAY, True), (UNDER_P2020, False)])
def test_a_dispute_says_whether_it_was_the_last_one(begins: Any, spent: bool) -> None:
    world = in_status(Status.REJECTED, begins)
    world.must("c", cmd.DisputeRejection(justification="Look again"))
    assert last(world).spends_dispute is spent


def test_ending_an_approval_gives_up_its_units_by_name() -> None:
    world = in_status(Status.APPROVED, UNDER_P2020)
    before = world.claim("c")
    assert before.approval is not None
    world.must("c", cmd.WithdrawClaim(reason=WithdrawReason.WRONG_ROLE))
    given_up = (last(world).units_released, last(world).approval, last(world).revocation)
    assert given_up == (before.units, before.approval.sequence, RevocationReason.WITHDRAWN)


def test_what_holds_nothing_gives_nothing_up() -> None:
    world = in_status(Status.SUBMITTED)
    world.must("c", cmd.WithdrawClaim(reason=WithdrawReason.WRONG_ROLE))
    assert (last(world).units_released, last(world).approval, last(world).revocation) == ((), None, None)


def test_an_approval_that_an_early_no_undoes_opens_no_window_to_dispute() -> None:
    world = World(UNDER_P2020)
    world.under_review()
    world.must("c", cmd.RecordConsent(outcome=ConsentOutcome.DECLINED))
    claim = world.must("c", cmd.ApproveClaim())
    assert isinstance(last(world), Rejected)
    assert (claim.status, claim.clock(Clock.DISPUTE_WINDOW), last(world).disputable) == (Status.REJECTED, None, False)
